#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/bytes.hpp"

/// Files of small records: a line of text that says what it is, then blocks of [checksum][length][records].
namespace troupe::history {

/// Appends. One thread at a time. After a write that failed nothing more is written, and fault() says why.
class block_writer {
 public:
  block_writer(const std::string& path, std::string_view title);
  ~block_writer();
  block_writer(const block_writer&) = delete;
  block_writer& operator=(const block_writer&) = delete;

  /// Where the next record's bytes go. Call end_record() behind each.
  byte_writer& record() { return out_; }
  void end_record();
  /// What has been recorded is in the file.
  void flush();
  const std::string& fault() const { return fault_; }

 private:
  void write(std::string_view bytes);

  std::string path_;
  std::FILE* file_ = nullptr;
  std::string block_;
  byte_writer out_{block_};
  std::string fault_;
};

/// Calls `read` with each block's records, in order. `read` takes them all, and fails the reader at what it
/// does not know. The reason when the file is not whole and undamaged.
std::optional<std::string> read_blocks(const std::string& path, std::string_view title,
                                       const std::function<void(byte_reader&)>& read);

}  // namespace troupe::history
