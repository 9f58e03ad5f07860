#include "test/chaos/faults.hpp"

#include <signal.h>

#include <chrono>
#include <thread>

#include "cluster/history/recorder.hpp"

namespace troupe::chaos {
namespace {

constexpr int end_patience_ms = 30'000;

void pause_ms(int time) { std::this_thread::sleep_for(std::chrono::milliseconds{time}); }

void kill_and_restart(scene& s, const std::vector<std::string>& names, int away_ms) {
  for (const auto& name : names) s.must(s.cluster.signal(name, SIGKILL));
  for (const auto& name : names) s.must(s.cluster.await_end(name, ending::killed, end_patience_ms));
  pause_ms(away_ms);
  for (const auto& name : names) s.must(s.cluster.launch(name));
}

void freeze(scene& s, const std::string& name, int time) {
  s.must(s.cluster.signal(name, SIGSTOP));
  pause_ms(time);
  s.must(s.cluster.signal(name, SIGCONT));
}

/// What that node is about to hand over.
hand_over all_that_leave(const scene& s, const std::string& name) {
  hand_over out;
  for (std::size_t i = 0; i < s.skus.size(); ++i)
    if (s.cluster.primary_of(s.skus[i]) == name) out.skus.push_back(i);
  out.began_ns = history::history_now();
  return out;
}

void end_and_restart(scene& s, const std::string& name) {
  s.hand_overs.push_back(all_that_leave(s, name));
  s.must(s.cluster.signal(name, SIGTERM));
  s.must(s.cluster.await_end(name, ending::handed_over, end_patience_ms));
  s.must(s.cluster.launch(name));
}

void signal_etcds(scene& s, const std::vector<std::string>& members, int number) {
  for (const auto& member : members) s.must(s.cluster.signal_etcd(member, number));
}

void kill_and_restart_etcds(scene& s, const std::vector<std::string>& members, int away_ms) {
  signal_etcds(s, members, SIGKILL);
  for (const auto& member : members) s.must(s.cluster.await_etcd_end(member, end_patience_ms));
  pause_ms(away_ms);
  s.must(s.cluster.launch_etcds());
}

void freeze_etcds(scene& s, const std::vector<std::string>& members, int time) {
  signal_etcds(s, members, SIGSTOP);
  pause_ms(time);
  signal_etcds(s, members, SIGCONT);
}

/// From all of them but itself.
void cut_off(scene& s, const std::string& name, const std::vector<std::string>& others, bool both_ways) {
  for (const auto& other : others) {
    if (other == name) continue;
    s.must(s.cluster.cut(name, other));
    if (both_ways) s.must(s.cluster.cut(other, name));
  }
  pause_ms(s.draw(2000, 5000));
  s.must(s.cluster.heal());
}

void wait_whole(scene& s) {
  for (int i = 0; i < 300; ++i) {
    if (s.cluster.is_whole()) return;
    pause_ms(100);
  }
  s.must("the cluster was not whole again before the next node");
}

}  // namespace

std::string scene::primary() {
  auto name = cluster.primary_of(sku);
  if (!name.empty()) return name;
  must("nobody knows the primary of " + sku);
  return any(cluster.nodes());
}

std::string scene::etcd_leader() {
  auto name = cluster.etcd_leader();
  if (!name.empty()) return name;
  must("nobody knows the leader of etcd");
  return any(cluster.etcds());
}

const std::vector<fault>& all_faults() {
  static const std::vector<fault> faults{
      {"kill primary", "kill -9 of a primary, started again after 0 to 3 s",
       [](scene& s) { kill_and_restart(s, {s.primary()}, s.draw(0, 3000)); }},
      {"kill node", "kill -9 of any node, started again after 0 to 3 s",
       [](scene& s) { kill_and_restart(s, {s.any(s.cluster.nodes())}, s.draw(0, 3000)); }},
      {"kill all nodes", "kill -9 of every node at once, started again at once",
       [](scene& s) { kill_and_restart(s, s.cluster.nodes(), s.draw(0, 500)); }},
      {"kill front", "kill -9 of a front, started again after 1 s",
       [](scene& s) { kill_and_restart(s, {s.any(s.cluster.fronts())}, 1000); }},
      {"freeze primary briefly", "SIGSTOP of a primary for 0.3 s",
       [](scene& s) { freeze(s, s.primary(), 300); }},
      {"freeze primary", "SIGSTOP of a primary for 2 to 5 s",
       [](scene& s) { freeze(s, s.primary(), s.draw(2000, 5000)); }},
      {"freeze node", "SIGSTOP of any node for 2 to 5 s",
       [](scene& s) { freeze(s, s.any(s.cluster.nodes()), s.draw(2000, 5000)); }},
      {"stop node", "SIGTERM of a primary, started again", [](scene& s) { end_and_restart(s, s.primary()); },
       fault::needs::nothing, true},
      {"rolling restart", "SIGTERM of each node after the other, each back before the next",
       [](scene& s) {
         for (const auto& name : s.cluster.nodes()) {
           end_and_restart(s, name);
           wait_whole(s);
         }
       },
       fault::needs::nothing, true},
      {"empty disk", "kill -9 of a node, started again with nothing",
       [](scene& s) {
         const auto name = s.any(s.cluster.nodes());
         s.must(s.cluster.signal(name, SIGKILL));
         s.must(s.cluster.await_end(name, ending::killed, end_patience_ms));
         s.must(s.cluster.empty_disk(name));
         s.must(s.cluster.launch(name));
       }},
      {"kill etcd", "kill -9 of etcd's leader, started again after 2 s",
       [](scene& s) { kill_and_restart_etcds(s, {s.etcd_leader()}, 2000); }, fault::needs::nothing, true},
      {"kill all etcds", "kill -9 of every member of etcd, started again after 2 s",
       [](scene& s) { kill_and_restart_etcds(s, s.cluster.etcds(), 2000); }, fault::needs::nothing, true},
      {"freeze etcd", "SIGSTOP of etcd's leader for 5 s",
       [](scene& s) { freeze_etcds(s, {s.etcd_leader()}, 5000); }, fault::needs::nothing, true},
      {"freeze all etcds", "SIGSTOP of every member of etcd for 5 s",
       [](scene& s) { freeze_etcds(s, s.cluster.etcds(), 5000); }, fault::needs::nothing, true},
      {"freeze etcd for long", "the same for 15 s: every lease is over when they go on",
       [](scene& s) { freeze_etcds(s, s.cluster.etcds(), 15'000); }, fault::needs::nothing, true},
      {"nothing", "two seconds of peace, to compare with; only by name", [](scene&) { pause_ms(2000); },
       fault::needs::its_name},
      {"etcd away for a minute", "kill -9 of every member of etcd, started again after 60 s; only by name",
       [](scene& s) { kill_and_restart_etcds(s, s.cluster.etcds(), 60'000); }, fault::needs::its_name, true},
      {"kill primary without etcd", "every member of etcd frozen for 3 s, and a primary killed meanwhile",
       [](scene& s) {
         const auto name = s.primary();
         signal_etcds(s, s.cluster.etcds(), SIGSTOP);
         pause_ms(500);
         s.must(s.cluster.signal(name, SIGKILL));
         pause_ms(2500);
         signal_etcds(s, s.cluster.etcds(), SIGCONT);
         s.must(s.cluster.await_end(name, ending::killed, end_patience_ms));
         s.must(s.cluster.launch(name));
       }},
      {"cut primary from nodes",
       "a primary and the other nodes do not hear each other for 2 to 5 s; etcd and fronts do",
       [](scene& s) { cut_off(s, s.primary(), s.cluster.nodes(), true); }, fault::needs::links},
      {"cut primary from nodes and etcd",
       "a primary hears nobody but the fronts, and only they hear it, for 2 to 5 s",
       [](scene& s) {
         const auto name = s.primary();
         s.must(s.cluster.cut(name, "etcd"));
         cut_off(s, name, s.cluster.nodes(), true);
       },
       fault::needs::links},
      {"primary is not heard", "what a primary sends to other nodes is lost for 2 to 5 s, one way",
       [](scene& s) { cut_off(s, s.primary(), s.cluster.nodes(), false); }, fault::needs::links},
      {"cut primary from etcd", "a primary does not reach etcd for 2 to 5 s",
       [](scene& s) { cut_off(s, s.primary(), {"etcd"}, false); }, fault::needs::links, true},
      {"primary long without etcd", "a primary does not reach etcd for 15 to 20 s: its lease is over",
       [](scene& s) {
         s.must(s.cluster.cut(s.primary(), "etcd"));
         pause_ms(s.draw(15'000, 20'000));
         s.must(s.cluster.heal());
       },
       fault::needs::links, true},
      {"cut nodes from etcd", "no node reaches etcd for 2 to 5 s",
       [](scene& s) {
         for (const auto& name : s.cluster.nodes()) s.must(s.cluster.cut(name, "etcd"));
         pause_ms(s.draw(2000, 5000));
         s.must(s.cluster.heal());
       },
       fault::needs::links, true},
      {"cut front from primary", "a front and a primary do not hear each other for 2 to 5 s",
       [](scene& s) { cut_off(s, s.any(s.cluster.fronts()), {s.primary()}, true); }, fault::needs::links},
      {"unplug primary", "nothing reaches a primary, and nothing of it arrives, for 2 to 5 s",
       [](scene& s) {
         s.must(s.cluster.unplug(s.primary()));
         pause_ms(s.draw(2000, 5000));
         s.must(s.cluster.heal());
       },
       fault::needs::links},
      {"full disk", "the first node's disk has no room for 3 s",
       [](scene& s) {
         s.must(s.cluster.fill_disk(s.cluster.nodes().front()));
         pause_ms(3000);
         s.must(s.cluster.free_disk(s.cluster.nodes().front()));
       },
       fault::needs::small_disk},
      {"hang disk of primary", "no sync on a primary's disk returns for 6 to 9 s",
       [](scene& s) {
         const auto name = s.primary();
         s.must(s.cluster.hang_disk(name));
         pause_ms(s.draw(6000, 9000));
         s.must(s.cluster.let_disk_go(name));
       },
       fault::needs::forgetful_disk},
  };
  return faults;
}

}  // namespace troupe::chaos
