#include "runtime/journal/row_buffer.hpp"

#include <algorithm>
#include <cstring>

#include "runtime/base/hash.hpp"

namespace troupe {

namespace {
constexpr std::size_t slots_min = 1024;
constexpr std::size_t rows_kept = 65'536;
}  // namespace

std::string_view byte_arena::keep(std::string_view bytes) {
  if (bytes.size() > free_bytes_) {
    const auto size = std::max(block_bytes, bytes.size());
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    free_ = blocks_.back().get();
    free_bytes_ = size;
  }
  char* const at = free_;
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  free_ += bytes.size();
  free_bytes_ -= bytes.size();
  return {at, bytes.size()};
}

void byte_arena::clear() {
  blocks_.clear();
  free_ = nullptr;
  free_bytes_ = 0;
}

row_buffer::row& row_buffer::find_or_add(std::string_view key) {
  if ((rows_.size() + 1) * 2 > slots_.size()) grow();
  const auto hash = stable_hash(key);
  const auto mask = slots_.size() - 1;
  auto slot = hash & mask;
  for (; slots_[slot] != 0; slot = (slot + 1) & mask) {
    auto& found = rows_[slots_[slot] - 1];
    if (found.hash == hash && found.key == key) return found;
  }
  rows_.push_back({.key = arena_.keep(key), .value = {}, .hash = hash});
  slots_[slot] = static_cast<std::uint32_t>(rows_.size());
  return rows_.back();
}

void row_buffer::grow() {
  slots_.assign(std::max(slots_min, slots_.size() * 2), 0);
  const auto mask = slots_.size() - 1;
  for (std::uint32_t i = 0; i < rows_.size(); ++i) {
    auto slot = rows_[i].hash & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = i + 1;
  }
}

void row_buffer::at(std::string_view key, std::string_view value, bool is_new) {
  auto& r = find_or_add(key);
  r.value = value;
  r.is_erased = false;
  r.is_new = is_new;
  r.is_gone = false;
}

void row_buffer::erase(std::string_view key) {
  auto& r = find_or_add(key);
  const bool leaves_no_trace = r.is_new && !r.is_gone;
  r.value = {};
  r.is_erased = true;
  r.is_new = false;
  r.is_gone = leaves_no_trace;
}

std::vector<const row_buffer::row*> row_buffer::sorted() const {
  std::vector<const row*> out;
  out.reserve(rows_.size());
  for (const auto& r : rows_) {
    if (!r.is_gone) out.push_back(&r);
  }
  std::sort(out.begin(), out.end(), [](const row* a, const row* b) { return a->key < b->key; });
  return out;
}

void row_buffer::clear() {
  arena_.clear();
  rows_.clear();
  if (rows_.capacity() > rows_kept) {
    rows_.shrink_to_fit();
    slots_ = {};
  } else {
    std::fill(slots_.begin(), slots_.end(), 0U);
  }
}

}  // namespace troupe
