#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace troupe {

/// Appends primitives to a string that the caller owns. Integers are LEB128 varints unless said otherwise.
class byte_writer {
 public:
  explicit byte_writer(std::string& out) : out_(out) {}

  void varint(std::uint64_t value) {
    char buffer[10];
    std::size_t size = 0;
    while (value >= 0x80) {
      buffer[size++] = static_cast<char>(value | 0x80);
      value >>= 7;
    }
    buffer[size++] = static_cast<char>(value);
    out_.append(buffer, size);
  }
  void zigzag(std::int64_t value) {
    varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void u8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void u16_be(std::uint16_t value) { big_endian(value, 2); }
  void u32_be(std::uint32_t value) { big_endian(value, 4); }
  void u64_be(std::uint64_t value) { big_endian(value, 8); }
  void raw(std::string_view bytes) { out_.append(bytes); }
  void sized(std::string_view bytes) {
    varint(bytes.size());
    out_.append(bytes);
  }
  std::string& out() { return out_; }

 private:
  void big_endian(std::uint64_t value, int width) {
    for (int shift = (width - 1) * 8; shift >= 0; shift -= 8)
      out_.push_back(static_cast<char>(value >> shift));
  }
  std::string& out_;
};

/// Reads what byte_writer wrote. Never reads past the end: after a short or malformed read ok() is false,
/// every further read yields zero or empty, and the caller discards the result.
class byte_reader {
 public:
  explicit byte_reader(std::string_view bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }
  void fail() {
    ok_ = false;
    rest_ = {};
  }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) break;
      const auto byte = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      if (shift == 63 && byte > 1) break;  // would overflow 64 bits
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    fail();
    return 0;
  }
  std::int64_t zigzag() {
    const std::uint64_t value = varint();
    return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
  }
  std::uint8_t u8() { return static_cast<std::uint8_t>(big_endian(1)); }
  std::uint16_t u16_be() { return static_cast<std::uint16_t>(big_endian(2)); }
  std::uint32_t u32_be() { return static_cast<std::uint32_t>(big_endian(4)); }
  std::uint64_t u64_be() { return big_endian(8); }
  std::string_view raw(std::size_t size) {
    if (size > rest_.size()) {
      fail();
      return {};
    }
    const auto bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  std::string_view sized() {
    const std::uint64_t size = varint();
    if (size > rest_.size()) {
      fail();
      return {};
    }
    return raw(static_cast<std::size_t>(size));
  }

 private:
  std::uint64_t big_endian(std::size_t width) {
    const auto bytes = raw(width);
    std::uint64_t value = 0;
    for (const char c : bytes) value = (value << 8) | static_cast<std::uint8_t>(c);
    return value;
  }
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace troupe
