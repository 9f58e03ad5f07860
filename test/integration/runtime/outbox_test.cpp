#include <doctest/doctest.h>

#include "runtime/outbox/outbox.hpp"

using namespace troupe;

namespace {

const outbox::moment at{std::chrono::seconds{100}};

parcel make(std::uint64_t index) { return {{index, 0}, {{kind_id{1}, "k"}, message_no{1}, "body"}}; }

outbox empty_outbox(std::size_t window = 8) {
  return outbox{[](shard_id, send_id, const std::function<bool(parcel &&)>&) {}, window};
}

}  // namespace

TEST_CASE("outbox: sends each message once, and again when nothing was heard of it for long") {
  auto box = empty_outbox();
  box.add(3, make(1));
  box.add(3, make(2));
  const auto first = box.take_outgoing(0, 0, at);
  REQUIRE(first.size() == 1);
  CHECK(first[0].first == 3);
  CHECK(first[0].second.parcels.size() == 2);
  CHECK(box.take_outgoing(0, 0, at).empty());
  box.acknowledged(3, {{1, 0}}, at);
  CHECK_FALSE(box.resend_overdue(at - std::chrono::seconds{1}));
  CHECK(box.take_outgoing(0, 0, at).empty());
  CHECK(box.resend_overdue(at));
  const auto again = box.take_outgoing(0, 0, at);
  REQUIRE(again.size() == 1);
  REQUIRE(again[0].second.parcels.size() == 1);
  CHECK(again[0].second.parcels[0].id == send_id{2, 0});
  box.acknowledged(3, {{2, 0}}, at);
  CHECK_FALSE(box.resend_overdue(at + std::chrono::hours{1}));
}

TEST_CASE("outbox: says that a message is settled only after its arrival is on record") {
  auto box = empty_outbox();
  box.add(3, make(1));
  (void)box.take_outgoing(0, 0, at);
  box.acknowledged(3, {{1, 0}, {1, 0}}, at);
  const auto arrived = box.take_arrived();
  CHECK(arrived.size() == 1);
  box.add(3, make(2));
  CHECK(box.take_outgoing(0, 0, at)[0].second.settled_below == send_id{1, 0});
  box.settled(arrived);
  const auto notice = box.take_outgoing(0, 0, at);
  REQUIRE(notice.size() == 1);
  CHECK(notice[0].second.parcels.empty());
  CHECK(notice[0].second.settled_below == send_id{2, 0});
}

TEST_CASE("outbox: keeps a window in memory and loads the rest in order when the store has it") {
  std::vector<parcel> stored;
  outbox box{[&](shard_id, send_id from, const std::function<bool(parcel &&)>& visit) {
               for (const auto& one : stored) {
                 if (one.id >= from && !visit(parcel{one})) return;
               }
             },
             4};
  for (std::uint64_t i = 1; i <= 10; ++i) box.add(5, make(i));
  CHECK(box.in_memory() == 4);
  std::vector<std::uint64_t> sent;
  const auto pump = [&](std::uint64_t applied) {
    for (const auto& [to, batch] : box.take_outgoing(0, applied, at)) {
      std::vector<send_id> ids;
      for (const auto& one : batch.parcels) {
        sent.push_back(one.id.index);
        ids.push_back(one.id);
      }
      box.acknowledged(to, ids, at);
    }
    box.settled(box.take_arrived());
  };
  pump(0);
  CHECK(sent.size() == 4);
  pump(0);  // nothing stored yet
  CHECK(box.has_backlog());
  for (std::uint64_t i = 5; i <= 10; ++i) stored.push_back(make(i));
  for (int i = 0; i < 5; ++i) pump(10);
  CHECK(sent == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK_FALSE(box.has_backlog());
  CHECK(box.is_idle());
}

TEST_CASE("outbox: rows that are being applied are left alone until all of their entries are there") {
  std::vector<parcel> stored;
  outbox box{[&](shard_id, send_id from, const std::function<bool(parcel &&)>& visit) {
               for (const auto& one : stored) {
                 if (one.id >= from && !visit(parcel{one})) return;
               }
             },
             4};
  for (std::uint64_t i = 1; i <= 8; ++i) box.add(5, make(i));
  std::vector<std::uint64_t> sent;
  const auto pump = [&](std::uint64_t applied) {
    for (const auto& [to, batch] : box.take_outgoing(0, applied, at)) {
      std::vector<send_id> ids;
      for (const auto& one : batch.parcels) {
        sent.push_back(one.id.index);
        ids.push_back(one.id);
      }
      box.acknowledged(to, ids, at);
    }
    box.settled(box.take_arrived());
  };
  stored = {make(7)};  // the first slice of a flush, in no order
  for (int i = 0; i < 3; ++i) pump(4);
  stored = {make(5), make(6), make(7), make(8)};
  for (int i = 0; i < 3; ++i) pump(8);
  CHECK(sent == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(box.is_idle());
}

TEST_CASE("receipts: a message begins once, and is forgotten only below what its sender settled") {
  receipts r;
  CHECK(r.begin(1, {5, 0}));
  CHECK_FALSE(r.begin(1, {5, 0}));
  CHECK_FALSE(r.is_done(1, {5, 0}));
  r.done(1, {5, 0});
  CHECK(r.is_done(1, {5, 0}));
  CHECK(r.begin(2, {5, 0}));
  r.settle(1, {5, 0});
  CHECK_FALSE(r.has_forgotten());
  r.settle(1, {6, 0});
  CHECK(r.take_forgotten() == peer_sends{{1, {5, 0}}});
  CHECK(r.size() == 1);
  r.restore(3, {7, 1});
  CHECK(r.is_done(3, {7, 1}));
}

TEST_CASE("receipts: what was settled is known for ever, also by who comes after") {
  receipts r;
  CHECK(r.begin(1, {5, 0}));
  r.done(1, {5, 0});
  r.settle(1, {9, 0});
  CHECK(r.size() == 0);
  CHECK_FALSE(r.begin(1, {5, 0}));
  CHECK(r.is_done(1, {5, 0}));
  r.settle(1, {2, 0});  // of who was the sender before
  CHECK_FALSE(r.begin(1, {8, 0}));
  CHECK(r.begin(1, {9, 0}));
  CHECK(r.begin(2, {5, 0}));

  receipts after;
  after.restore_settled(1, {5, 1});
  after.restore(1, {7, 0});
  CHECK_FALSE(after.begin(1, {5, 0}));
  CHECK(after.is_done(1, {5, 0}));
  CHECK(after.begin(1, {5, 1}));
  CHECK(after.begin(1, {6, 0}));
  CHECK_FALSE(after.begin(1, {7, 0}));
}
