#include "runtime/store/reply_memtable.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <deque>
#include <mutex>
#include <new>
#include <string_view>
#include <vector>

#include "runtime/base/assert.hpp"
#include "runtime/base/hash.hpp"

namespace troupe {
namespace {

/// One key with its value, as RocksDB wrote it behind the header: a length, the internal key (the family's
/// key and eight bytes of sequence number and type) and the value.
struct entry {
  std::atomic<entry*> next{nullptr};
  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  static entry* of(rocksdb::KeyHandle handle) { return static_cast<entry*>(handle); }
};

constexpr std::size_t trailer_bytes = 8;

std::string_view key_within(const rocksdb::Slice& internal_key) {
  return {internal_key.data(), internal_key.size() - trailer_bytes};
}

std::string_view key_of(const char* entry_bytes) {
  return key_within(rocksdb::GetLengthPrefixedSlice(entry_bytes));
}

/// The first sixteen bytes of a key as numbers, so that sorting rarely has to look at the key itself.
struct sortable {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  const char* bytes = nullptr;

  explicit sortable(const char* entry_bytes) : bytes(entry_bytes) {
    const auto key = key_of(entry_bytes);
    high = number_at(key, 0);
    low = number_at(key, sizeof(high));
  }
  // Missing bytes count as zeros; keys that then look alike are told apart by the comparator.
  static std::uint64_t number_at(std::string_view key, std::size_t from) {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < sizeof(number); ++i)
      number = number << 8U | (from + i < key.size() ? static_cast<unsigned char>(key[from + i]) : 0U);
    return number;
  }
};

/// What the table held when the iterator was made, in order. What is added later has younger sequence numbers
/// than whoever made the iterator may see.
class sorted_entries final : public rocksdb::MemTableRep::Iterator {
 public:
  sorted_entries(std::vector<sortable> all, const rocksdb::MemTableRep::KeyComparator& order)
      : all_(std::move(all)), order_(order), at_(all_.size()) {
    std::sort(all_.begin(), all_.end(), [&](const sortable& a, const sortable& b) {
      if (a.high != b.high) return a.high < b.high;
      if (a.low != b.low) return a.low < b.low;
      return order_(a.bytes, b.bytes) < 0;
    });
  }
  bool Valid() const override { return at_ < all_.size(); }
  const char* key() const override { return all_[at_].bytes; }
  void Next() override { ++at_; }
  void Prev() override { at_ = at_ == 0 ? all_.size() : at_ - 1; }
  void Seek(const rocksdb::Slice& internal_key, const char*) override {
    const auto found = std::partition_point(
        all_.begin(), all_.end(), [&](const sortable& one) { return order_(one.bytes, internal_key) < 0; });
    at_ = static_cast<std::size_t>(found - all_.begin());
  }
  void SeekForPrev(const rocksdb::Slice& internal_key, const char*) override {
    const auto behind = std::partition_point(
        all_.begin(), all_.end(), [&](const sortable& one) { return order_(one.bytes, internal_key) <= 0; });
    at_ = behind == all_.begin() ? all_.size() : static_cast<std::size_t>(behind - all_.begin()) - 1;
  }
  void SeekToFirst() override { at_ = 0; }
  void SeekToLast() override { at_ = all_.empty() ? 0 : all_.size() - 1; }

 private:
  std::vector<sortable> all_;
  const rocksdb::MemTableRep::KeyComparator& order_;
  std::size_t at_;
};

class reply_memtable final : public rocksdb::MemTableRep {
 public:
  reply_memtable(const KeyComparator& order, rocksdb::Allocator* allocator, std::size_t buckets)
      : rocksdb::MemTableRep(allocator), order_(order), buckets_(buckets) {}

  rocksdb::KeyHandle Allocate(std::size_t bytes, char** buffer) override {
    char* raw = nullptr;
    // The allocator gives memory as it comes.
    constexpr auto alignment = alignof(entry);
    rocksdb::MemTableRep::Allocate(bytes + sizeof(entry) + alignment - 1, &raw);
    const auto address = reinterpret_cast<std::uintptr_t>(raw);
    auto* made = new (raw + (alignment - address % alignment) % alignment) entry;
    *buffer = made->bytes();
    return made;
  }
  /// The younger of two entries of one key comes later, so it lies before the other in its bucket: their
  /// order.
  void Insert(rocksdb::KeyHandle handle) override {
    auto* added = entry::of(handle);
    auto& head = bucket_of(key_of(added->bytes()));
    added->next.store(head.load(std::memory_order_relaxed), std::memory_order_relaxed);
    head.store(added, std::memory_order_release);
  }
  bool Contains(const char* key) const override {
    for (auto* one = first_in(key_of(key)); one != nullptr; one = behind(one))
      if (order_(one->bytes(), key) == 0) return true;
    return false;
  }
  std::size_t ApproximateMemoryUsage() override { return buckets_.size() * sizeof(buckets_[0]); }

  /// Whatever asks for it next. One that lies in an arena is destroyed and its memory is not given back, and
  /// the arena's type is RocksDB's own, so the memory is the table's.
  Iterator* GetIterator(rocksdb::Arena* arena) override {
    if (arena == nullptr) return new sorted_entries{all(), order_};
    const std::lock_guard lock{places_mutex_};
    return new (places_.emplace_back().bytes) sorted_entries{all(), order_};
  }

  /// For `Get`: the entries of one key, the youngest that may be seen first.
  class entries_of_a_key;
  Iterator* GetDynamicPrefixIterator(rocksdb::Arena* arena) override;

 private:
  struct place {
    alignas(sorted_entries) unsigned char bytes[sizeof(sorted_entries)];
  };

  std::atomic<entry*>& bucket_of(std::string_view key) {
    return buckets_[stable_hash(key) & (buckets_.size() - 1)];
  }
  entry* first_in(std::string_view key) const {
    return buckets_[stable_hash(key) & (buckets_.size() - 1)].load(std::memory_order_acquire);
  }
  // What an entry follows was there before it was published, and stays.
  static entry* behind(const entry* one) { return one->next.load(std::memory_order_relaxed); }

  std::vector<sortable> all() const {
    std::vector<sortable> out;
    for (const auto& head : buckets_)
      for (auto* one = head.load(std::memory_order_acquire); one != nullptr; one = behind(one))
        out.emplace_back(one->bytes());
    return out;
  }

  const KeyComparator& order_;
  std::vector<std::atomic<entry*>> buckets_;
  std::mutex places_mutex_;
  std::deque<place> places_;  // one for each iterator that was asked for in an arena, until the table goes
};

class reply_memtable::entries_of_a_key final : public rocksdb::MemTableRep::Iterator {
 public:
  explicit entries_of_a_key(const reply_memtable& table) : table_(table) {}
  static void* operator new(std::size_t, void* place) { return place; }
  static void operator delete(void*) {}
  bool Valid() const override { return at_ != nullptr; }
  const char* key() const override { return at_->bytes(); }
  void Next() override { at_ = next_of_key(behind(at_)); }
  void Seek(const rocksdb::Slice& internal_key, const char*) override {
    key_ = key_within(internal_key);
    at_ = next_of_key(table_.first_in(key_));
    while (at_ != nullptr && table_.order_(at_->bytes(), internal_key) < 0) at_ = next_of_key(behind(at_));
  }
  // Looking a key up goes forward.
  void Prev() override { at_ = nullptr; }
  void SeekForPrev(const rocksdb::Slice&, const char*) override { at_ = nullptr; }
  void SeekToFirst() override { at_ = nullptr; }
  void SeekToLast() override { at_ = nullptr; }

 private:
  entry* next_of_key(entry* from) const {
    while (from != nullptr && key_of(from->bytes()) != key_) from = behind(from);
    return from;
  }

  const reply_memtable& table_;
  std::string_view key_;  // of whoever looks it up, who keeps it meanwhile
  entry* at_ = nullptr;
};

/// Without an arena it is `MemTableRep::Get` that asks, which never deletes what it gets (RocksDB 7.8): so it
/// is one for each thread, made anew each time, and deleting it frees nothing. One in an arena is over the
/// family, and whole.
rocksdb::MemTableRep::Iterator* reply_memtable::GetDynamicPrefixIterator(rocksdb::Arena* arena) {
  if (arena != nullptr) return GetIterator(arena);
  alignas(entries_of_a_key) thread_local unsigned char mine[sizeof(entries_of_a_key)];
  return new (mine) entries_of_a_key{*this};
}

}  // namespace

reply_memtable_factory::reply_memtable_factory(std::size_t buckets) : buckets_(std::bit_ceil(buckets)) {}

rocksdb::MemTableRep* reply_memtable_factory::CreateMemTableRep(
    const rocksdb::MemTableRep::KeyComparator& order, rocksdb::Allocator* allocator,
    const rocksdb::SliceTransform* prefix, rocksdb::Logger*) {
  TROUPE_ASSERT(prefix == nullptr, "a family with prefixes is iterated by them, which this table cannot");
  return new reply_memtable{order, allocator, buckets_};
}

}  // namespace troupe
