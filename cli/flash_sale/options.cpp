#include "cli/flash_sale/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <random>

#include "cli/command.hpp"
#include "cli/flash_sale/client/endpoint.hpp"

namespace troupe::flash_sale {
namespace {

constexpr const char* description =
    "Sell a limited stock to many buyers at the same moment, then check that nothing was oversold, lost or "
    "doubled";

constexpr const char* footer = R"(Examples:
  troupe flash-sale --data ./data
      10,000 buyers for 1,000 units at the server on this machine
  troupe flash-sale --data ./data --buyers 2000 --stock 50 --per-user-limit 1 --users 500 --html sale.html
      four tries an account, one unit each at most, and a page to look at
  troupe flash-sale --data ./data --retry-lost --kill-at 0.03 \
      --kill-server troupe.pid --restart-command "troupe serve --data ./data --pid-file troupe.pid"
      kill -9 the server when 3 % of the answers are in, start it again, and go on with the same keys

Exit code: 0 every check held, 1 a check failed, 2 the sale could not be run (the message says what to do).)";

}  // namespace

CLI::App* add_flash_sale_command(CLI::App& program, flash_sale_options& o) {
  auto* c = cli::add_command(program, "flash-sale", description);
  c->footer(footer);
  c->add_option("--url", o.url, "Server to buy from; several fronts of a cluster separated by commas")
      ->capture_default_str();
  c->add_option("--data", o.data, "The server's data directory: tokens are minted with its signing key")
      ->capture_default_str();

  const char* sale = "The sale";
  c->add_option("--sku", o.sku, "Name of the SKU, which must have no orders yet (default: a fresh name)")
      ->group(sale);
  c->add_option("--stock", o.stock, "Units for sale")
      ->check(CLI::Range(0L, 1'000'000'000L))
      ->capture_default_str()
      ->group(sale);
  c->add_option("--buyers", o.buyers, "Orders to place")
      ->check(CLI::Range(1L, 10'000'000L))
      ->capture_default_str()
      ->group(sale);
  c->add_option("--users", o.users, "Accounts that the buyers share (default: one each)")
      ->check(CLI::Range(1L, 10'000'000L))
      ->group(sale);
  c->add_option("--quantity", o.quantity, "Units in an order")
      ->check(CLI::Range(1L, 1'000'000L))
      ->capture_default_str()
      ->group(sale);
  c->add_option("--per-user-limit", o.per_user_limit, "Units that one account may buy")
      ->check(CLI::Range(1L, 1'000'000'000L))
      ->group(sale);
  c->add_option("--hold-seconds", o.hold_seconds, "Orders are reservations that expire after this time")
      ->check(CLI::Range(1L, 86'400L))
      ->group(sale);
  c->add_option("--seed", o.seed, "Makes buyers and keys the same again (default: drawn)")->group(sale);

  const char* client = "Connections and retries";
  c->add_option(
       "--connections", o.connections,
       "Keep-alive connections; with fewer than buyers, each serves several in turn (default: one a buyer, "
       "10,000 at most)")
      ->check(CLI::Range(1L, 1'000'000L))
      ->group(client);
  c->add_option("--timeout-seconds", o.timeout_seconds, "How long a buyer waits for an answer")
      ->check(CLI::Range(0.05, 3'600.0))
      ->capture_default_str()
      ->group(client);
  c->add_flag("--retry-lost", o.retry_lost,
              "Repeat what got no answer or a 503, with the same Idempotency-Key")
      ->group(client);
  c->add_option("--retry-seconds", o.retry_seconds, "How long a buyer goes on repeating")
      ->check(CLI::Range(0.0, 3'600.0))
      ->capture_default_str()
      ->group(client);

  const char* kill = "Killing the server";
  auto* pid = c->add_option("--kill-server", o.kill_pid_file,
                            "kill -9 the process named in this file, in the middle of the sale")
                  ->type_name("PID_FILE")
                  ->group(kill);
  auto* restart =
      c->add_option("--restart-command", o.restart_command,
                    "Shell command that starts the server on the same data and writes PID_FILE; its output "
                    "goes to PID_FILE.restart.log")
          ->group(kill);
  c->add_option(
       "--kill-at", o.kill_at,
       "Share of the answers after which to kill; who is first gets a unit, so a small one is amid the sale")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str()
      ->group(kill);
  pid->needs(restart);
  restart->needs(pid);

  const char* report = "Report";
  c->add_flag("--json", o.json, "Print the report as one JSON object, and nothing else, on stdout")
      ->group(report);
  c->add_option("--html", o.html, "Write the report as one self-contained page")
      ->type_name("FILE")
      ->group(report);
  return c;
}

void complete(flash_sale_options& o) {
  using client::environment_error;
  if (o.users == 0) o.users = o.buyers;
  if (o.users > o.buyers) {
    throw environment_error(
        fmt::format("{} users for {} buyers: every user needs a buyer. Lower --users.", o.users, o.buyers));
  }
  if (o.connections == 0) o.connections = connections_max;
  o.connections = std::min(o.connections, o.buyers);
  if (o.seed == 0)
    o.seed = (static_cast<std::uint64_t>(std::random_device{}()) << 20) ^ std::random_device{}();
  // A JSON reader must be able to hold it in a double.
  o.seed &= (1ULL << 53) - 1;
  if (o.sku.empty()) o.sku = fmt::format("flash-{:x}", o.seed);
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  if (o.sku.size() > 64 || !std::all_of(o.sku.begin(), o.sku.end(), is_plain)) {
    throw environment_error("--sku takes up to 64 letters, digits, dashes and underscores.");
  }
}

}  // namespace troupe::flash_sale
