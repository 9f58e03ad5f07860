#include "test/simulation/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace troupe::simulation {
namespace {

std::uint64_t id_of(const command& c) { return (static_cast<std::uint64_t>(c.client) << 32U) | c.number; }
std::uint64_t name_of(std::uint64_t epoch, std::uint64_t index) { return (epoch << 32U) | index; }

}  // namespace

void judge::fail(std::string what, std::string detail) {
  if (!found_) found_ = violation{std::move(what), std::move(detail), now_};
}

bool judge::holds_committed(shard_id shard, const shard_image& log) const {
  // A snapshot is of committed entries, so one beyond what the judge saw committed cannot be.
  return holds(shard, log, committed(shard)) && (committed(shard) == 0 || log.start <= committed(shard) + 1);
}

bool judge::holds(shard_id shard, const shard_image& log, std::uint64_t index) const {
  if (index == 0) return true;
  if (log.last() < index) return false;
  // In the middle of a snapshot it cannot be told; the snapshot itself is checked where it is made.
  return index + 1 < log.start || log.chain_at(index) == chain_at(shard, index);
}

void judge::on_acknowledged(shard_id shard, member by, std::uint64_t epoch, std::uint64_t match) {
  auto& so_far = shards_[shard].acknowledged[by][epoch];
  so_far = std::max(so_far, match);
}

std::uint64_t judge::acknowledged(shard_id shard, member by, std::uint64_t epoch) const {
  const auto& all = shards_[shard].acknowledged;
  const auto of = all.find(by);
  if (of == all.end()) return 0;
  const auto in = of->second.find(epoch);
  return in == of->second.end() ? 0 : in->second;
}

void judge::on_primary(shard_id shard, std::uint64_t epoch, member who, const shard_image& log) {
  auto& truth = shards_[shard];
  const auto [at, is_new] = truth.primaries.emplace(epoch, who);
  if (!is_new) fail("I1", fmt::format("shard {} epoch {}: two primaries", shard, epoch));
  // What later epochs have committed it may lack: it learns late that it once won, and cannot commit
  // anything.
  std::uint64_t committed = 0;
  for (const auto& [in, index] : truth.committed_in)
    if (in < epoch) committed = std::max(committed, index);
  if (log.last() < committed || (committed > 0 && log.chain_at(committed) != 0 &&
                                 log.chain_at(committed) != truth.entries[committed - 1].chain))
    fail("I6", fmt::format("shard {} epoch {}: node {} lacks committed entries: log ends at {}, committed {}",
                           shard, epoch, static_cast<int>(who.node), log.last(), committed));
}

void judge::on_written(shard_id shard, member by, std::uint64_t index, const log_record& record) {
  auto& truth = shards_[shard];
  const auto [at, is_new] = truth.names.emplace(name_of(record.epoch, index), record.chain);
  if (!is_new) {
    if (at->second != record.chain)
      fail("I2", fmt::format("shard {} ({}, {}): two entries or two pasts", shard, record.epoch, index));
    return;
  }
  const auto owner = truth.primaries.find(record.epoch);
  if (owner == truth.primaries.end() || owner->second != by)
    fail("I2", fmt::format("shard {} ({}, {}): not made by its epoch's primary", shard, record.epoch, index));
}

void judge::on_truncated(shard_id shard, member by, std::uint64_t last, std::uint64_t commit) {
  if (last < commit)
    fail("I8", fmt::format("shard {} node {}: cut to {} below its commit {}", shard,
                           static_cast<int>(by.node), last, commit));
}

void judge::commit(shard_truth& truth, shard_id shard, std::uint64_t index, const log_record& record) {
  const auto& by = record.entry.by;
  if (by.what != operation::none) {
    // The witness: executing the command on the state before must give exactly this entry (C1).
    std::optional<stock_entry> expected;
    truth.state.execute(by, expected);
    if (!expected || !(expected->answer == record.entry.answer) || !(expected->sku == record.entry.sku))
      fail("C1",
           fmt::format("shard {} index {}: not what the command does to the state before", shard, index));
    const auto [at, is_new] = truth.commands.emplace(id_of(by), place{index, record.entry.answer});
    if (!is_new)
      fail("I11", fmt::format("shard {}: command {}/{} at {} and at {}", shard, by.client, by.number,
                              at->second.index, index));
    if (truth.failed.contains(id_of(by)))
      fail("C4", fmt::format("shard {} index {}: was reported as failed", shard, index));
  }
  truth.state.apply(record.entry);
  if (by.what != operation::none) truth.versions[by.sku].emplace_back(index, truth.state.hash_of_sku(by.sku));
  if (!truth.state.is_balanced())
    fail("C2", fmt::format("shard {} index {}: units not conserved", shard, index));
  truth.entries.push_back({record.chain, truth.state.hash()});
}

void judge::on_committed(shard_id shard, std::uint64_t epoch, const shard_image& log, std::uint64_t index) {
  auto& truth = shards_[shard];
  auto& last = truth.committed_in[epoch];
  last = std::max(last, index);
  const auto known = std::min<std::uint64_t>(index, truth.entries.size());
  if (known > 0) {
    const auto chain = log.chain_at(known);
    if (chain != 0 && chain != truth.entries[known - 1].chain)
      return fail("I5", fmt::format("shard {}: two different logs committed up to {}", shard, known));
  }
  if (index > log.last()) return fail("I10", fmt::format("shard {}: commit {} beyond the log", shard, index));
  for (auto i = truth.entries.size() + 1; i <= index; ++i) {
    if (i < log.start) return fail("I5", fmt::format("shard {}: committed past {} in a snapshot", shard, i));
    commit(truth, shard, i, log.at(i));
  }
}

void judge::on_applied(shard_id shard, std::uint64_t index, const stock& state) {
  const auto& truth = shards_[shard];
  if (index == 0) return;
  if (index > truth.entries.size())
    return fail("I10", fmt::format("shard {}: {} applied and not committed", shard, index));
  if (truth.entries[index - 1].state != state.hash())
    fail("I13", fmt::format("shard {} index {}: another state than the log's", shard, index));
}

void judge::on_write_answered(shard_id shard, std::uint64_t epoch, std::uint64_t index, const command& what,
                              const reply& answer) {
  auto& truth = shards_[shard];
  const auto at = truth.commands.find(id_of(what));
  if (at == truth.commands.end() || at->second.index != index)
    return fail("I10",
                fmt::format("shard {} ({}, {}): answered, and not committed there", shard, epoch, index));
  if (!(at->second.answer == answer))
    fail("I11", fmt::format("shard {} index {}: another reply", shard, index));
  auto& revealed = truth.revealed[what.sku];
  revealed = std::max(revealed, index);
}

void judge::on_read_answered(shard_id shard, const seen_state& seen) {
  auto& truth = shards_[shard];
  // I9 without leases: when it was evaluated, nothing newer had been revealed by anybody.
  if (seen.index < seen.floor)
    fail("I9",
         fmt::format("shard {}: a read of index {} after {} was revealed", shard, seen.index, seen.floor));
  if (seen.index > truth.entries.size())
    return fail("I10", fmt::format("shard {}: a read of index {} before its commit", shard, seen.index));
  const auto& versions = truth.versions[seen.sku];
  const auto next = std::upper_bound(versions.begin(), versions.end(), seen.index,
                                     [](std::uint64_t index, const auto& v) { return index < v.first; });
  const auto hash = next == versions.begin() ? 0 : std::prev(next)->second;
  if (hash != seen.hash)
    fail("C1", fmt::format("shard {} index {}: a read of another state than the log's", shard, seen.index));
  auto& revealed = truth.revealed[seen.sku];
  revealed = std::max(revealed, seen.index);
}

void judge::on_repeat_answered(shard_id shard, std::uint64_t index, const command& what,
                               const reply& answer) {
  const auto& truth = shards_[shard];
  const auto at = truth.commands.find(id_of(what));
  if (at == truth.commands.end() || at->second.index > index)
    return fail("I10", fmt::format("shard {}: a reply repeated at {} before its commit", shard, index));
  if (!(at->second.answer == answer))
    fail("I11", fmt::format("shard {} index {}: another reply", shard, at->second.index));
  auto& revealed = shards_[shard].revealed[what.sku];
  revealed = std::max(revealed, at->second.index);
}

void judge::on_failed(shard_id shard, const command& what) {
  auto& truth = shards_[shard];
  truth.failed.emplace(id_of(what), true);
  if (truth.commands.contains(id_of(what)))
    fail("C4", fmt::format("shard {}: command {}/{} reported as failed, and committed", shard, what.client,
                           what.number));
}

void judge::on_position(shard_id shard, member who, const replication::replica_meta& meta) {
  auto& before = shards_[shard].positions[who];
  if (meta.generation < before.generation || meta.epoch < before.epoch || meta.revision < before.revision ||
      meta.fence_revision < before.fence_revision)
    fail("I12",
         fmt::format("shard {} node {}: epoch {} after {}, revision {} after {}", shard,
                     static_cast<int>(who.node), meta.epoch, before.epoch, meta.revision, before.revision));
  before = meta;
}

}  // namespace troupe::simulation
