#include "cli/flash_sale/ledger.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>

namespace troupe::flash_sale {
namespace {

/// The last part of a problem's type: /problems/sold-out is sold-out. Falls back to the status.
std::string refusal_reason(const client::response& answer) {
  boost::system::error_code error;
  const auto json = boost::json::parse(answer.body, error);
  if (!error && json.is_object()) {
    if (const auto* type = json.get_object().if_contains("type"); type != nullptr && type->is_string()) {
      const std::string_view text = type->get_string();
      const std::string_view slug = text.substr(text.rfind('/') + 1);
      if (!slug.empty() && slug != "about:blank") return std::string(slug);
    }
  }
  return fmt::format("status-{}", answer.status);
}

/// False when the receipt lacks something that the checks need.
bool read_receipt(std::string_view body, outcome& out) {
  boost::system::error_code error;
  const auto json = boost::json::parse(body, error);
  if (error || !json.is_object()) return false;
  const auto& o = json.get_object();
  const auto* id = o.if_contains("orderId");
  const auto* arrival = o.if_contains("arrival");
  const auto* quantity = o.if_contains("quantity");
  if (id == nullptr || !id->is_string() || arrival == nullptr || quantity == nullptr) return false;
  out.order_id = id->get_string();
  boost::system::error_code bad_arrival;
  boost::system::error_code bad_quantity;
  out.arrival = arrival->to_number<std::uint64_t>(bad_arrival);
  out.quantity = quantity->to_number<std::int64_t>(bad_quantity);
  return !bad_arrival && !bad_quantity;
}

}  // namespace

answer_weight weigh(const client::response& answer) {
  switch (answer.status) {
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return answer_weight::may_be_repeated;
    case 409:
      return answer.body.find("/request-in-progress\"") == std::string::npos ? answer_weight::settles
                                                                             : answer_weight::may_be_repeated;
    default:
      return answer_weight::settles;
  }
}

void sale_ledger::sent(std::size_t buyer, microseconds at) {
  auto& r = records_[buyer];
  if (r.attempts++ == 0) r.sent_at = at;
  r.loss = "no answer";
}

void sale_ledger::lost(std::size_t buyer, std::string_view why) {
  auto& r = records_[buyer];
  r.may_have_run = true;
  r.loss = why;
}

void sale_ledger::answered(std::size_t buyer, microseconds at, client::response&& answer) {
  auto& r = records_[buyer];
  if (at - last_answer_ > longest_.length) longest_ = {last_answer_, at - last_answer_};
  last_answer_ = at;
  r.answered_at = at;
  r.answer = std::move(answer);
  r.loss.clear();
  if (weigh(r.answer) == answer_weight::settles) {
    r.is_settled = true;
    ++settled_count_;
  } else if (r.answer.status != 429) {
    r.may_have_run = true;
  }
}

outcome sale_ledger::read(const record& r) {
  outcome out;
  out.attempts = r.attempts;
  out.sent_at = r.sent_at;
  out.answered_at = r.answered_at;
  const int status = r.answer.status;
  if (!r.loss.empty() || status == 0) {
    out.reason = r.attempts == 0 ? "never sent" : r.loss;
    return out;
  }
  if (status == 200 || status == 201) {
    out.is_replayed = r.answer.is_replayed;
    if (read_receipt(r.answer.body, out)) {
      out.decided = verdict::ordered;
    } else {
      out.reason = "unreadable receipt";
    }
    return out;
  }
  out.reason = refusal_reason(r.answer);
  // Only a decision of the SKU itself (409) says that no earlier attempt went through; any other refusal may
  // come from a gate in front of it.
  const bool is_final = r.is_settled || status == 429;
  if (is_final && (status == 409 || !r.may_have_run)) out.decided = verdict::refused;
  return out;
}

std::vector<outcome> sale_ledger::outcomes() const {
  std::vector<outcome> out;
  out.reserve(records_.size());
  for (const auto& r : records_) out.push_back(read(r));
  return out;
}

sale_ledger::silence sale_ledger::longest_silence() const { return longest_; }

}  // namespace troupe::flash_sale
