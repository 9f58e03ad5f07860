#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/bytes.hpp"
#include "runtime/base/time.hpp"

namespace troupe {

/// What is kept under a command id: the first answer, and enough of the request to tell a repetition from a
/// reuse.
struct reply_record {
  static constexpr std::uint8_t format = 1;

  timestamp at;  // of the log entry
  std::uint64_t fingerprint = 0;
  std::uint64_t version = 0;
  std::string_view reply;

  void encode_to(std::string& out) const {
    byte_writer w{out};
    w.u8(format);
    w.u64_be(static_cast<std::uint64_t>(at.ms));
    w.u64_be(fingerprint);
    w.varint(version);
    w.raw(reply);
  }
  /// The views point into `bytes`. False for bytes of another format.
  [[nodiscard]] bool decode_from(std::string_view bytes) {
    byte_reader in{bytes};
    if (in.u8() != format) return false;
    at.ms = static_cast<std::int64_t>(in.u64_be());
    fingerprint = in.u64_be();
    version = in.varint();
    reply = in.rest();
    return in.ok();
  }
  /// Only the time, for expiry; zero for bytes that are no record.
  static timestamp written_at(std::string_view bytes) {
    byte_reader in{bytes};
    if (in.u8() != format) return {};
    return {static_cast<std::int64_t>(in.u64_be())};
  }
};

}  // namespace troupe
