#include "cluster/node/identity.hpp"

#include <filesystem>
#include <sstream>

#include "cluster/authority/fresh_uuid.hpp"
#include "runtime/base/text.hpp"
#include "runtime/store/durable_file.hpp"

namespace troupe {

namespace {

constexpr std::string_view first_line = "troupe member 1";

std::string path_of(const std::string& directory) { return directory + "/member"; }

store_error refuse(const std::string& why) { return {store_error::code::suspect, why}; }

std::variant<identity, store_error> parse(const std::string& path, const std::string& bytes) {
  std::istringstream in{bytes};
  std::string line;
  std::string cluster;
  std::string disk;
  identity out;
  std::getline(in, line);
  std::getline(in, cluster);
  std::getline(in, disk);
  std::getline(in, out.node_name);
  const auto is_whole = line == first_line && cluster.starts_with("cluster ") && disk.starts_with("disk ") &&
                        out.node_name.starts_with("node ");
  const auto cluster_id = is_whole ? parse_uuid(cluster.substr(8)) : std::nullopt;
  const auto disk_id = is_whole ? parse_uuid(disk.substr(5)) : std::nullopt;
  if (!cluster_id || !disk_id) return refuse(path + " is damaged; nothing was changed");
  out.cluster = *cluster_id;
  out.disk = *disk_id;
  out.node_name = out.node_name.substr(5);
  return out;
}

}  // namespace

std::variant<identity, store_error> load_identity(const std::string& directory,
                                                  const std::string& node_name) {
  if (std::filesystem::exists(directory + "/authority"))
    return refuse(directory +
                  " belongs to `troupe serve`, which is its own authority; a node of a cluster needs "
                  "a directory of its own");
  auto read = read_file(nullptr, path_of(directory));
  if (const auto* fault = std::get_if<std::string>(&read)) return refuse(*fault);
  const auto& content = std::get<std::optional<file_content>>(read);
  if (!content) return identity{fresh_uuid(), {}, node_name};
  auto found = parse(path_of(directory), content->bytes);
  if (const auto* known = std::get_if<identity>(&found); known != nullptr && known->node_name != node_name)
    return refuse(directory + " belongs to the node `" + known->node_name + "`, not to `" + node_name + "`");
  return found;
}

std::optional<store_error> save_identity(const std::string& directory, const identity& what) {
  const auto content = std::string{first_line} + "\ncluster " + to_string(what.cluster) + "\ndisk " +
                       to_string(what.disk) + "\nnode " + what.node_name + "\n";
  if (const auto fault = replace_file(path_of(directory), content))
    return store_error{store_error::code::io, *fault};
  return std::nullopt;
}

}  // namespace troupe
