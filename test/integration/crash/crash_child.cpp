#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "actors/kinds.hpp"
#include "cluster/replica_host/standalone_node.hpp"
#include "test/integration/crash/blocking_client.hpp"
#include "test/integration/crash/crash_script.hpp"

/// crash_child DIRECTORY FIRST: runs commands FIRST, FIRST+1, … and prints a line for each that was
/// acknowledged, until it is killed.
namespace {

using namespace troupe;

void say(const std::string& line) {
  const auto written = ::write(STDOUT_FILENO, line.data(), line.size());
  if (written != static_cast<ssize_t>(line.size())) std::_Exit(3);
}

void define_skus(crash::blocking_client& client) {
  for (std::uint64_t i = 0; i < crash::skus; ++i) {
    command what;
    what.target = {sku::kind::options.id, crash::sku_of(i)};
    what.message = sku::kind::number_of<sku::define>();
    sku::define define;
    define.name = "a phone";
    define.stock = crash::stock;
    what.body = encode(define);
    if (client.ask(std::move(what)).status != reply_status::ok) std::_Exit(4);
  }
}

/// "order N ARRIVAL" or "task N": one write each, so that a line is whole or absent.
std::string line_for(std::uint64_t n, const reply& r) {
  if (r.status != reply_status::ok)
    return "refused " + std::to_string(n) + " " + std::to_string(static_cast<int>(r.status)) + "\n";
  if (!crash::is_order(n)) return "task " + std::to_string(n) + "\n";
  sku::receipt receipt;
  if (!decode(r.bytes, receipt)) std::_Exit(5);
  return "order " + std::to_string(n) + " " + std::to_string(receipt.arrival()) + "\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto kinds = all_kinds();
  const system_clock clock;
  node_options options;
  options.data_directory = argv[1];
  options.shard_count = 8;
  const auto before = std::chrono::steady_clock::now();
  auto started = standalone_node::start(options, kinds, clock);
  if (const auto* fault = std::get_if<store_error>(&started)) {
    std::fprintf(stderr, "crash_child: %s\n", fault->message.c_str());
    return 1;
  }
  auto& runtime = std::get<std::unique_ptr<standalone_node>>(started)->runtime();
  crash::blocking_client client{runtime};
  define_skus(client);
  say("ready " +
      std::to_string(
          std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - before)
              .count()) +
      "\n");
  std::size_t in_flight = 0;
  for (std::uint64_t n = std::strtoull(argv[2], nullptr, 10);; ++n) {
    ++in_flight;
    client.submit(crash::numbered_command(n), [n, &in_flight](reply&& r) {
      --in_flight;
      say(line_for(n, r));
    });
    while (in_flight >= 64) client.wait();
  }
}
