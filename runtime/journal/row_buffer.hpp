#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace troupe {

/// Bytes that live until all of them go at once.
class byte_arena {
 public:
  std::string_view keep(std::string_view bytes);
  void clear();

 private:
  static constexpr std::size_t block_bytes = 256U << 10U;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;
  std::size_t free_bytes_ = 0;
};

/// What becomes of rows, by key: of several writes to one key the last counts. A hash table of views over an
/// arena instead of a map of strings, because every row of every entry goes through it. Not thread-safe.
class row_buffer {
 public:
  struct row {
    std::string_view key;
    std::string_view value;
    std::uint64_t hash = 0;
    bool is_erased = false;
    bool is_new = false;   // its key was never used before this buffer
    bool is_gone = false;  // came and went: nothing is to be written
  };

  /// `value` must live as long as the buffer is filled; keep() makes it so.
  void put(std::string_view key, std::string_view value) { at(key, value, false); }
  /// The same for a key that no row ever had: with erase() it leaves no trace.
  void put_new(std::string_view key, std::string_view value) { at(key, value, true); }
  void erase(std::string_view key);
  std::string_view keep(std::string_view bytes) { return arena_.keep(bytes); }

  /// What is to be written, in key order. Valid until the next change.
  std::vector<const row*> sorted() const;
  /// Forgets all of it, and what memory was needed beyond the usual.
  void clear();

 private:
  row& find_or_add(std::string_view key);
  void at(std::string_view key, std::string_view value, bool is_new);
  void grow();

  byte_arena arena_;
  std::vector<row> rows_;
  std::vector<std::uint32_t> slots_;  // open addressing over rows_: place + 1, or 0 for none
};

}  // namespace troupe
