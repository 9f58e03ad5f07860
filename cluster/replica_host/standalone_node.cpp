#include "cluster/replica_host/standalone_node.hpp"

#include "cluster/authority/standalone.hpp"
#include "cluster/replica_host/replica_record.hpp"
#include "runtime/store/durable_file.hpp"

namespace troupe {

namespace {

/// What the shards know of the authority: it must know no less.
standalone_seen seen_by(const recovered_shard& found) {
  const auto meta = decode_replica_record(found.meta).value_or(replication::replica_meta{});
  return {meta.revision, std::max(meta.epoch, found.last_epoch())};
}

}  // namespace

standalone_node::~standalone_node() {
  node_.reset();
  reader_.reset();
}

std::variant<std::unique_ptr<standalone_node>, store_error> standalone_node::start(
    const node_options& options, const kind_registry& kinds, const clock_source& clock) {
  std::unique_ptr<standalone_node> out{new standalone_node};
  auto started = node::start(options, kinds, clock, [&](const node::opened_directory& opened) {
    return out->replicate(opened, options.disk);
  });
  if (const auto* fault = std::get_if<store_error>(&started)) return *fault;
  out->node_ = std::move(std::get<std::unique_ptr<node>>(started));
  return out;
}

/// The authority comes after the store, so one beside a store that nobody has used is of a store that is
/// gone.
std::optional<store_error> standalone_node::adopt(const node::opened_directory& directory,
                                                  const std::shared_ptr<rocksdb::FileSystem>& disk) {
  if (directory.is_blank()) {
    const auto authority = read_file(disk, directory.path + "/authority");
    if (const auto* fault = std::get_if<std::string>(&authority))
      return store_error{store_error::code::io, *fault};
    if (std::get<std::optional<file_content>>(authority))
      return store_error{store_error::code::suspect,
                         directory.path +
                             " has a file `authority`, so it was served from before, and its store is "
                             "empty: what it held is gone. Put the store back, or move the whole "
                             "directory away to begin anew; nothing was changed"};
  }
  if (directory.owner.empty()) directory.set_owner("serve");
  return std::nullopt;
}

std::variant<node::replica_parts, store_error> standalone_node::replicate(
    const node::opened_directory& directory, const std::shared_ptr<rocksdb::FileSystem>& disk) {
  if (auto fault = adopt(directory, disk)) return *fault;
  auto opened = open_standalone(directory.path, directory.found, disk);
  if (const auto* fault = std::get_if<store_error>(&opened)) return *fault;
  auto& decides = std::get<std::unique_ptr<standalone_authority>>(opened);
  replicas_.self = decides->self();
  // Nobody else changes anything.
  replicas_.options.config_interval = std::chrono::seconds{30};
  authority_ = std::move(decides);
  reader_ = std::make_unique<authority_reader>(*authority_);
  replicas_.decides = authority_.get();
  replicas_.reader = reader_.get();
  return node::replica_parts{[this](replica_place place) -> std::unique_ptr<shard_replica> {
                               return std::make_unique<replica_host>(std::move(place), replicas_);
                             },
                             nullptr};
}

std::variant<std::unique_ptr<standalone_authority>, store_error> open_standalone(
    const std::string& directory, const std::vector<recovered_shard>& found,
    const std::shared_ptr<rocksdb::FileSystem>& disk) {
  standalone_options options;
  options.directory = directory;
  options.disk = disk;
  options.shard_count = static_cast<std::uint32_t>(found.size());
  if (auto fault = refuse_replicas(found)) return *fault;
  for (const auto& shard : found) options.seen.push_back(seen_by(shard));
  auto opened = standalone_authority::open(options);
  if (!opened.authority) return store_error{store_error::code::suspect, opened.error};
  return std::move(opened.authority);
}

}  // namespace troupe
