#include "cluster/node/identity.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <sstream>

#include "cluster/authority/fresh_uuid.hpp"
#include "runtime/base/hash.hpp"
#include "runtime/base/text.hpp"
#include "runtime/store/durable_file.hpp"

namespace troupe {

namespace {

constexpr std::string_view first_line = "troupe member 2";
constexpr std::string_view first_line_before = "troupe member 1";  // without starts and hash
constexpr std::size_t starts_max = 16;

std::string path_of(const std::string& directory) { return directory + "/member"; }

store_error refuse(const std::string& why) { return {store_error::code::suspect, why}; }

std::string to_text(const identity& what) {
  auto out = std::string{first_line} + "\ncluster " + to_string(what.cluster) + "\ndisk " +
             to_string(what.disk) + "\nnode " + what.node_name + "\nstarts";
  for (const auto& one : what.starts.value_or(std::vector<uuid>{})) out += " " + to_string(one);
  return out + fmt::format("\nhash {:016x}\n", stable_hash(out));
}

std::optional<std::vector<uuid>> parse_starts(const std::string& words) {
  std::istringstream in{words};
  std::vector<uuid> out;
  for (std::string word; in >> word;) {
    const auto id = parse_uuid(word);
    if (!id || out.size() == starts_max) return std::nullopt;
    out.push_back(*id);
  }
  return out;
}

/// What stands behind `name` and a space; none: another line.
std::optional<std::string> take_line(std::istream& in, std::string_view name) {
  std::string line;
  if (!std::getline(in, line) || !line.starts_with(name) || line.size() <= name.size()) return std::nullopt;
  return line.substr(name.size() + 1);
}

std::optional<identity> parse(const std::string& bytes) {
  std::istringstream in{bytes};
  std::string first;
  std::getline(in, first);
  if (first != first_line && first != first_line_before) return std::nullopt;
  const auto cluster = take_line(in, "cluster");
  const auto disk = take_line(in, "disk");
  const auto name = take_line(in, "node");
  const auto cluster_id = cluster ? parse_uuid(*cluster) : std::nullopt;
  const auto disk_id = disk ? parse_uuid(*disk) : std::nullopt;
  if (!cluster_id || !disk_id || !name) return std::nullopt;
  identity out{*disk_id, *cluster_id, *name, std::nullopt};
  if (first == first_line_before) return out;
  const auto starts = take_line(in, "starts");
  out.starts = starts ? parse_starts(*starts) : std::nullopt;
  const bool is_whole = out.starts && to_text(out) == bytes;  // the hash is part of that
  return is_whole ? std::optional{out} : std::nullopt;
}

}  // namespace

uuid identity::begin_start() {
  auto& known = starts ? *starts : starts.emplace();
  known.push_back(fresh_uuid());
  if (known.size() > starts_max) known.erase(known.begin() + 1);
  return known.back();
}

std::variant<identity, store_error> load_identity(const std::string& directory,
                                                  const std::string& node_name) {
  if (std::filesystem::exists(directory + "/authority"))
    return refuse(directory +
                  " belongs to `troupe serve`, which is its own authority; a node of a cluster needs "
                  "a directory of its own");
  auto read = read_file(nullptr, path_of(directory));
  if (const auto* fault = std::get_if<std::string>(&read)) return refuse(*fault);
  const auto& content = std::get<std::optional<file_content>>(read);
  if (!content) return identity{fresh_uuid(), {}, node_name, std::vector<uuid>{}};
  auto found = parse(content->bytes);
  if (!found) return refuse(path_of(directory) + " is damaged; nothing was changed");
  if (found->node_name != node_name)
    return refuse(directory + " belongs to the node `" + found->node_name + "`, not to `" + node_name + "`");
  return *found;
}

std::optional<store_error> save_identity(const std::string& directory, const identity& what) {
  if (const auto fault = replace_file(path_of(directory), to_text(what)))
    return store_error{store_error::code::io, *fault};
  return std::nullopt;
}

}  // namespace troupe
