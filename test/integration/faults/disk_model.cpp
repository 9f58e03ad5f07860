#include "test/integration/faults/disk_model.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "runtime/base/assert.hpp"

namespace troupe::faults {

namespace fs = std::filesystem;

namespace {

/// RocksDB relies on what every journaling file system does, that the changes of one directory survive in
/// order: a new store's CURRENT is renamed before the creation of its MANIFEST is synced.
constexpr const char* ordered_directory = "data/store";

/// What a power cut keeps of what was not synced. One choice for a file or directory, so that nothing and all
/// come up often and not only what lies between.
enum class survival { nothing, everything, some };

survival choose(std::mt19937& random) { return static_cast<survival>(random() % 3); }

void put(std::string& content, std::uint64_t offset, std::string_view bytes) {
  if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size());
  content.replace(offset, bytes.size(), bytes);
}

}  // namespace

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string{} : path.substr(0, slash);
}

const char* to_string(disk_step::action what) {
  switch (what) {
    case disk_step::action::create:
      return "create";
    case disk_step::action::write:
      return "write";
    case disk_step::action::truncate:
      return "truncate";
    case disk_step::action::sync:
      return "sync";
    case disk_step::action::rename:
      return "rename";
    case disk_step::action::remove:
      return "remove";
    case disk_step::action::make_directory:
      return "make directory";
    case disk_step::action::sync_directory:
      return "sync directory";
    case disk_step::action::note:
      return "note";
  }
  return "?";
}

void disk_image::write_to(const std::string& root) const {
  for (const auto& old : fs::directory_iterator{root}) fs::remove_all(old.path());
  for (const auto& directory : directories) fs::create_directory(fs::path{root} / directory);
  for (const auto& [path, content] : files) {
    std::ofstream out{fs::path{root} / path, std::ios::binary};
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
    TROUPE_ASSERT(out.good(), "cannot write " + path);
  }
}

disk_image disk_image::read_from(const std::string& root) {
  disk_image image;
  for (const auto& one : fs::recursive_directory_iterator{root}) {
    const auto path = fs::relative(one.path(), root).string();
    if (is_left_out(path)) continue;
    if (one.is_directory()) {
      image.directories.insert(path);
      continue;
    }
    std::ifstream in{one.path(), std::ios::binary};
    std::stringstream text;
    text << in.rdbuf();
    image.files[path] = text.str();
  }
  return image;
}

std::map<std::string, std::uint64_t> disk_image::numbers() const {
  std::map<std::string, std::uint64_t> out;
  for (const auto& directory : directories) out.emplace(directory, out.size() + 1);
  for (const auto& file : files) out.emplace(file.first, out.size() + 1);
  return out;
}

bool is_left_out(const std::string& path) {
  const auto name = path.substr(path.rfind('/') + 1);
  return name.starts_with("LOG") || name == "LOCK";
}

disk_model::disk_model(const disk_image& base) : names_(base.numbers()) {
  for (const auto& directory : base.directories) nodes_[names_.at(directory)] = {true, {}, {}};
  for (const auto& [path, content] : base.files) nodes_[names_.at(path)] = {false, content, {}};
  synced_names_ = names_;
}

void disk_model::change(names& in, const name_change& what) {
  if (!what.removed.empty()) in.erase(what.removed);
  if (!what.added.empty()) in[what.added] = what.file;
}

void disk_model::apply(const disk_step& step) {
  const auto rename_or_make = [&](name_change what) {
    change(names_, what);
    pending_names_.push_back(std::move(what));
  };
  using action = disk_step::action;
  switch (step.what) {
    case action::create:
    case action::make_directory:
      nodes_[step.file].is_directory = step.what == action::make_directory;
      return rename_or_make({parent_of(step.path), {}, step.path, step.file});
    case action::write:
      nodes_.at(step.file).pending.push_back({false, step.offset, step.bytes});
      return;
    case action::truncate:
      nodes_.at(step.file).pending.push_back({true, step.offset, {}});
      return;
    case action::sync: {
      auto& file = nodes_.at(step.file);
      for (const auto& one : file.pending) {
        one.is_truncate ? file.synced.resize(one.offset) : put(file.synced, one.offset, one.bytes);
      }
      file.pending.clear();
      return;
    }
    case action::rename:
      TROUPE_ASSERT(parent_of(step.path) == parent_of(step.target), "renamed into another directory");
      return rename_or_make({parent_of(step.path), step.path, step.target, names_.at(step.path)});
    case action::remove:
      return rename_or_make({parent_of(step.path), step.path, {}, 0});
    case action::sync_directory:
      for (const auto& one : pending_names_) {
        if (one.directory == step.path) change(synced_names_, one);
      }
      std::erase_if(pending_names_, [&](const auto& one) { return one.directory == step.path; });
      return;
    case action::note:
      return;
  }
}

std::string disk_model::content_after_cut(const node& file, std::mt19937& random, write_order order) {
  auto content = file.synced;
  const auto how = file.pending.empty() ? survival::nothing : choose(random);
  if (how == survival::nothing) return content;
  auto keep = file.pending.size();
  auto torn = std::string::npos;
  if (how == survival::some && order == write_order::kept) {
    keep = 1 + random() % keep;
    torn = random() % (file.pending[keep - 1].bytes.size() + 1);
  }
  for (std::size_t i = 0; i < keep; ++i) {
    const auto& one = file.pending[i];
    if (how == survival::some && order == write_order::lost && random() % 3 == 0) continue;
    if (one.is_truncate) {
      content.resize(one.offset);
    } else {
      put(content, one.offset,
          std::string_view{one.bytes}.substr(0, i + 1 == keep ? torn : one.bytes.size()));
    }
  }
  return content;
}

disk_image disk_model::image_of(const names& in, std::mt19937& random, write_order order) const {
  disk_image image;
  // In order of their names a directory comes before what is in it.
  for (const auto& [path, number] : in) {
    const auto parent = parent_of(path);
    if (!parent.empty() && !image.directories.contains(parent)) continue;
    const auto& entry = nodes_.at(number);
    if (entry.is_directory) {
      image.directories.insert(path);
    } else {
      image.files[path] = content_after_cut(entry, random, order);
    }
  }
  return image;
}

disk_image disk_model::power_cut(std::mt19937& random, write_order order) const {
  auto left = synced_names_;
  const auto how = choose(random);
  bool is_lost_from_here = false;
  for (const auto& one : pending_names_) {
    const bool survives = how == survival::everything || (how == survival::some && random() % 4 != 0);
    if (one.directory == ordered_directory) {
      is_lost_from_here = is_lost_from_here || !survives;
      if (!is_lost_from_here) change(left, one);
    } else if (survives) {
      change(left, one);
    }
  }
  return image_of(left, random, order);
}

}  // namespace troupe::faults
