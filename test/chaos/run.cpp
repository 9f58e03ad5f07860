#include "test/chaos/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "cluster/history/recorder.hpp"
#include "cluster/history/replica_file.hpp"
#include "test/chaos/deliveries.hpp"
#include "test/chaos/faults.hpp"
#include "test/chaos/first_attempts.hpp"
#include "test/chaos/log_dump.hpp"
#include "test/chaos/log_scan.hpp"
#include "test/chaos/probes.hpp"
#include "test/chaos/workload.hpp"

namespace troupe::chaos {
namespace {

constexpr int recovery_patience_ms = 60'000;
constexpr int delivery_patience_ms = 30'000;
constexpr std::string_view client_user = "00000000-0000-7000-8000-0000000000c1";

double ms_between(std::int64_t from_ns, std::int64_t to_ns) {
  return static_cast<double>(to_ns - from_ns) / 1e6;
}

/// The time of day, so many milliseconds ago: as the processes' logs have it.
std::string clock_time(double ms_ago) {
  const auto at =
      std::chrono::system_clock::now() - std::chrono::milliseconds{static_cast<std::int64_t>(ms_ago)};
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
  return fmt::format("{:02}:{:02}:{:02}.{:03}", ms / 3'600'000 % 24, ms / 60'000 % 60, ms / 1000 % 60,
                     ms % 1000);
}

shop make_shop() {
  shop out;
  for (int i = 0; i < 8; ++i) out.names.push_back(fmt::format("chaos-{}", i));
  return out;
}

cluster_driver::shape shape_of(const chaos_options& options) {
  cluster_driver::shape out;
  out.has_namespaces = options.has_namespaces;
  out.has_proxy = options.has_proxy;
  out.etcds = options.etcds;
  out.small_disk_mib = options.small_disk_mib;
  return out;
}

std::vector<const fault*> chosen(const chaos_options& options) {
  std::vector<const fault*> out;
  for (const auto& one : all_faults()) {
    const auto& only = options.only;
    const bool is_named = std::find(only.begin(), only.end(), one.name) != only.end();
    const bool is_possible =
        one.what == fault::needs::nothing ||
        (one.what == fault::needs::links && (options.has_namespaces || options.has_proxy)) ||
        (one.what == fault::needs::small_disk && options.small_disk_mib > 0) ||
        (one.what == fault::needs::forgetful_disk && options.has_forgetful_disks) ||
        (one.what == fault::needs::its_name && is_named);
    const bool is_wanted = only.empty() || is_named;
    if (is_possible && is_wanted) out.push_back(&one);
  }
  return out;
}

/// Everything of one run, in its order.
class chaos_run {
 public:
  explicit chaos_run(const chaos_options& options)
      : options_(options),
        random_(options.seed),
        cluster_(options.source, options.troupe, options.directory + "/cluster", shape_of(options)) {
    report_.seed = options.seed;
  }

  chaos_report run() {
    std::filesystem::create_directories(options_.directory);
    const auto began = history::history_now();
    std::string problem;
    if (!cluster_.start(problem)) {
      report_.faults.push_back("the cluster did not start: " + problem);
      return report_;
    }
    play();
    report_.seconds = ms_between(began, history::history_now()) / 1000;
    return report_;
  }

 private:
  void play() {
    workload_options how;
    how.urls = cluster_.urls();
    how.user = client_user;
    how.token = cluster_.token(how.user);
    how.seed = options_.seed;
    how.clients = options_.clients;
    workload clients{shop_, how, writes_};
    std::string problem;
    if (!clients.open(problem)) return fail(problem);
    delivery_options with;
    with.urls = how.urls;
    with.token = how.token;
    with.clients = std::max<std::size_t>(options_.clients / 4, 1);
    deliveries news{with, writes_};
    {
      probes seen{how.urls, how.token, shop_.names, 5};
      clients.start();
      news.start();
      play_rounds(seen);
      clients.finish();
      news.finish();
      seen.stop();
      report_.probes = seen.asked();
    }
    // Holds expire by themselves; then nothing changes any more, and all copies get to the same end.
    std::this_thread::sleep_for(std::chrono::seconds{shop_.hold_seconds + 1});
    if (!wait_until([this] { return is_complete(); }))
      fail("at the end it is not whole within 60 s" + missing());
    report_.tasks = news.tasks();
    report_.reminders = news.reminders();
    for (auto& wrong : news.compare(delivery_patience_ms)) fail(std::move(wrong));
    wait_for_copies();
    for (auto& wrong : cluster_.stop()) fail("at the end " + wrong);
    for (auto& crash : crashes_in_logs(cluster_.directory())) fail(std::move(crash));
    count(clients);
    compare(clients);
  }

  void play_rounds(const probes& seen) {
    const auto faults = chosen(options_);
    if (faults.empty()) return fail("there is no such fault");
    // Each once before any comes again.
    std::vector<const fault*> left;
    const auto until = history::history_now() + static_cast<std::int64_t>(options_.minutes * 60e9);
    for (int round = 1; options_.minutes > 0 ? history::history_now() < until : round <= options_.rounds;
         ++round) {
      if (left.empty()) {
        left = faults;
        std::shuffle(left.begin(), left.end(), random_);
      }
      play_round(round, *left.back(), seen);
      left.pop_back();
    }
  }

  void play_round(int round, const fault& what, const probes& seen) {
    scene where{cluster_, random_, shop_.names, {}};
    where.sku = where.any(shop_.names);
    // A moment of peace, so that a gap belongs to this fault.
    std::this_thread::sleep_for(std::chrono::milliseconds{300 + where.draw(0, 300)});
    round_result result{.fault = std::string{what.name}};
    const auto failed_probes_before = seen.failed();
    const auto failed_writes_before = writes_.failed();
    const auto began = history::history_now();
    what.happen(where);
    const auto ended = history::history_now();
    // The authority may show everybody in sync before they are up again; a gap must end in its own round.
    result.is_recovered = wait_until([&] { return is_complete() && seen.have_all_answered_since(ended); });
    const auto whole = history::history_now();
    result.recovery_ms = ms_between(ended, whole);
    // A write, too, that was begun in this round.
    if (!wait_until([&] { return writes_.have_ended_from_before(whole); }))
      where.must("a write found no end within 60 s");
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
    const auto gap = seen.longest_gap(began);
    result.gap_ms = static_cast<double>(gap.length_ns) / 1e6;
    result.pauses_ms = pauses(where.hand_overs, seen);
    result.failed_probes = seen.failed() - failed_probes_before;
    result.failed_writes = writes_.failed() - failed_writes_before;
    for (const auto& why : where.undone) fail_round(round, what, why);
    judge(round, what, result, failed_writes_before);
    if (!options_.is_quiet)
      fmt::print(
          stderr,
          "{:>4}  {}  {:<28} no answer for {:>6.0f} ms until {:>6.0f} ms, whole after {:>6.0f} ms{}{}\n",
          round, clock_time(ms_between(began, history::history_now())), what.name, result.gap_ms,
          ms_between(began, gap.end_ns), result.recovery_ms,
          result.failed_probes > 0 ? fmt::format(", {} probes failed", result.failed_probes) : "",
          result.failed_writes > 0 ? fmt::format(", {} writes failed", result.failed_writes) : "");
    report_.rounds.push_back(std::move(result));
  }

  /// Of each SKU that was handed over, the longest time without an answer until the next node is told to
  /// stop.
  static std::vector<double> pauses(const std::vector<hand_over>& all, const probes& seen) {
    std::vector<double> out;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto until = i + 1 < all.size() ? all[i + 1].began_ns : history::history_now();
      for (const auto sku : all[i].skus)
        out.push_back(static_cast<double>(seen.longest_gap_ns(sku, all[i].began_ns, until)) / 1e6);
    }
    return out;
  }

  /// `failed_writes_before`: of earlier rounds.
  void judge(int round, const fault& what, const round_result& result, std::size_t failed_writes_before) {
    if (!result.is_recovered) fail_round(round, what, "not whole again within 60 s" + missing());
    if (result.gap_ms > (what.is_planned ? planned_gap_ms : gap_ms_max))
      fail_round(round, what, fmt::format("no answer for {:.0f} ms", result.gap_ms));
    if (what.is_planned && result.failed_probes > 0)
      fail_round(round, what, fmt::format("{} reads failed", result.failed_probes));
    if (what.is_planned && result.failed_writes > 0)
      fail_round(round, what,
                 fmt::format("{} writes had no outcome at their first attempt, the first of them {}",
                             result.failed_writes, writes_.failure(failed_writes_before)));
  }

  /// Every process runs, and every copy is in sync.
  bool is_complete() const { return cluster_.missing().empty() && cluster_.is_whole(); }

  /// In words, of processes.
  std::string missing() const {
    const auto who = cluster_.missing();
    return who.empty() ? "" : ": " + who;
  }

  /// With nobody at work every copy gets to its log's end, so that the disks can be compared at one version.
  void wait_for_copies() {
    std::string behind;
    const auto are_equal = [&] {
      behind = cluster_.copy_behind();
      return behind.empty();
    };
    if (!wait_until(are_equal)) fail("after 60 s with nobody at work " + behind);
  }

  static bool wait_until(const std::function<bool()>& is_so) {
    const auto until = history::history_now() + recovery_patience_ms * std::int64_t{1'000'000};
    while (!is_so()) {
      if (history::history_now() > until) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
    return true;
  }

  void count(const workload& clients) {
    const auto& f = clients.figures();
    report_.attempts = f.asked;
    report_.answered = f.answered;
    report_.unknown = f.unknown;
    report_.given_up = f.given_up;
    if (report_.given_up > 0)
      fail(fmt::format("{} operations found no outcome within 20 s", report_.given_up));
  }

  /// The histories and the logs go to disk, and are checked.
  void compare(workload& clients) {
    auto operations = clients.take_operations();
    for (const auto& oddity : clients.oddities()) fail("an answer that nothing here can lead to: " + oddity);
    std::vector<node_dump> dumps;
    for (std::uint32_t node = 1; const auto& name : cluster_.nodes())
      dumps.push_back(dump_node(cluster_.data_of(name), node++, shop_, clients.commands()));
    std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint64_t> epochs;  // of (SKU, version)
    for (const auto& dump : dumps) {
      if (!dump.fault.empty()) fail(dump.fault);
      report_.logs += dump.skus.size();
      report_.logs_without_beginning += dump.without_beginning;
      for (const auto& sku : dump.skus)
        for (const auto& entry : sku.entries) epochs[{entry.sku, entry.at.index}] = entry.at.epoch;
    }
    compare_digests(dumps);
    // A front does not say in which epoch it was.
    for (auto& op : operations)
      if (const auto at = epochs.find({op.sku, op.witness.index}); at != epochs.end())
        op.witness.epoch = at->second;
    write_history(operations, dumps);
    verify();
  }

  /// Every node has a copy of every SKU, and each has been waited for.
  void compare_digests(const std::vector<node_dump>& dumps) {
    const auto names = cluster_.nodes();
    for (std::size_t at = 1; at < dumps.size(); ++at) {
      if (!dumps[at].fault.empty() || !dumps[0].fault.empty()) continue;  // said already
      for (const auto& [sku, first] : dumps[0].digests) {
        const auto& other = dumps[at].digests.at(sku);
        if (other.first != first.first)
          fail(fmt::format("{}: {} stayed at version {}, and {} at {}", shop_.names[sku], names[0],
                           first.first, names[at], other.first));
        else if (other.second != first.second)
          fail(fmt::format("{}: {} and {} have different rows of version {}", shop_.names[sku], names[0],
                           names[at], first.first));
      }
    }
  }

  void write_history(const std::vector<history::operation>& operations, const std::vector<node_dump>& dumps) {
    std::vector<history::sku_setup> skus;
    for (std::uint32_t i = 0; i < shop_.names.size(); ++i)
      skus.push_back({i, i, shop_.initial, shop_.holds(i)});
    history::recorder recorder{history_directory(), skus};
    const auto file = recorder.client();
    for (const auto& op : operations) file->add(op);
    if (!recorder.fault().empty() || !file->flush()) fail("the history cannot be written: " + file->fault());
    for (const auto& dump : dumps)
      for (const auto& sku : dump.skus) history::write_replica(history_directory(), sku);
  }

  void verify() {
    int code = 0;
    report_.verdict =
        run_command(fmt::format("'{}' verify '{}' 2>&1", options_.troupe, history_directory()), &code);
    if (code != 0) fail("`troupe verify` does not accept the history");
  }

  std::string history_directory() const { return options_.directory + "/history"; }
  void fail(std::string what) { report_.faults.push_back(std::move(what)); }
  void fail_round(int round, const fault& what, const std::string& why) {
    fail(fmt::format("round {} ({}): {}", round, what.name, why));
  }

  const chaos_options options_;
  const shop shop_ = make_shop();
  std::mt19937_64 random_;
  cluster_driver cluster_;
  first_attempts writes_;
  chaos_report report_;
};

}  // namespace

chaos_report run(const chaos_options& options) { return chaos_run{options}.run(); }

}  // namespace troupe::chaos
