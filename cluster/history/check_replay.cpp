#include <algorithm>
#include <memory>
#include <set>
#include <span>
#include <tuple>

#include "cluster/history/checks.hpp"
#include "cluster/history/stock_model.hpp"

namespace troupe::history {
namespace {

/// One shard: its log from the first entry to the last, the model beside it, and each reply at its place.
class shard_replay {
 public:
  shard_replay(const committed_log& log, std::span<const step> steps, const recorded_history& history,
               const sku_table& skus, std::uint32_t shard, replay_results& out)
      : log_(log), steps_(steps), out_(out) {
    for (const auto& [sku, setup] : skus)
      if (setup.shard == shard) models_.emplace(sku, stock_model{setup});
    for (const auto& r : history.replicas)
      if (r.shard == shard) replicas_.push_back(&r);
  }

  void run() {
    look_at_replicas(0);
    answer_reads(0);
    for (std::uint64_t index = 1; index <= log_.commit; ++index) {
      apply(log_.at(index));
      answer_reads(index);
      look_at_replicas(index);
    }
    for (; next_ < steps_.size(); ++next_)
      out_.replies.violated("the reply reflects index " + std::to_string(steps_[next_].index) +
                            ", the committed log ends at " + std::to_string(log_.commit) + ": " +
                            to_string(*steps_[next_].op));
    for (const auto* r : replicas_)
      if (r->applied > log_.commit)
        out_.states.violated(name_of(*r) + " has applied index " + std::to_string(r->applied) +
                             ", and only " + std::to_string(log_.commit) + " are committed");
  }

 private:
  static std::string name_of(const replica_dump& r) {
    return "node " + std::to_string(r.node) + ", shard " + std::to_string(r.shard);
  }

  void apply(const log_entry& entry) {
    const auto* write = write_at(entry.at.index);
    if (entry.kind == op_kind::other) {
      if (write != nullptr) out_.replies.violated("its entry changes nothing: " + to_string(*write));
      return;
    }
    ++out_.rows.examined;
    const auto found = models_.find(entry.sku);
    if (found == models_.end()) {
      out_.rows.violated("a SKU of another shard: " + to_string(entry));
      return;
    }
    auto& model = found->second;
    const auto expected = model.apply(entry.kind, entry.order, entry.quantity);
    if (is_broken(entry.sku)) return;
    if (!expected.changes) {
      broken(out_.rows, entry.sku,
             "logged, and must have been refused (" + std::string{to_string(expected.why)} +
                 ") or change nothing: " + to_string(entry));
    } else if (entry.after != model.counts() || !model.is_balanced(entry.after)) {
      broken(out_.rows, entry.sku,
             "wrote other counts than available " + std::to_string(model.counts().available) + ", reserved " +
                 std::to_string(model.counts().reserved) + ", sold " + std::to_string(model.counts().sold) +
                 ": " + to_string(entry));
    }
    if (write != nullptr && write->outcome == outcome::ok) check_reply(*write, model, expected);
  }

  /// The operation whose entry this is, when its place was found.
  const operation* write_at(std::uint64_t index) {
    const operation* out = nullptr;
    // Two writes at one index: the second one's acknowledgement was found false already.
    for (; next_ < steps_.size() && steps_[next_].index == index && steps_[next_].is_write; ++next_)
      out = steps_[next_].op;
    return out;
  }

  void answer_reads(std::uint64_t index) {
    for (; next_ < steps_.size() && steps_[next_].index == index; ++next_) {
      const auto& op = *steps_[next_].op;
      const auto found = models_.find(op.sku);
      if (found == models_.end() || is_broken(op.sku)) continue;
      if (index > 0 && op.witness.epoch != log_.at(index).at.epoch)
        out_.replies.violated("the entry that it reflects is of another epoch: " + to_string(op));
      const auto expected = found->second.ask(op.kind, op.order, op.quantity);
      check_reply(op, found->second, expected);
      // Told ok, and nothing was written: only right when there was nothing to do.
      if (op.outcome == outcome::ok && expected.changes)
        broken(out_.replies, op.sku, "acknowledged and lost, no committed entry has it: " + to_string(op));
    }
  }

  void check_reply(const operation& op, const stock_model& model, const stock_model::answer& expected) {
    ++out_.replies.examined;
    if (model.allows(op, expected)) return;
    const auto right = expected.what == outcome::ok
                           ? std::string{"ok"}
                           : "rejected (" + std::string{to_string(expected.why)} + ")";
    broken(out_.replies, op.sku,
           "the reply should be " + right + " with available " + std::to_string(model.counts().available) +
               ", reserved " + std::to_string(model.counts().reserved) + ", sold " +
               std::to_string(model.counts().sold) + ": " + to_string(op));
  }

  void look_at_replicas(std::uint64_t index) {
    for (const auto* r : replicas_) {
      if (r->applied != index) continue;
      compare_rows(*r);
      compare_orders(*r);
      if (digest_of_ != nullptr && digest_of_->applied == index && digest_of_->digest != r->digest)
        out_.states.violated(name_of(*r) + " has other rows than node " + std::to_string(digest_of_->node) +
                             " at index " + std::to_string(index));
      digest_of_ = r;
    }
  }

  void compare_rows(const replica_dump& r) {
    std::set<std::uint32_t> seen;
    for (const auto& rows : r.skus) {
      ++out_.states.examined;
      if (!seen.insert(rows.sku).second)
        out_.states.violated(name_of(r) + " has SKU " + std::to_string(rows.sku) + " twice");
      const auto found = models_.find(rows.sku);
      const bool is_right = found != models_.end() && rows.counts == found->second.counts() &&
                            rows.initial == found->second.initial() &&
                            rows.restocked == found->second.restocked();
      if (!is_right && !is_broken(rows.sku))
        out_.states.violated(name_of(r) + ": SKU " + std::to_string(rows.sku) +
                             " has other units than its log says");
    }
    if (r.skus.size() != models_.size())
      out_.states.violated(name_of(r) + " has rows of " + std::to_string(r.skus.size()) +
                           " SKUs, and there are " + std::to_string(models_.size()));
  }

  void compare_orders(const replica_dump& r) {
    std::size_t expected = 0;
    for (const auto& [sku, model] : models_) expected += model.orders().size();
    if (r.orders.size() != expected)
      out_.states.violated(name_of(r) + " has " + std::to_string(r.orders.size()) + " orders, its log " +
                           std::to_string(expected));
    std::set<std::pair<std::uint32_t, std::uint64_t>> seen;
    for (const auto& row : r.orders) {
      ++out_.states.examined;
      const auto model = models_.find(row.sku);
      const auto* order = model == models_.end() ? nullptr : find_order(model->second, row.order);
      if (order == nullptr || order->quantity != row.quantity || order->status != row.status)
        out_.states.violated(name_of(r) + ": order " + std::to_string(row.order) + " of SKU " +
                             std::to_string(row.sku) + " is " + std::string{to_string(row.status)} +
                             ", its log says " +
                             (order == nullptr ? "there is none" : std::string{to_string(order->status)}));
      if (!seen.insert({row.sku, row.order}).second)
        out_.states.violated(name_of(r) + " has order " + std::to_string(row.order) + " of SKU " +
                             std::to_string(row.sku) + " twice");
    }
  }

  static const stock_model::order_state* find_order(const stock_model& model, std::uint64_t order) {
    const auto found = model.orders().find(order);
    return found == model.orders().end() ? nullptr : &found->second;
  }

  // After the first difference everything later of that SKU differs too, and says nothing new.
  bool is_broken(std::uint32_t sku) const { return broken_.contains(sku); }
  void broken(check_result& where, std::uint32_t sku, std::string sentence) {
    if (broken_.insert(sku).second) where.violated(std::move(sentence));
  }

  const committed_log& log_;
  std::span<const step> steps_;
  replay_results& out_;
  std::unordered_map<std::uint32_t, stock_model> models_;
  std::vector<const replica_dump*> replicas_;
  const replica_dump* digest_of_ = nullptr;
  std::set<std::uint32_t> broken_;
  std::size_t next_ = 0;
};

}  // namespace

replay_results check_replay(const recorded_history& history, const sku_table& skus,
                            const committed_logs& logs, std::vector<step>& steps) {
  replay_results out;
  out.replies = {.name = "replies", .means = "every reply is what the commands before it make of it"};
  out.rows = {.name = "rows", .means = "every entry keeps initial + restocked = available + reserved + sold"};
  out.states = {.name = "states", .means = "replicas end with equal rows, each order once, as the log says"};
  std::erase_if(steps, [](const step& s) { return s.is_replay; });
  std::sort(steps.begin(), steps.end(), [](const step& a, const step& b) {
    return std::tuple{a.shard, a.index, !a.is_write, a.invoked_ns} <
           std::tuple{b.shard, b.index, !b.is_write, b.invoked_ns};
  });
  auto begin = steps.begin();
  while (begin != steps.end()) {
    const auto shard = begin->shard;
    const auto end = std::find_if(begin, steps.end(), [&](const step& s) { return s.shard != shard; });
    if (!logs.contains(shard))
      out.replies.violated(
          "shard " + std::to_string(shard) +
          " has answered, and no replica has dumped a whole log of it: " + to_string(*begin->op));
    begin = end;
  }
  for (const auto& [shard, log] : logs) {
    const auto is_before = [](const step& s, std::uint32_t of) { return s.shard < of; };
    const auto first = std::lower_bound(steps.begin(), steps.end(), shard, is_before);
    const auto last = std::lower_bound(first, steps.end(), shard + 1, is_before);
    shard_replay{log, std::span<const step>{first, last}, history, skus, shard, out}.run();
  }
  return out;
}

}  // namespace troupe::history
