#include "cluster/node/identity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <optional>
#include <sstream>
#include <utility>

#include "cluster/authority/fresh_uuid.hpp"
#include "runtime/base/hash.hpp"
#include "runtime/base/text.hpp"
#include "runtime/store/durable_file.hpp"

namespace troupe {

namespace {

constexpr std::string_view first_lines[] = {"troupe member 1",  // without starts and hash
                                            "troupe member 2",  // without `since`
                                            "troupe member 3"};

/// In the place of the registered start: there was one that nobody wrote down.
constexpr std::string_view unknown = "unknown";

std::string path_of(const std::string& directory) { return directory + "/member"; }

store_error refuse(const std::string& why) { return {store_error::code::suspect, why}; }

std::string to_text(const identity& what, int version = 3) {
  auto out = fmt::format("{}\ncluster {}\ndisk {}\nnode {}\nstarts {} {}", first_lines[version - 1],
                         to_string(what.cluster), to_string(what.disk), what.node_name,
                         what.knows_starts ? to_string(what.registered_start) : std::string{unknown},
                         to_string(what.pending_start));
  if (version >= 3) out += fmt::format("\nsince {}", what.disk_since);
  return out + fmt::format("\nhash {:016x}\n", stable_hash(out));
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
  const auto line = std::find(std::begin(first_lines), std::end(first_lines), first);
  if (line == std::end(first_lines)) return std::nullopt;
  const auto version = static_cast<int>(line - std::begin(first_lines)) + 1;
  const auto cluster = take_line(in, "cluster");
  const auto disk = take_line(in, "disk");
  const auto name = take_line(in, "node");
  const auto cluster_id = cluster ? parse_uuid(*cluster) : std::nullopt;
  const auto disk_id = disk ? parse_uuid(*disk) : std::nullopt;
  if (!cluster_id || !disk_id || !name) return std::nullopt;
  identity out{*disk_id, *cluster_id, *name};
  out.knows_starts = false;
  // It had no hash: whatever follows says that it is another format's.
  if (version == 1) return in.peek() == std::istream::traits_type::eof() ? std::optional{out} : std::nullopt;
  const auto starts = take_line(in, "starts").value_or("");
  const auto space = std::min(starts.find(' '), starts.size());
  const auto last = starts.substr(0, space);
  out.knows_starts = last != unknown;
  const auto registered = out.knows_starts ? parse_uuid(last) : uuid{};
  const auto pending = parse_uuid(starts.substr(std::min(space + 1, starts.size())));
  if (!registered || !pending) return std::nullopt;
  out.registered_start = *registered;
  out.pending_start = *pending;
  if (version >= 3) {
    const auto since = take_line(in, "since").value_or("");
    const auto read = std::from_chars(since.data(), since.data() + since.size(), out.disk_since);
    if (read.ec != std::errc{} || read.ptr != since.data() + since.size()) return std::nullopt;
  }
  return to_text(out, version) == bytes ? std::optional{out} : std::nullopt;  // the hash is part of that
}

}  // namespace

const uuid& identity::begin_start() {
  if (pending_start.is_nil()) pending_start = fresh_uuid();
  return pending_start;
}

void identity::confirm_start() {
  registered_start = std::exchange(pending_start, {});
  knows_starts = true;
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
  if (!content) {
    identity made{fresh_uuid(), {}, node_name};
    made.is_new = true;
    return made;
  }
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
