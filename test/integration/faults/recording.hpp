#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "test/integration/faults/disk_model.hpp"
#include "test/integration/faults/life.hpp"

namespace troupe::faults {

/// All that one or more lives did to a disk, in order, with what they were promised in between.
struct recording {
  disk_image base;
  std::vector<disk_step> steps;
  std::size_t changes() const;
};

/// Where a recording stands: the disk, and what a store found on it must and may hold.
class playback {
 public:
  /// `begun_with`: the ends of the shards' logs in the base.
  playback(const recording& of, std::vector<std::uint64_t> begun_with);
  /// Goes behind the next change of the disk, and all notes behind it; false at the end.
  bool next();
  std::size_t at() const { return changes_; }
  const disk_step& last() const { return *last_; }
  const disk_model& disk() const { return disk_; }

  std::vector<std::uint64_t> acknowledged;
  std::vector<std::uint64_t> appended;
  std::vector<std::uint64_t> cut;  // strays of that epoch and of older ones are gone
  std::uint64_t epoch = 0;         // of the last opening that came back
  std::string mark;                // the file, as it was last synced

 private:
  void note(const disk_step& step);

  const recording& recording_;
  disk_model disk_;
  std::size_t next_ = 0;
  std::size_t changes_ = 0;
  const disk_step* last_ = nullptr;
  std::uint64_t mark_file_ = 0;
};

/// Lets `run` live on the disk under `root`, in directory "data", and writes down what it does.
recording record(
    const std::string& root,
    const std::function<void(const std::string& directory, std::shared_ptr<rocksdb::FileSystem> disk,
                             life_events events)>& run);

}  // namespace troupe::faults
