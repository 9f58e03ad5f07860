#include "cluster/authority/records.hpp"

#include <doctest/doctest.h>

#include "cluster/authority/etcd/config_table.hpp"
#include "cluster/authority/etcd/key_space.hpp"

using namespace troupe;

namespace {

shard_config sound() {
  return {.generation = 1,
          .epoch = 18446744073709551615U,
          .primary = {node_id{2}, 40},
          .in_sync = {{node_id{1}, 30}, {node_id{2}, 40}},
          .replicas = {node_id{1}, node_id{2}, node_id{3}},
          .min_in_sync = 2,
          .written_by = {}};
}

}  // namespace

TEST_CASE("authority records: a config is JSON text that stays as it is, and reads back equal") {
  const auto text = to_json(sound());
  CHECK(text == R"({"generation":1,"epoch":18446744073709551615,"primary":{"node":2,"run":40},)"
                R"("inSync":[{"node":1,"run":30},{"node":2,"run":40}],"replicas":[1,2,3],"minInSync":2,)"
                R"("writtenBy":"00000000-0000-0000-0000-000000000000"})");
  CHECK(shard_config_from_json(text) == sound());
}

TEST_CASE("authority records: a config that breaks its own rules is told, and not read") {
  struct row {
    const char* fault;
    void (*spoil)(shard_config&);
  };
  const row rows[] = {
      {"its epoch is 0", [](shard_config& c) { c.epoch = 0; }},
      {"it has no primary", [](shard_config& c) { c.primary = {}; }},
      {"its primary is not in sync", [](shard_config& c) { c.primary.run = 41; }},
      {"its in-sync set may be empty", [](shard_config& c) { c.min_in_sync = 0; }},
      {"its in-sync set is below its floor", [](shard_config& c) { c.min_in_sync = 3; }},
      {"its in-sync set is not sorted, or has a node twice",
       [](shard_config& c) { std::swap(c.in_sync[0], c.in_sync[1]); }},
      {"its in-sync set is not sorted, or has a node twice",
       [](shard_config& c) {
         c.in_sync[0] = {node_id{2}, 30};
       }},
      {"its replicas are not sorted, or one is there twice",
       [](shard_config& c) {
         c.replicas = {node_id{1}, node_id{1}};
       }},
      {"its in-sync set names nobody",
       [](shard_config& c) {
         c.primary.run = 0;
         c.in_sync[1].run = 0;
       }},
      {"its in-sync set names nobody",
       [](shard_config& c) {
         c.in_sync[0] = {node_id::none, 30};
       }},
      {"its replicas name nobody",
       [](shard_config& c) {
         c.replicas = {node_id::none, node_id{1}};
       }},
  };
  for (const auto& one : rows) {
    CAPTURE(one.fault);
    auto config = sound();
    one.spoil(config);
    CHECK(fault_in(config) == one.fault);
    CHECK_FALSE(shard_config_from_json(to_json(config)));
  }
  CHECK(fault_in(sound()).empty());
}

TEST_CASE("authority records: text that is no record is no record") {
  const auto good = to_json(sound());
  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK_FALSE(shard_config_from_json(good.substr(0, size)));
  CHECK_FALSE(shard_config_from_json(good + "x"));
  CHECK_FALSE(shard_config_from_json(R"({"epoch":1})"));
  CHECK_FALSE(run_from_json(to_json(run_record{})));  // number 0 is nobody
  meta_record cluster{.cluster = uuid{{1}}, .shard_count = 16, .format = 1};
  CHECK(meta_from_json(to_json(cluster)));
  for (const std::uint32_t count : {0U, 65'536U}) {  // nothing has no shard, or more than there are numbers
    cluster.shard_count = count;
    CHECK_FALSE(meta_from_json(to_json(cluster)));
  }
}

TEST_CASE("authority keys: a shard's key is its number and nothing else") {
  const etcd::key_space keys{"blue"};
  CHECK(keys.shard(12) == "/f/blue/shard/12");
  CHECK(keys.shard_of("/f/blue/shard/12") == shard_id{12});
  for (const auto* other : {"/f/blue/shard/", "/f/blue/shard/012", "/f/blue/shard/+1", "/f/blue/shard/65536",
                            "/f/blue/shard/1x", "/f/red/shard/1", "/f/blue/meta"}) {
    CAPTURE(other);
    CHECK_FALSE(keys.shard_of(other));
  }
  CHECK(etcd::is_plain_name("n-1"));
  for (const auto* bad : {"", "-n", "a/b", "A", "a b", "ü"}) CHECK_FALSE(etcd::is_plain_name(bad));
}

TEST_CASE("config table: a proposal adds the members that the config before it does not have") {
  etcd::config_table table;
  const member a{node_id{1}, 30}, b_later{node_id{2}, 50}, c{node_id{3}, 60};
  table.learn({.shard = 0, .revision = 7, .config = sound()});  // a and b
  auto next = sound();
  CHECK(table.added_by(0, 7, next).empty());
  next.in_sync = {a, b_later, c};
  CHECK(table.added_by(0, 7, next) == std::vector{b_later, c});
  // The config before it is not known: all of them.
  CHECK(table.added_by(0, 6, next) == next.in_sync);
  CHECK(table.added_by(1, 7, next) == next.in_sync);
}

TEST_CASE("config table: an answer with an older or a missing shard has forgotten it") {
  etcd::config_table table;
  table.learn({.shard = 0, .revision = 7, .config = sound()});
  table.learn({.shard = 0, .revision = 5, .config = sound()});  // an answer that was overtaken
  table.learn({.shard = 1, .revision = 0, .config = {}});       // there is none
  const auto seen = table.seen();
  CHECK(seen == etcd::config_table::revisions{{0, 7}});
  CHECK_FALSE(etcd::has_forgotten({{0, 7, {}}}, seen));
  CHECK_FALSE(etcd::has_forgotten({{0, 8, {}}, {1, 3, {}}}, seen));
  CHECK(etcd::has_forgotten({{0, 6, {}}}, seen));
  CHECK(etcd::has_forgotten({{1, 9, {}}}, seen));
}
