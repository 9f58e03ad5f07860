#include "cluster/history/replica_file.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "cluster/history/records.hpp"

namespace troupe::history {
namespace {

namespace fs = std::filesystem;

enum class tag : std::uint8_t { entry = 1, sku = 2, order = 3, end = 4 };

/// One record of a dump. True at its end.
bool read_record(byte_reader& in, replica_dump& out) {
  switch (tag{in.u8()}) {
    case tag::entry:
      read_entry(in, out.entries.emplace_back());
      return false;
    case tag::sku:
      read_rows(in, out.skus.emplace_back());
      return false;
    case tag::order:
      read_order(in, out.orders.emplace_back());
      return false;
    case tag::end:
      out.node = static_cast<std::uint32_t>(in.varint());
      out.shard = static_cast<std::uint32_t>(in.varint());
      out.commit = in.varint();
      out.applied = in.varint();
      out.digest = in.varint();
      return true;
  }
  in.fail();
  return false;
}

std::optional<std::string> read_operations(const std::string& path, std::vector<operation>& out) {
  std::int64_t last_ns = 0;
  return read_blocks(path, operations_title, [&](byte_reader& in) {
    while (in.ok() && !in.at_end()) read_operation(in, out.emplace_back(), last_ns);
  });
}

std::optional<std::string> read_setup(const std::string& path, std::vector<sku_setup>& out) {
  std::ifstream in{path, std::ios::binary};
  if (!in) return "cannot read " + path + ": is this the directory of a history?";
  std::stringstream text;
  text << in.rdbuf();
  auto skus = setup_from_json(text.str());
  if (!skus) return path + " is not the setup of a history, or of another format";
  out = std::move(*skus);
  return std::nullopt;
}

std::string file_name(std::uint32_t node, std::uint32_t shard) {
  return "replica-" + std::to_string(node) + "-" + std::to_string(shard);
}

}  // namespace

replica_writer::replica_writer(const std::string& directory, std::uint32_t node, std::uint32_t shard)
    : file_(directory + "/" + file_name(node, shard), replica_title), node_(node), shard_(shard) {}

void replica_writer::add(const log_entry& entry) {
  file_.record().u8(static_cast<std::uint8_t>(tag::entry));
  write_entry(file_.record(), entry);
  file_.end_record();
}

void replica_writer::add(const sku_rows& rows) {
  file_.record().u8(static_cast<std::uint8_t>(tag::sku));
  write_rows(file_.record(), rows);
  file_.end_record();
}

void replica_writer::add(const order_row& row) {
  file_.record().u8(static_cast<std::uint8_t>(tag::order));
  write_order(file_.record(), row);
  file_.end_record();
}

bool replica_writer::finish(std::uint64_t commit, std::uint64_t applied, std::uint64_t digest) {
  auto& out = file_.record();
  out.u8(static_cast<std::uint8_t>(tag::end));
  out.varint(node_);
  out.varint(shard_);
  out.varint(commit);
  out.varint(applied);
  out.varint(digest);
  file_.flush();
  return fault().empty();
}

void write_replica(const std::string& directory, const replica_dump& dump) {
  replica_writer file{directory, dump.node, dump.shard};
  for (const auto& entry : dump.entries) file.add(entry);
  for (const auto& rows : dump.skus) file.add(rows);
  for (const auto& row : dump.orders) file.add(row);
  file.finish(dump.commit, dump.applied, dump.digest);
}

std::optional<std::string> read_replica(const std::string& path, replica_dump& out) {
  bool has_ended = false;
  auto why = read_blocks(path, replica_title, [&](byte_reader& in) {
    while (in.ok() && !in.at_end() && !has_ended) has_ended = read_record(in, out);
  });
  if (!why && !has_ended) why = path + " is not finished: its end is missing";
  const auto named = file_name(out.node, out.shard);
  if (!why && !path.ends_with("/" + named)) why = path + " holds what belongs into " + named;
  return why;
}

std::optional<std::string> read_history(const std::string& directory, recorded_history& out) {
  if (auto why = read_setup(directory + "/setup.json", out.skus)) return why;
  std::vector<std::string> names;
  std::error_code fault;
  for (const auto& file : fs::directory_iterator{directory, fault}) names.push_back(file.path().filename());
  if (fault) return "cannot read " + directory + ": " + fault.message();
  std::sort(names.begin(), names.end());
  for (const auto& name : names) {
    const auto path = directory + "/" + name;
    std::optional<std::string> why;
    if (name.starts_with("operations-")) why = read_operations(path, out.operations);
    if (name.starts_with("replica-")) why = read_replica(path, out.replicas.emplace_back());
    if (why) return why;
  }
  return std::nullopt;
}

}  // namespace troupe::history
