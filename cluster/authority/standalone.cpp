#include "cluster/authority/standalone.hpp"

#include <algorithm>
#include <optional>
#include <variant>

#include "cluster/authority/fresh_uuid.hpp"
#include "runtime/base/assert.hpp"
#include "runtime/store/durable_file.hpp"

namespace troupe {
namespace {

constexpr node_id only_node{1};
constexpr std::size_t tasks_max = 4096;

/// What the file holds, or why it cannot be used. A directory that has none yet gets a new cluster.
std::variant<standalone_record, std::string> load(const std::string& file,
                                                  const standalone_options& options) {
  const auto shard_count = options.shard_count;
  const auto read = read_file(options.disk, file);
  if (const auto* why = std::get_if<std::string>(&read)) return *why;
  const auto& text = std::get<std::optional<file_content>>(read);
  if (!text) {
    const bool had_one = std::any_of(options.seen.begin(), options.seen.end(),
                                     [](const standalone_seen& s) { return s.revision > 0; });
    if (had_one) return file + " is missing; put it back from where the rest of the directory is from";
    standalone_record fresh{.format = standalone_format, .cluster = fresh_uuid(), .disk = fresh_uuid()};
    for (std::uint32_t shard = 0; shard < shard_count; ++shard) fresh.shards.push_back({.shard = shard});
    return fresh;
  }
  auto record = standalone_from_file(text->bytes);
  if (!record)
    return file + " is damaged, or no troupe authority file; put back the one that belongs to this directory";
  if (record->format > standalone_format)
    return file + " has format " + std::to_string(record->format) + ", this troupe knows up to " +
           std::to_string(standalone_format) + "; run a newer troupe";
  if (record->shards.size() != shard_count)
    return file + " was made with " + std::to_string(record->shards.size()) + " shards, not " +
           std::to_string(shard_count) + "; the count never changes";
  record->format = standalone_format;
  return std::move(*record);
}

/// This run as the primary and only member of a new epoch.
shard_config taken_over(const shard_config& before, member by) {
  return {.generation = before.generation,
          .epoch = before.epoch + 1,
          .primary = by,
          .in_sync = {by},
          .replicas = {by.node},
          .min_in_sync = 1,
          .written_by = fresh_uuid()};
}

/// Empty: done. The configs of all shards move on together, at one revision, like everything of a start.
std::string start_run(standalone_record& record, const std::vector<standalone_seen>& seen) {
  for (const auto& shard : record.shards)
    if (record.revision < shard.revision)
      return "it is damaged: its revision is " + std::to_string(record.revision) + ", and that of shard " +
             std::to_string(shard.shard) + " is " + std::to_string(shard.revision);
  record.run = ++record.revision;
  for (std::uint32_t i = 0; i < record.shards.size(); ++i) {
    auto& shard = record.shards[i];
    const bool is_new = shard.config.empty();
    auto before = is_new ? shard_config{} : shard_config_from_json(shard.config);
    if (!before || shard.shard != i) return "the config of shard " + std::to_string(i) + " cannot be read";
    if (i < seen.size()) {
      // A log that is older than the file counts its epochs on.
      if (is_new) before->epoch = seen[i].epoch;
      if (before->epoch < seen[i].epoch || shard.revision < seen[i].revision)
        return "it is older than the log of shard " + std::to_string(i) +
               "; put back the one that belongs to this directory";
    }
    shard.config = to_json(taken_over(*before, {only_node, record.run}));
    shard.revision = record.revision;
  }
  return {};
}

}  // namespace

standalone_authority::opened standalone_authority::open(const standalone_options& options) {
  const auto file = options.directory + "/authority";
  auto loaded = load(file, options);
  if (const auto* why = std::get_if<std::string>(&loaded)) return {nullptr, *why};
  auto& record = std::get<standalone_record>(loaded);
  if (const auto why = start_run(record, options.seen); !why.empty()) return {nullptr, file + ": " + why};
  if (const auto why = replace_file(options.disk, file, to_file(record))) return {nullptr, *why};
  return {
      std::unique_ptr<standalone_authority>{new standalone_authority{file, std::move(record), options.disk}},
      {}};
}

standalone_authority::standalone_authority(std::string file, standalone_record record,
                                           std::shared_ptr<rocksdb::FileSystem> disk)
    : file_(std::move(file)),
      disk_(std::move(disk)),
      record_(std::move(record)),
      worker_([this] { work(); }) {}

standalone_authority::~standalone_authority() {
  {
    const std::lock_guard lock{mutex_};
    is_stopping_ = true;
  }
  task_came_.notify_one();
  worker_.join();
}

void standalone_authority::work() {
  std::unique_lock lock{mutex_};
  while (true) {
    task_came_.wait(lock, [this] { return is_stopping_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    const auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

void standalone_authority::submit(std::function<void()> task) {
  {
    const std::lock_guard lock{mutex_};
    // One process asks, a call a shard and seldom: more than this is a loop that does not wait for answers.
    TROUPE_ASSERT(tasks_.size() < tasks_max, "the authority is asked faster than it answers");
    if (is_stopping_) return;
    tasks_.push_back(std::move(task));
  }
  task_came_.notify_one();
}

member standalone_authority::self() const { return {only_node, record_.run}; }

stored_config standalone_authority::config_of(const stored_shard_record& shard) const {
  auto config = shard_config_from_json(shard.config);
  TROUPE_ASSERT(config, "shard " + std::to_string(shard.shard) + ": a config that was written is none");
  return {static_cast<shard_id>(shard.shard), shard.revision, std::move(*config)};
}

void standalone_authority::read_all(std::function<void(read_result)> done) {
  submit([this, done = std::move(done)] {
    read_result out{.ok = true, .configs = {}, .error = {}};
    for (const auto& shard : record_.shards) out.configs.push_back(config_of(shard));
    done(std::move(out));
  });
}

void standalone_authority::cas(shard_id shard, std::uint64_t expected_revision, const shard_config& proposed,
                               std::function<void(cas_result)> done) {
  const auto fault = fault_in(proposed);
  TROUPE_ASSERT(fault.empty(), "shard " + std::to_string(shard) + ": " + fault);
  submit([this, shard, expected_revision, proposed, done = std::move(done)] {
    done(apply(shard, expected_revision, proposed));
  });
}

void standalone_authority::save() const {
  const auto why = replace_file(disk_, file_, to_file(record_));
  TROUPE_ASSERT(!why, "the authority's file could not be written: " + why.value_or(""));
}

cas_result standalone_authority::apply(shard_id shard, std::uint64_t expected_revision,
                                       const shard_config& proposed) {
  TROUPE_ASSERT(shard < record_.shards.size(), "there is no shard " + std::to_string(shard));
  auto& held = record_.shards[shard];
  // As with etcd: who is in sync must be a run that the authority knows as the latest of its node.
  const bool is_known = std::all_of(proposed.in_sync.begin(), proposed.in_sync.end(),
                                    [this](const member& m) { return m == self(); });
  if (held.revision != expected_revision || !is_known) return {cas_outcome::conflict, config_of(held)};
  held.revision = ++record_.revision;
  held.config = to_json(proposed);
  save();
  return {cas_outcome::won, {shard, held.revision, proposed}};
}

void standalone_authority::register_node(const node_profile& profile,
                                         std::function<void(registration_result)> done) {
  submit([this, profile, done = std::move(done)] {
    registration_result out{.outcome = registration_outcome::registered,
                            .cluster = record_.cluster,
                            .self = self(),
                            .disk_is_new = false,
                            .error = {}};
    const bool is_other = !profile.cluster.is_nil() && profile.cluster != record_.cluster;
    if (is_other || profile.shard_count != record_.shards.size()) {
      out = {};
      out.outcome = registration_outcome::refused;
      out.error = is_other ? "the data directory belongs to another cluster"
                           : "the cluster has another number of shards";
    } else if (record_.node != profile.name) {
      record_.node = profile.name;
      save();
    }
    done(std::move(out));
  });
}

void standalone_authority::read_nodes(std::function<void(nodes_result)> done) {
  submit([this, done = std::move(done)] {
    nodes_result out;
    out.ok = true;
    out.cluster = record_.cluster;
    out.shard_count = static_cast<std::uint32_t>(record_.shards.size());
    out.nodes.push_back({record_.node, self(), record_.disk, {}, {}, {}});
    done(std::move(out));
  });
}

}  // namespace troupe
