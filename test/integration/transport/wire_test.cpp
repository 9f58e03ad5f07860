#include "cluster/transport/wire.hpp"

#include <doctest/doctest.h>

#include <random>

#include "cluster/transport/hello.hpp"
#include "test/support/damage.hpp"

using namespace troupe;
using namespace troupe::wire;

namespace {

const moment now{std::chrono::seconds{1000}};

shard_command some_command() {
  shard_command out;
  out.ticket = 1ULL << 60U;
  out.shard = 63;
  out.what.target = {kind_id{7}, "a key"};
  out.what.message = message_no{3};
  out.what.body = std::string(300, 'b');
  out.what.id = *uuid_from_bytes("0123456789abcdef");
  out.what.fingerprint = 0xffff'ffff'ffff'ffffULL;
  out.what.expect_version = version_condition::other_than(5);
  out.what.deadline = now + std::chrono::milliseconds{1500};
  return out;
}

shard_parcels some_parcels() {
  shard_parcels out;
  out.to = 3;
  out.what.source = 9;
  out.what.settled_below = {12, 3};
  for (std::uint16_t i = 0; i < 5; ++i)
    out.what.parcels.push_back({{20, i}, {{kind_id{1}, "k"}, message_no{2}, "body"}});
  return out;
}

std::vector<std::string> samples() {
  std::vector<std::string> out(5);
  encode(out[0], some_command(), now);
  encode(out[1], shard_reply{77, {reply_status::not_primary, "bytes", 9, true}});
  encode(out[2], some_parcels());
  encode(out[3], shard_acknowledgement{1, 2, {{3, 4}, {5, 6}}});
  hello who;
  who.who = {node_id{4}, 1ULL << 40U};
  who.shard_count = 64;
  who.name = "name";
  encode(out[4], who);
  return out;
}

/// What came of the bytes, as whichever word they are.
std::size_t words_in(std::string_view bytes) {
  std::size_t found = 0;
  found += decode_command(bytes, now) ? 1U : 0U;
  found += decode_reply(bytes) ? 1U : 0U;
  found += decode_parcels(bytes) ? 1U : 0U;
  found += decode_acknowledgement(bytes) ? 1U : 0U;
  found += decode_hello(bytes) ? 1U : 0U;
  return found;
}

}  // namespace

TEST_CASE("wire: what is sent arrives as it was") {
  const auto all = samples();
  const auto command = decode_command(all[0], now + std::chrono::seconds{5});
  REQUIRE(command);
  CHECK(command->ticket == some_command().ticket);
  CHECK(command->shard == 63);
  CHECK(command->what.target == some_command().what.target);
  CHECK(command->what.body == some_command().what.body);
  CHECK(command->what.id == some_command().what.id);
  CHECK(command->what.fingerprint == some_command().what.fingerprint);
  CHECK(command->what.expect_version.what == version_condition::demand::different);
  CHECK(command->what.expect_version.version == 5);
  // What is left of it counts from its arrival.
  CHECK(command->what.deadline == now + std::chrono::milliseconds{6500});
  const auto answer = decode_reply(all[1]);
  REQUIRE(answer);
  CHECK(answer->ticket == 77);
  CHECK(answer->what.status == reply_status::not_primary);
  CHECK(answer->what.version == 9);
  CHECK(answer->what.replayed);
  const auto parcels = decode_parcels(all[2]);
  REQUIRE(parcels);
  CHECK(parcels->to == 3);
  CHECK(parcels->what.source == 9);
  CHECK(parcels->what.settled_below == send_id{12, 3});
  REQUIRE(parcels->what.parcels.size() == 5);
  CHECK(parcels->what.parcels[4].id == send_id{20, 4});
  CHECK(parcels->what.parcels[4].message == some_parcels().what.parcels[4].message);
  const auto ack = decode_acknowledgement(all[3]);
  REQUIRE(ack);
  CHECK(ack->by == 2);
  CHECK(ack->ids == std::vector<send_id>{{3, 4}, {5, 6}});
}

TEST_CASE("wire: a deadline that has passed stays passed, and a very late one is cut") {
  auto late = some_command();
  late.what.deadline = now - std::chrono::seconds{1};
  std::string bytes;
  encode(bytes, late, now);
  CHECK(decode_command(bytes, now)->what.deadline == now);
  late.what.deadline = moment::max();
  bytes.clear();
  encode(bytes, late, now);
  CHECK(decode_command(bytes, now)->what.deadline == now + std::chrono::minutes{10});
}

TEST_CASE("wire: bytes that are cut short or too long are no word") {
  for (const auto& whole : samples()) {
    for (std::size_t size = 0; size < whole.size(); ++size) (void)words_in(whole.substr(0, size));
    CHECK_FALSE(decode_hello(whole + "x"));
    CHECK_FALSE(decode_parcels(whole + "x"));
  }
  const auto all = samples();
  CHECK_FALSE(decode_command(std::string_view{all[0]}.substr(0, all[0].size() - 1), now));
  CHECK_FALSE(decode_command(all[0] + "x", now));
  CHECK_FALSE(decode_reply(all[1] + "x"));
  CHECK_FALSE(decode_acknowledgement(std::string_view{all[3]}.substr(0, all[3].size() - 1)));
}

TEST_CASE("wire: damaged bytes are safe to look at, and counts are not believed") {
  std::mt19937_64 random{20261125};
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = samples()[random() % 5];
    for (auto flips = 1 + random() % 4; flips > 0; --flips)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    (void)words_in(bytes);
    (void)for_each_word(bytes, [](word, std::string_view) {});
  }
  std::string huge;
  byte_writer w{huge};
  w.varint(1);
  w.varint(2);
  w.varint(1ULL << 40U);
  CHECK_FALSE(decode_acknowledgement(huge));
}

TEST_CASE("wire: words one after the other come apart as they were put together") {
  std::string message;
  append_word(message, word::command, "one");
  append_word(message, word::reply, "");
  append_word(message, word::parcels, std::string(1000, 'x'));
  std::vector<std::pair<word, std::string>> found;
  CHECK(for_each_word(message, [&](word kind, std::string_view bytes) { found.emplace_back(kind, bytes); }));
  REQUIRE(found.size() == 3);
  CHECK(found[0] == std::pair{word::command, std::string{"one"}});
  CHECK(found[1].second.empty());
  CHECK(found[2].second.size() == 1000);
  CHECK_FALSE(for_each_word(message.substr(0, message.size() - 1), [](word, std::string_view) {}));
  CHECK_FALSE(for_each_word("\x09\x01x", [](word, std::string_view) {}));
}

TEST_CASE("wire: words with any bit changed are none, and what looks like a word gets no further") {
  stored_config what;
  what.shard = 3;
  what.revision = 77;
  what.config.epoch = 5;
  what.config.primary = {node_id{1}, 9};
  what.config.in_sync = {{node_id{1}, 9}, {node_id{2}, 8}};
  what.config.replicas = {node_id{1}, node_id{2}};
  std::string config;
  encode(config, what);
  REQUIRE(decode_config(config));
  CHECK(decode_config(config)->config == what.config);
  auto all = samples();
  all.push_back(config);
  for (const auto& bytes : all) {
    std::string message;
    append_word(message, word::config, bytes);
    const auto visits = [](const std::string& damaged) {
      int count = 0;
      const bool is_sound = for_each_word(damaged, [&](word, std::string_view) { ++count; });
      return count > 0 || is_sound;
    };
    CHECK(visits(message));
    const auto gets_nowhere = [&](const std::string& damaged, std::size_t) { CHECK_FALSE(visits(damaged)); };
    test::for_each_flipped_bit(message, gets_nowhere);
    test::for_each_cut(message, gets_nowhere, 1);
  }
}

TEST_CASE("hello: with any bit changed it is none, or of another protocol") {
  hello ours;
  ours.name = "n1";
  ours.who = {node_id{4}, 77};
  std::string bytes;
  encode(bytes, ours);
  test::for_each_flipped_bit(bytes, [](const std::string& damaged, std::size_t) {
    const auto got = decode_hello(damaged);
    CHECK((!got || got->protocol > transport_protocol));
  });
}

TEST_CASE("hello: who does not fit is told why") {
  hello ours;
  ours.shard_count = 16;
  auto theirs = ours;
  CHECK(objection(ours, theirs).empty());
  theirs.protocol = transport_protocol + 1;
  CHECK(objection(ours, theirs).find("protocol " + std::to_string(transport_protocol + 1)) !=
        std::string::npos);
  std::string bytes;
  encode(bytes, theirs);
  CHECK(decode_hello(bytes)->protocol == transport_protocol + 1);
  theirs = ours;
  theirs.shard_count = 17;
  CHECK(objection(ours, theirs).find("17 shards") != std::string::npos);
}
