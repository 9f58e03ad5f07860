#include "cluster/replica/codec.hpp"

#include <doctest/doctest.h>

#include "runtime/base/bytes.hpp"
#include "runtime/base/hash.hpp"
#include "test/simulation/random.hpp"
#include "test/support/damage.hpp"

using namespace troupe;               // NOLINT
using namespace troupe::replication;  // NOLINT
using troupe::simulation::random_stream;

namespace {

constexpr uuid here{{1, 2, 3}};

std::uint64_t any_number(random_stream& random) { return random.next() >> random.below(64); }

epoch_history any_history(random_stream& random) {
  epoch_history history;
  epoch_start last;
  for (auto n = random.below(5); n > 0; --n) {
    last = {last.epoch + 1 + random.below(9), last.first_index + 1 + random.below(1000)};
    history.push_back(last);
  }
  return history;
}

shared_bytes any_bytes(random_stream& random) {
  if (random.chance(0.3)) return nullptr;
  std::string bytes(random.below(40), 'x');
  for (auto& c : bytes) c = static_cast<char>(random.next());
  return std::make_shared<const std::string>(std::move(bytes));
}

message_body any_body(random_stream& random) {
  switch (random.below(std::variant_size_v<message_body>)) {
    case 0: {
      activate b{any_history(random), 0, any_number(random)};
      b.barrier = (b.history.empty() ? 0 : b.history.back().first_index) + 1 + random.below(99);
      return b;
    }
    case 1: {
      append b{any_number(random), any_number(random), {}};
      std::uint64_t index = 1 + random.below(1000);
      for (auto n = random.below(4); n > 0; --n) {
        chunk c{index, index + random.below(50), 5 + random.below(5), random.below(6), any_bytes(random)};
        if (!c.bytes) {  // a barrier
          c.last = c.first;
          c.previous_epoch = c.epoch - 1;
        }
        index = c.last + 1;
        b.chunks.push_back(std::move(c));
      }
      return b;
    }
    case 2:
      return append_ack{any_number(random), any_number(random), random.chance(0.5), random.chance(0.5)};
    case 3:
      return nack{static_cast<refusal>(1 + random.below(4)), any_number(random)};
    case 4:
      return release{};
    case 5:
      return poll{any_number(random), any_number(random)};
    case 6:
      return poll_answer{any_number(random),
                         {any_number(random), any_number(random)},
                         random.chance(0.5) ? disk_state::blank : disk_state::sound,
                         any_number(random)};
    case 7:
      return suspicion{};
    case 8:
      return heard_lately{};
    case 9: {
      snapshot_part b{any_number(random), any_history(random), random.below(1000), 0,
                      any_number(random), any_bytes(random)};
      b.total = b.offset + (b.bytes ? b.bytes->size() : 0) + random.below(100);
      return b;
    }
    default:
      return snapshot_ack{any_number(random), any_number(random)};
  }
}

message any_message(random_stream& random) {
  message m;
  m.shard = static_cast<shard_id>(random.next());
  m.from = {static_cast<node_id>(random.below(9)), any_number(random)};
  m.to = {static_cast<node_id>(random.below(9)), any_number(random)};
  m.epoch = any_number(random);
  m.revision = any_number(random);
  m.body = any_body(random);
  return m;
}

std::string encoded(const message& m) {
  std::string out;
  encode_message(out, here, m);
  return out;
}

}  // namespace

TEST_CASE("codec: 5,000 random messages come back as they were") {
  random_stream random(11);
  for (int i = 0; i < 5000; ++i) {
    const auto m = any_message(random);
    const auto back = decode_message(here, encoded(m));
    REQUIRE(back);
    REQUIRE(*back == m);
    REQUIRE(back->body.index() == m.body.index());
  }
}

TEST_CASE(
    "codec: a frame with any bit flipped, cut short, with bytes behind it, or of another cluster is "
    "refused") {
  random_stream random(12);
  for (int i = 0; i < 100; ++i) {
    const auto frame = encoded(any_message(random));
    test::for_each_flipped_bit(frame, [&](const std::string& damaged, std::size_t) {
      REQUIRE_FALSE(decode_message(here, damaged));
    });
    test::for_each_cut(frame, [&](const std::string& damaged, std::size_t) {
      REQUIRE_FALSE(decode_message(here, damaged));
    });
    REQUIRE_FALSE(decode_message(here, frame + '\0'));
    REQUIRE_FALSE(decode_message(uuid{{9}}, frame));
  }
}

TEST_CASE("codec: hostile bytes under a fitting checksum are refused, or are a message like any other") {
  random_stream random(13);
  int refused = 0;
  for (int i = 0; i < 50'000; ++i) {
    auto frame = encoded(any_message(random));
    frame.resize(frame.size() - 8);
    for (auto n = 1 + random.below(4); n > 0; --n)
      frame[random.below(frame.size())] = static_cast<char>(random.chance(0.5) ? 0xff : random.next());
    if (random.chance(0.2)) frame.resize(1 + random.below(frame.size()));
    const auto hash = stable_hash(frame);
    byte_writer(frame).u64_be(hash);
    const auto m = decode_message(here, frame);
    if (m) {
      const auto back = decode_message(here, encoded(*m));
      REQUIRE(back);
      REQUIRE(*back == *m);
    } else {
      ++refused;
    }
  }
  CHECK(refused > 10'000);
}

TEST_CASE("codec: entries without bytes are a barrier, or no message") {
  const auto is_read = [](const chunk& c) {
    message m;
    m.from = {node_id{1}, 1};
    m.to = {node_id{2}, 2};
    m.epoch = 5;
    m.body = append{0, 0, {c}};
    std::string bytes;
    encode_message(bytes, here, m);
    return decode_message(here, bytes).has_value();
  };
  CHECK(is_read({3, 3, 5, 4, nullptr}));
  CHECK_FALSE(is_read({3, 4, 5, 4, nullptr}));
  CHECK_FALSE(is_read({3, 3, 5, 5, nullptr}));
}
