#include <algorithm>
#include <span>

#include "cluster/history/checks.hpp"

namespace troupe::history {
namespace {

struct logged_command {
  command_id command;
  std::uint32_t shard = 0;
  const log_entry* entry = nullptr;
  bool operator<(const logged_command& other) const { return command < other.command; }
};

/// Timers and what changes no stock are nobody's; all else was asked by somebody, and is looked for under its
/// command even when that has no name.
bool is_asked(op_kind kind) { return kind != op_kind::expire && kind != op_kind::other; }

std::vector<logged_command> commands_in(const committed_logs& logs) {
  std::vector<logged_command> out;
  for (const auto& [shard, log] : logs)
    for (std::uint64_t index = 1; index <= log.commit; ++index)
      if (const auto& entry = log.at(index); entry.command != command_id{} || is_asked(entry.kind))
        out.push_back({entry.command, shard, &entry});
  std::stable_sort(out.begin(), out.end());
  return out;
}

bool must_be_logged(op_kind kind) { return kind == op_kind::reserve || kind == op_kind::restock; }

/// One command: all its attempts, and its entries, of which there should be one at most.
class one_command {
 public:
  one_command(std::span<const operation* const> attempts, std::span<const logged_command> logged,
              const committed_logs& logs, const sku_table& skus, check_result& result,
              std::vector<step>& steps)
      : attempts_(attempts), logged_(logged), logs_(logs), skus_(skus), result_(result), steps_(steps) {}

  void check() {
    if (logged_.size() > 1)
      result_.violated("a command was done twice: " + to_string(*logged_[0].entry) + ", and " +
                       to_string(*logged_[1].entry));
    if (attempts_.empty()) {
      if (!logged_.empty()) result_.violated("no client has asked for this: " + to_string(*logged_[0].entry));
      return;
    }
    check_meaning();
    if (logged_.empty()) {
      for (const auto* op : attempts_) place_unlogged(*op);
    } else {
      place_logged(logged_.front());
    }
  }

 private:
  void check_meaning() {
    const auto& first = *attempts_.front();
    for (const auto* op : attempts_)
      if (op->kind != first.kind || op->sku != first.sku || op->quantity != first.quantity ||
          (op->order != first.order && op->kind != op_kind::reserve))
        result_.violated("one command id has two meanings: " + to_string(first) + "; and " + to_string(*op));
  }

  void place_unlogged(const operation& op) {
    if (op.outcome == outcome::unknown) return;  // it was not done
    if (op.outcome == outcome::ok && must_be_logged(op.kind)) {
      result_.violated("acknowledged and lost, no committed entry has it: " + to_string(op));
      return;
    }
    place_read(op);
  }

  void place_read(const operation& op) {
    steps_.push_back({op.invoked_ns, op.returned_ns, op.witness.index, &op, skus_.at(op.sku).shard, false});
  }

  void place_logged(const logged_command& logged) {
    const auto& entry = *logged.entry;
    // A refused attempt has not made the entry: it does not open the time in which it may have been made.
    const auto may_have = std::find_if(attempts_.begin(), attempts_.end(),
                                       [](const operation* op) { return op->outcome != outcome::rejected; });
    step s{.invoked_ns = (may_have != attempts_.end() ? *may_have : attempts_.front())->invoked_ns,
           .returned_ns = never,
           .index = entry.at.index,
           .op = attempts_.front(),
           .shard = logged.shard,
           .is_write = true};
    const operation* first_ok = nullptr;
    for (const auto* op : attempts_) {
      if (op->outcome == outcome::ok) {
        check_ok(*op, entry, first_ok);
        // Whoever names a place has seen that far by then.
        if (op->is_replay && op->witness.index > entry.at.index)
          steps_.push_back({.invoked_ns = s.invoked_ns,
                            .returned_ns = op->returned_ns,
                            .index = op->witness.index,
                            .op = op,
                            .shard = logged.shard,
                            .is_replay = true});
        s.returned_ns = std::min(s.returned_ns, op->returned_ns);
        if (first_ok == nullptr) s.op = first_ok = op;
      } else if (op->outcome == outcome::rejected) {
        if (op->witness.index >= entry.at.index)
          result_.violated("refused although it had been done: " + to_string(*op) + "; " + to_string(entry));
        place_read(*op);
      }
    }
    if (may_have == attempts_.end())
      result_.violated("refused each time, and done all the same: " + to_string(*attempts_.front()) + "; " +
                       to_string(entry));
    check_same(*s.op, logged);
    steps_.push_back(s);
  }

  void check_ok(const operation& op, const log_entry& entry, const operation* first_ok) {
    const bool is_there =
        op.is_replay ? op.witness.index >= entry.at.index && is_committed(op) : op.witness == entry.at;
    if (!is_there)
      result_.violated("acknowledged at another place than it has in the log: " + to_string(op) + "; " +
                       to_string(entry));
    if (first_ok != nullptr && (first_ok->said != op.said || first_ok->order != op.order))
      result_.violated("one command was answered in two ways: " + to_string(*first_ok) + "; and " +
                       to_string(op));
  }

  /// What it reflects is a committed entry of its shard.
  bool is_committed(const operation& op) const {
    const auto log = logs_.find(skus_.at(op.sku).shard);
    if (log == logs_.end() || op.witness.index > log->second.commit) return false;
    return log->second.at(op.witness.index).at.epoch == op.witness.epoch;
  }

  void check_same(const operation& op, const logged_command& logged) {
    const auto& entry = *logged.entry;
    const bool is_same = op.kind == entry.kind && op.sku == entry.sku && op.quantity == entry.quantity &&
                         (op.order == 0 || op.order == entry.order);
    if (!is_same || skus_.at(op.sku).shard != logged.shard)
      result_.violated("logged as something else than was asked: " + to_string(op) + "; " + to_string(entry));
  }

  std::span<const operation* const> attempts_;
  std::span<const logged_command> logged_;
  const committed_logs& logs_;
  const sku_table& skus_;
  check_result& result_;
  std::vector<step>& steps_;
};

}  // namespace

check_result check_commands(const recorded_history& history, const sku_table& skus,
                            const std::vector<std::uint32_t>& order, const committed_logs& logs,
                            std::vector<step>& out) {
  check_result result{.name = "commands",
                      .means = "what was acknowledged is in the log, once and where it was said"};
  const auto logged = commands_in(logs);
  out.reserve(history.operations.size());
  std::vector<const operation*> attempts;
  std::size_t l = 0;
  for (std::size_t i = 0; i < order.size() || l < logged.size();) {
    // The next command that either side has.
    const bool has_operation = i < order.size();
    const auto* first = has_operation ? &history.operations[order[i]].command : nullptr;
    const auto command =
        has_operation && (l == logged.size() || *first <= logged[l].command) ? *first : logged[l].command;
    attempts.clear();
    for (; i < order.size() && history.operations[order[i]].command == command; ++i)
      attempts.push_back(&history.operations[order[i]]);
    const auto begin = l;
    while (l < logged.size() && logged[l].command == command) ++l;
    result.examined += std::max<std::size_t>(attempts.size(), 1);
    one_command{attempts, std::span{logged}.subspan(begin, l - begin), logs, skus, result, out}.check();
  }
  return result;
}

}  // namespace troupe::history
