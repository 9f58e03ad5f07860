#include "cli/flash_sale/run.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <optional>

#include "cli/flash_sale/control.hpp"
#include "cli/flash_sale/report.hpp"
#include "cli/flash_sale/sale.hpp"

namespace troupe::flash_sale {
namespace {

using client::environment_error;

sale_rules rules_of(const flash_sale_options& o) {
  const auto ms = [](double seconds) {
    return std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1000)};
  };
  return {.answer_timeout = ms(o.timeout_seconds),
          .retry_lost = o.retry_lost,
          .retry_for = ms(o.retry_seconds),
          .kill_at = o.kill_at,
          .seed = o.seed};
}

[[noreturn]] void refuse_page(const std::filesystem::path& path) {
  throw environment_error(
      fmt::format("{} cannot be written. Give --html a file in a directory that exists.", path.string()));
}

/// Opened before the sale, so that a path that cannot be written does not cost one.
std::ofstream open_page(const std::filesystem::path& path) {
  std::ofstream file;
  if (path.empty()) return file;
  file.open(path, std::ios::binary | std::ios::trunc);
  if (!file) refuse_page(path);
  return file;
}

void write_page(std::ofstream& file, const std::filesystem::path& path, const sale_report& report) {
  file << report_html(report);
  file.flush();
  if (!file) refuse_page(path);
}

std::vector<client::endpoint> resolve_all(std::string_view urls) {
  std::vector<client::endpoint> out;
  for (;;) {
    const auto comma = urls.find(',');
    out.push_back(client::resolve(urls.substr(0, comma)));
    if (comma == std::string_view::npos) return out;
    urls.remove_prefix(comma + 1);
  }
}

/// Sells, and returns all that the report and the checks are made from.
std::pair<sale_facts, sale_timing> sell(const flash_sale_options& o, progress& bar) {
  const auto servers = resolve_all(o.url);
  const auto& server = servers.front();  // for all that is not buying
  client::allow_open_sockets(static_cast<std::size_t>(o.connections));
  std::optional<server_kill> kill;
  if (!o.kill_pid_file.empty()) kill.emplace(o.kill_pid_file, o.restart_command);
  const token_source token_for = o.token_for ? o.token_for : tokens_from(o.data);

  const sale_plan plan = make_plan(o, server, token_for);
  sale_control control(server, plan.sku_target, plan.admin_token);
  control.put_up(o);

  sale_ledger ledger(plan.buyers.size());
  sale_facts facts;
  sale_timing timing;
  {
    sale the_sale(plan, servers, static_cast<std::size_t>(o.connections), rules_of(o), ledger, bar);
    the_sale.open_all();
    the_sale.run(kill ? &*kill : nullptr);
    timing.killed = the_sale.killed();
    timing.started_at = {
        std::chrono::duration_cast<std::chrono::milliseconds>(the_sale.started_at().time_since_epoch())
            .count()};
  }
  timing.longest_silence = ledger.longest_silence();
  if (timing.killed) control.await_server(std::chrono::seconds{60});

  facts.stock = o.stock;
  facts.quantity = o.quantity;
  facts.per_user_limit = o.per_user_limit;
  facts.losses_are_expected = timing.killed && !o.retry_lost;
  facts.outcomes = ledger.outcomes();
  facts.users.reserve(plan.buyers.size());
  for (const auto& b : plan.buyers) facts.users.push_back(to_string(b.user));
  facts.view = control.read_stock();
  facts.listed = control.read_orders();
  return {std::move(facts), timing};
}

}  // namespace

int run_flash_sale(const flash_sale_options& given) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    flash_sale_options options = given;
    complete(options);
    auto page = open_page(options.html);
    progress bar(stderr);
    const auto [facts, timing] = sell(options, bar);
    const sale_report report = make_report(options, facts, timing);
    const std::string text = options.json ? report_json(report) : report_text(report, cli::look_at(stdout));
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
    for (const auto& c : report.checks) {
      if (c.state == check_state::violated) fmt::print(stderr, "{}\n", c.sentence);
    }
    if (!options.html.empty()) write_page(page, options.html, report);
    return report.passed ? 0 : 1;
  } catch (const environment_error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}

}  // namespace troupe::flash_sale
