#include "test/chaos/faults.hpp"

#include <signal.h>

#include <chrono>
#include <thread>

namespace troupe::chaos {
namespace {

constexpr int end_patience_ms = 30'000;

void pause_ms(int time) { std::this_thread::sleep_for(std::chrono::milliseconds{time}); }

void kill_and_restart(scene& s, const std::vector<std::string>& names, int away_ms) {
  for (const auto& name : names) s.cluster.signal(name, SIGKILL);
  for (const auto& name : names) s.cluster.wait_ended(name, end_patience_ms);
  pause_ms(away_ms);
  for (const auto& name : names) s.cluster.launch(name);
}

void freeze(scene& s, const std::string& name, int time) {
  s.cluster.signal(name, SIGSTOP);
  pause_ms(time);
  s.cluster.signal(name, SIGCONT);
}

void end_and_restart(scene& s, const std::string& name) {
  s.cluster.signal(name, SIGTERM);
  s.cluster.wait_ended(name, end_patience_ms);
  s.cluster.launch(name);
}

/// From all of them but itself.
void cut_off(scene& s, const std::string& name, const std::vector<std::string>& others, bool both_ways) {
  for (const auto& other : others) {
    if (other == name) continue;
    s.cluster.cut(name, other);
    if (both_ways) s.cluster.cut(other, name);
  }
  pause_ms(s.draw(2000, 5000));
  s.cluster.heal();
}

void wait_whole(scene& s) {
  for (int i = 0; i < 300 && !s.cluster.is_whole(); ++i) pause_ms(100);
}

}  // namespace

std::string scene::primary() {
  auto name = cluster.primary_of(sku);
  return name.empty() ? any(cluster.nodes()) : name;
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
         s.cluster.signal(name, SIGKILL);
         s.cluster.wait_ended(name, end_patience_ms);
         s.cluster.empty_disk(name);
         s.cluster.launch(name);
       }},
      {"kill etcd", "kill -9 of etcd, started again after 2 s",
       [](scene& s) {
         s.cluster.signal_etcd(SIGKILL);
         pause_ms(2000);
         s.cluster.launch_etcd();
       },
       fault::needs::nothing, true},
      {"freeze etcd", "SIGSTOP of etcd for 5 s",
       [](scene& s) {
         s.cluster.signal_etcd(SIGSTOP);
         pause_ms(5000);
         s.cluster.signal_etcd(SIGCONT);
       },
       fault::needs::nothing, true},
      {"freeze etcd for long", "SIGSTOP of etcd for 15 s: every lease is over when it goes on",
       [](scene& s) {
         s.cluster.signal_etcd(SIGSTOP);
         pause_ms(15'000);
         s.cluster.signal_etcd(SIGCONT);
       },
       fault::needs::nothing, true},
      {"nothing", "two seconds of peace, to compare with; only by name", [](scene&) { pause_ms(2000); },
       fault::needs::its_name},
      {"etcd away for a minute", "kill -9 of etcd, started again after 60 s; only by name",
       [](scene& s) {
         s.cluster.signal_etcd(SIGKILL);
         pause_ms(60'000);
         s.cluster.launch_etcd();
       },
       fault::needs::its_name, true},
      {"kill primary without etcd", "etcd frozen for 3 s, and a primary killed meanwhile",
       [](scene& s) {
         const auto name = s.primary();
         s.cluster.signal_etcd(SIGSTOP);
         pause_ms(500);
         s.cluster.signal(name, SIGKILL);
         pause_ms(2500);
         s.cluster.signal_etcd(SIGCONT);
         s.cluster.wait_ended(name, end_patience_ms);
         s.cluster.launch(name);
       }},
      {"cut primary from nodes",
       "a primary and the other nodes do not hear each other for 2 to 5 s; etcd and fronts do",
       [](scene& s) { cut_off(s, s.primary(), s.cluster.nodes(), true); }, fault::needs::links},
      {"primary is not heard", "what a primary sends to other nodes is lost for 2 to 5 s, one way",
       [](scene& s) { cut_off(s, s.primary(), s.cluster.nodes(), false); }, fault::needs::links},
      {"cut primary from etcd", "a primary does not reach etcd for 2 to 5 s",
       [](scene& s) { cut_off(s, s.primary(), {"etcd"}, false); }, fault::needs::links, true},
      {"primary long without etcd", "a primary does not reach etcd for 15 to 20 s: its lease is over",
       [](scene& s) {
         s.cluster.cut(s.primary(), "etcd");
         pause_ms(s.draw(15'000, 20'000));
         s.cluster.heal();
       },
       fault::needs::links, true},
      {"cut nodes from etcd", "no node reaches etcd for 2 to 5 s",
       [](scene& s) {
         for (const auto& name : s.cluster.nodes()) s.cluster.cut(name, "etcd");
         pause_ms(s.draw(2000, 5000));
         s.cluster.heal();
       },
       fault::needs::links, true},
      {"cut front from primary", "a front and a primary do not hear each other for 2 to 5 s",
       [](scene& s) { cut_off(s, s.any(s.cluster.fronts()), {s.primary()}, true); }, fault::needs::links},
      {"unplug primary", "nothing reaches a primary, and nothing of it arrives, for 2 to 5 s",
       [](scene& s) {
         s.cluster.unplug(s.primary());
         pause_ms(s.draw(2000, 5000));
         s.cluster.heal();
       },
       fault::needs::links},
      {"full disk", "the first node's disk has no room for 3 s",
       [](scene& s) {
         s.cluster.fill_disk(s.cluster.nodes().front());
         pause_ms(3000);
         s.cluster.free_disk(s.cluster.nodes().front());
       },
       fault::needs::small_disk},
  };
  return faults;
}

}  // namespace troupe::chaos
