#include "cli/status.hpp"

#include <fmt/core.h>
#include <httplib.h>

#include <boost/json.hpp>
#include "cli/command.hpp"

#include "cli/terminal.hpp"

namespace troupe::cli {
namespace {

/// "syncUsMax" as "sync us max".
std::string in_words(std::string_view camel) {
  std::string out;
  for (const char c : camel) {
    if (c >= 'A' && c <= 'Z') {
      out.push_back(' ');
      out.push_back(static_cast<char>(c - 'A' + 'a'));
    } else {
      out.push_back(c);
    }
  }
  return out;
}

void print_rows(const boost::json::object& figures, const std::string& indent) {
  for (const auto& [name, value] : figures) {
    if (value.is_object()) {
      fmt::print("{}{}\n", indent, in_words(name));
      print_rows(value.get_object(), indent + "  ");
    } else {
      const auto text = value.is_array()    ? std::to_string(value.get_array().size())
                        : value.is_string() ? std::string{value.get_string()}
                                            : boost::json::serialize(value);
      fmt::print("{}{:<{}}{:>16}\n", indent, in_words(name), 28 - indent.size(), text);
    }
  }
}

}  // namespace

CLI::App* add_status_command(CLI::App& program, status_options& options) {
  auto* command = add_command(program, "status", "Show what a running server does");
  command->add_option("--ops-url", options.ops_url, "Its operations port")->capture_default_str();
  command->add_flag("--json", options.json, "One JSON object on stdout");
  auto* etcd = command->add_option("--etcd", options.cluster.etcd,
                                   "Show a cluster instead: URLs of its etcd's members, separated by commas");
  etcd->delimiter(',');
  command->add_option("--cluster", options.cluster.cluster, "The cluster's name in etcd")
      ->needs(etcd)
      ->capture_default_str();
  command
      ->add_option("--entity", options.entity, "Only the name of the node that runs this entity (kind/key)")
      ->needs(etcd);
  command->callback([&options, etcd] { options.is_cluster = etcd->count() > 0; });
  command->footer(
      "Examples:\n"
      "  troupe status --ops-url http://127.0.0.1:9090\n"
      "  troupe status --etcd http://127.0.0.1:2379 --cluster troupe\n"
      "  troupe status --etcd http://127.0.0.1:2379 --entity sku/phone");
  return command;
}

int run_status(const status_options& options) {
  if (options.is_cluster) return run_cluster_status(options);
  httplib::Client client{options.ops_url};
  client.set_connection_timeout(2);
  client.set_read_timeout(5);
  const auto ready = client.Get("/readyz");
  const auto stats = client.Get("/stats");
  if (!ready || !stats) {
    fmt::print(stderr,
               "No answer from {}. Is the server running, and is that its operations port (--ops-port)?\n",
               options.ops_url);
    return 2;
  }
  const bool is_ready = ready->status == 200;
  boost::json::error_code fault;
  auto figures = boost::json::parse(stats->body, fault);
  if (fault || !figures.is_object()) {
    fmt::print(stderr, "{}/stats did not answer with JSON.\n", options.ops_url);
    return 2;
  }
  if (options.json) {
    figures.get_object()["ready"] = is_ready;
    fmt::print("{}\n", boost::json::serialize(figures));
  } else {
    const bool colour = look_at(stdout).colour;
    fmt::print("{}{}{}\n", colour ? (is_ready ? "\033[32m" : "\033[33m") : "",
               is_ready ? "ready" : "not ready", colour ? "\033[0m" : "");
    print_rows(figures.get_object(), "");
  }
  return is_ready ? 0 : 1;
}

}  // namespace troupe::cli
