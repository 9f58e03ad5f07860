#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>

#include "bench/http/closed_loop.hpp"
#include "bench/http/load_options.hpp"
#include "bench/http/process_cpu.hpp"
#include "bench/http/unread_count.hpp"
#include "cli/flash_sale/sale.hpp"
#include "cli/flash_sale/statistics.hpp"

/// Puts an HTTP server under load from one thread and says what it did, as words that a script reads:
/// `per_second=… p99_us=… server_cpu_ns_per_answer=…`.
namespace {

using namespace troupe;
using namespace troupe::bench;
using clock_type = std::chrono::steady_clock;

void add_options(CLI::App& app, load_options& o) {
  app.add_option("--url", o.url, "http://HOST:PORT")->capture_default_str();
  app.add_option("--connections", o.connections, "Keep-alive connections")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--seconds", o.seconds, "Time that is measured")
      ->check(CLI::Range(0.05, 3'600.0))
      ->capture_default_str();
  app.add_option("--warm-up-seconds", o.warm_up_seconds, "Time before it")
      ->check(CLI::Range(0.0, 60.0))
      ->capture_default_str();
  app.add_option("--method", o.method, "HTTP method")->capture_default_str();
  app.add_option("--target", o.target, "Path and query; {user} is the user behind the token")
      ->capture_default_str();
  app.add_option("--body", o.body, "JSON body; {user} likewise");
  app.add_option("--header", o.headers, "NAME: VALUE, may be repeated");
  auto* file = app.add_option("--token-file", o.token_file, "Lines of TOKEN or TOKEN USER, used in turn")
                   ->check(CLI::ExistingFile);
  auto* data = app.add_option("--data", o.data, "A server's data directory, to mint tokens with its key")
                   ->excludes(file);
  app.add_option("--users", o.users, "How many users to mint tokens for")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_flag("--unique-key", o.unique_key, "A fresh Idempotency-Key in each request");
  app.add_option("--server-pid", o.server_pid, "Measure the CPU time of this process");
  auto* settle = app.add_flag("--settle-unread", o.settle_unread,
                              "Afterwards, wait until the users' unread counts have grown by the tasks that "
                              "were created, and count that time in");
  app.add_flag("--burst", o.burst, "One order on each connection at the same moment, once; needs --sku")
      ->excludes(settle);
  app.add_option("--sku", o.sku, "What the burst buys");
  (void)data;
}

/// The burst is the flash sale without its checks, so the same client is measured in both.
void run_burst(const load_options& o, const client::endpoint& server) {
  if (o.sku.empty()) throw client::environment_error("--burst needs --sku.");
  client::allow_open_sockets(o.connections);
  flash_sale::flash_sale_options sale_options;
  sale_options.sku = o.sku;
  sale_options.buyers = sale_options.users = sale_options.connections =
      static_cast<std::int64_t>(o.connections);
  flash_sale::complete(sale_options);
  const auto token_for =
      o.data.empty()
          ? flash_sale::token_source([](const user_id&, flash_sale::role) { return std::string("none"); })
          : flash_sale::tokens_from(o.data);
  const auto plan = flash_sale::make_plan(sale_options, server, token_for);
  flash_sale::sale_ledger ledger(o.connections);
  flash_sale::progress bar(stderr);
  flash_sale::sale burst(plan, {server}, o.connections,
                         {.answer_timeout = std::chrono::seconds{30}, .seed = sale_options.seed}, ledger,
                         bar);
  burst.open_all();
  const std::int64_t cpu_before = cpu_us(o.server_pid);
  burst.run(nullptr);
  const std::int64_t cpu = cpu_us(o.server_pid) - cpu_before;

  std::int64_t last_us = 0;
  std::int64_t ordered = 0;
  std::int64_t refused = 0;
  for (const auto& outcome : ledger.outcomes()) {
    if (outcome.decided == flash_sale::verdict::unknown) continue;
    ++(outcome.decided == flash_sale::verdict::ordered ? ordered : refused);
    last_us = std::max<std::int64_t>(last_us, outcome.answered_at.count());
  }
  const auto lost = static_cast<std::int64_t>(o.connections) - ordered - refused;
  fmt::print("last_answer_us={} ordered={} refused={} lost={} server_cpu_ns_per_answer={}\n", last_us,
             ordered, refused, lost, cpu * 1'000 / std::max<std::int64_t>(1, ordered + refused));
}

void print(const load_result& r, double seconds, std::int64_t counted) {
  const auto l = flash_sale::summarize(r.latency_us);
  const std::int64_t answers = std::max<std::int64_t>(1, r.answers);
  fmt::print(
      "per_second={:.0f} answers={} successes={} conflicts={} broken={} p50_us={} p90_us={} p99_us={} "
      "max_us={} "
      "server_cpu_ns_per_answer={} client_cpu_ns_per_answer={}\n",
      static_cast<double>(counted) / seconds, r.answers, r.successes, r.conflicts, r.broken, l.p50_us,
      l.p90_us, l.p99_us, l.max_us, r.server_cpu_us * 1'000 / answers, r.client_cpu_us * 1'000 / answers);
}

void run_load(load_options& o, const client::endpoint& server) {
  client::allow_open_sockets(o.connections);
  const auto who = callers(o);
  closed_loop loop(o, server, who);
  if (!o.settle_unread) {
    const auto result = loop.run();
    return print(result, result.seconds, result.successes);
  }
  // What is delivered counts, from the first request on: a warm-up would only lengthen the queue.
  o.warm_up_seconds = 0;
  const std::int64_t before = unread_sum(server, who);
  const std::int64_t cpu_before = cpu_us(o.server_pid);
  const auto from = clock_type::now();
  auto result = loop.run();
  await_unread(server, who, before + result.created_in_all);
  const double seconds = std::chrono::duration<double>(clock_type::now() - from).count();
  result.server_cpu_us = cpu_us(o.server_pid) - cpu_before;
  result.answers = result.created_in_all;
  print(result, seconds, result.created_in_all);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Puts an HTTP server under load and measures its rate, latency and CPU time"};
  load_options options;
  add_options(app, options);
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const auto server = client::resolve(options.url);
    if (options.burst) {
      run_burst(options, server);
    } else {
      run_load(options, server);
    }
    return 0;
  } catch (const client::environment_error& error) {
    fmt::print(stderr, "http_load: {}\n", error.what());
    return 2;
  }
}
