#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

/// What a disk holds while power is on, and what it may hold after power was lost. Paths are relative to the
/// disk's root, which is always there.
namespace troupe::faults {

struct disk_image {
  std::set<std::string> directories;
  std::map<std::string, std::string> files;

  /// Replaces what lies under `root`.
  void write_to(const std::string& root) const;
  static disk_image read_from(const std::string& root);
  /// Numbers for what is there already; those of later files are greater.
  std::map<std::string, std::uint64_t> numbers() const;
};

/// RocksDB's own messages and its lock: they hold no data and go by no interface that can be wrapped.
bool is_left_out(const std::string& path);

/// One thing that was done to a disk. Open files are named by number, so that a rename does not matter.
struct disk_step {
  enum class action {
    create = 1,      // path, file
    write,           // file, offset, bytes
    truncate,        // file, offset: the new size
    sync,            // file
    rename,          // path, target
    remove,          // path
    make_directory,  // path, file
    sync_directory,  // path
    note,            // nothing to the disk; `path` and `offset` are the recorder's
  };
  action what{};
  std::string path;
  std::string target;
  std::uint64_t file = 0;
  std::uint64_t offset = 0;
  std::string bytes;
};

const char* to_string(disk_step::action what);

/// Follows steps and knows which of them are safe. POSIX promises little, and so does this: a file's bytes
/// are safe when the file was synced, its name (creation, rename, removal) when its directory was, and
/// syncing the one does nothing for the other. Of what is not safe a power cut keeps an arbitrary part: of a
/// file's writes the first ones, the last of them torn anywhere; of a directory's changes any subset, of
/// RocksDB's directory the first ones.
class disk_model {
 public:
  explicit disk_model(const disk_image& base = {});
  void apply(const disk_step& step);
  /// `kept`: of a file's writes the first ones survive. `lost`: any of them, and zeros where one is missing,
  /// as when a disk or file system writes the blocks of a file out of order.
  enum class write_order { kept = 1, lost };
  disk_image power_cut(std::mt19937& random, write_order order = write_order::kept) const;
  /// The part of a file that no power cut takes.
  const std::string& synced(std::uint64_t file) const { return nodes_.at(file).synced; }

 private:
  struct pending_write {
    bool is_truncate = false;
    std::uint64_t offset = 0;
    std::string bytes;
  };
  struct node {
    bool is_directory = false;
    std::string synced;
    std::vector<pending_write> pending;
  };
  struct name_change {
    std::string directory;
    std::string removed;
    std::string added;
    std::uint64_t file = 0;
  };
  using names = std::map<std::string, std::uint64_t>;

  static void change(names& in, const name_change& what);
  disk_image image_of(const names& in, std::mt19937& random, write_order order) const;
  static std::string content_after_cut(const node& file, std::mt19937& random, write_order order);

  std::map<std::uint64_t, node> nodes_;
  names synced_names_;
  names names_;
  std::vector<name_change> pending_names_;
};

/// "a/b" of "a/b/c", empty at the root.
std::string parent_of(const std::string& path);

}  // namespace troupe::faults
