#include <doctest/doctest.h>

#include <utility>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/hash.hpp"

using namespace troupe;

namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    constexpr char digits[] = "0123456789abcdef";
    out.push_back(digits[static_cast<std::uint8_t>(c) >> 4]);
    out.push_back(digits[static_cast<std::uint8_t>(c) & 15]);
  }
  return out;
}

template <class Write>
std::string written(Write write) {
  std::string out;
  byte_writer w{out};
  write(w);
  return hex(out);
}

}  // namespace

TEST_CASE("bytes: varints have the bytes of LEB128 and read back") {
  const std::vector<std::pair<std::uint64_t, std::string>> rows = {
      {0, "00"},     {1, "01"},     {127, "7f"},
      {128, "8001"}, {300, "ac02"}, {~std::uint64_t{0}, "ffffffffffffffffff01"}};
  for (const auto& [number, bytes] : rows) {
    const auto value = number;  // clang 14: no lambda captures a structured binding
    CAPTURE(value);
    CHECK(written([&](byte_writer& w) { w.varint(value); }) == bytes);
    std::string out;
    byte_writer{out}.varint(value);
    byte_reader in{out};
    CHECK(in.varint() == value);
    CHECK(in.ok());
    CHECK(in.at_end());
  }
}

TEST_CASE("bytes: zigzag keeps small negative numbers small") {
  const std::vector<std::pair<std::int64_t, std::string>> rows = {{0, "00"},
                                                                  {-1, "01"},
                                                                  {1, "02"},
                                                                  {-64, "7f"},
                                                                  {INT64_MAX, "feffffffffffffffff01"},
                                                                  {INT64_MIN, "ffffffffffffffffff01"}};
  for (const auto& [number, bytes] : rows) {
    const auto value = number;  // clang 14: no lambda captures a structured binding
    CAPTURE(value);
    std::string out;
    byte_writer{out}.zigzag(value);
    CHECK(hex(out) == bytes);
    CHECK(byte_reader{out}.zigzag() == value);
  }
}

TEST_CASE("bytes: fixed widths are big-endian") {
  CHECK(written([](byte_writer& w) {
          w.u8(0xab);
          w.u16_be(0x0102);
          w.u32_be(0x01020304);
          w.u64_be(0x0102030405060708);
        }) == "ab0102010203040102030405060708");
}

TEST_CASE("bytes: a short read fails, and every read after it yields nothing") {
  byte_reader in{std::string_view{"\x05hello", 5}};
  CHECK(in.sized().empty());
  CHECK_FALSE(in.ok());
  CHECK(in.varint() == 0);
  CHECK(in.u64_be() == 0);
  CHECK(in.raw(1).empty());
  CHECK(in.at_end());
}

TEST_CASE("bytes: a varint beyond 64 bits or without an end fails") {
  for (const std::string& bad : {std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10),
                                 std::string(11, '\xff'), std::string("\x80", 1), std::string{}}) {
    byte_reader in{bad};
    in.varint();
    CHECK_FALSE(in.ok());
  }
}

TEST_CASE("bytes: a length beyond what is left fails without reading") {
  std::string out;
  byte_writer{out}.varint(~std::uint64_t{0});
  out += "abc";
  byte_reader in{out};
  CHECK(in.sized().empty());
  CHECK_FALSE(in.ok());
}

TEST_CASE("hash: shards and checksums are for ever, so their values are written down here") {
  CHECK(stable_hash("") == 0x2d06800538d394c2ULL);
  CHECK(stable_hash("sku/iphone-15") == stable_hash("sku/iphone-15"));
  CHECK(stable_hash("a") != stable_hash("a", 1));
  CHECK(checksum("") == 0x38d394c2U);
}
