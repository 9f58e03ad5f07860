#include "cluster/history/block_file.hpp"

#include <cerrno>
#include <cstring>
#include <vector>

#include "runtime/base/hash.hpp"

namespace troupe::history {
namespace {

constexpr std::size_t block_bytes = 256U << 10U;
/// A length beyond this is damage, not a block.
constexpr std::uint32_t block_bytes_max = 16U << 20U;
constexpr std::size_t head_bytes = 8;

struct closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

block_writer::block_writer(const std::string& path, std::string_view title)
    : path_(path), file_(std::fopen(path.c_str(), "wbe")) {
  if (file_ == nullptr) fault_ = "cannot write " + path_ + ": " + std::strerror(errno);
  write(std::string{title} + "\n");
}

block_writer::~block_writer() {
  flush();
  if (file_ != nullptr) std::fclose(file_);
}

void block_writer::end_record() {
  if (block_.size() >= block_bytes) flush();
}

void block_writer::flush() {
  if (block_.empty()) return;
  std::string head;
  byte_writer out{head};
  out.u32_be(checksum(block_));
  out.u32_be(static_cast<std::uint32_t>(block_.size()));
  write(head);
  write(block_);
  block_.clear();
  if (file_ != nullptr && std::fflush(file_) != 0 && fault_.empty())
    fault_ = "cannot write " + path_ + ": " + std::strerror(errno);
}

void block_writer::write(std::string_view bytes) {
  if (!fault_.empty()) return;
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size())
    fault_ = "cannot write " + path_ + ": " + std::strerror(errno);
}

std::optional<std::string> read_blocks(const std::string& path, std::string_view title,
                                       const std::function<void(byte_reader&)>& read) {
  const std::unique_ptr<std::FILE, closer> file{std::fopen(path.c_str(), "rbe")};
  if (!file) return "cannot read " + path + ": " + std::strerror(errno);
  std::string bytes(title.size() + 1, '\0');
  if (std::fread(bytes.data(), 1, bytes.size(), file.get()) != bytes.size() ||
      bytes != std::string{title} + "\n")
    return path + " does not begin with \"" + std::string{title} + "\"";
  while (true) {
    bytes.resize(head_bytes);
    const auto size = std::fread(bytes.data(), 1, head_bytes, file.get());
    if (size == 0 && std::feof(file.get()) != 0) return std::nullopt;
    const auto at = std::ftell(file.get());
    const auto damaged = path + " is damaged or cut off at byte " + std::to_string(at);
    byte_reader head{std::string_view{bytes}.substr(0, size)};
    const auto sum = head.u32_be();
    const auto length = head.u32_be();
    if (!head.ok() || length == 0 || length > block_bytes_max) return damaged;
    bytes.resize(length);
    if (std::fread(bytes.data(), 1, length, file.get()) != length || checksum(bytes) != sum) return damaged;
    byte_reader records{bytes};
    read(records);
    if (!records.ok() || !records.at_end())
      return path + " has a record that cannot be, in the block at byte " + std::to_string(at);
  }
}

}  // namespace troupe::history
