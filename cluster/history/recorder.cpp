#include "cluster/history/recorder.hpp"

#include <chrono>
#include <filesystem>

#include "cluster/history/records.hpp"
#include "runtime/store/durable_file.hpp"

namespace troupe::history {
namespace fs = std::filesystem;

std::int64_t history_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

client_recorder::client_recorder(const std::string& path) : file_(path, operations_title) {}

client_recorder::~client_recorder() {
  while (!open_.empty()) gave_up(open_.begin()->first);
}

client_recorder::ticket client_recorder::asked(const operation& what) {
  auto& op = open_[next_];
  op = what;
  op.outcome = outcome::unknown;
  op.returned_ns = never;
  op.invoked_ns = history_now();
  return next_++;
}

void client_recorder::answered(ticket which, const operation& reply) {
  const auto returned = history_now();
  const auto found = open_.find(which);
  if (found == open_.end()) return;
  auto op = found->second;
  open_.erase(found);
  if (reply.outcome != outcome::unknown) op.returned_ns = returned;
  op.outcome = reply.outcome;
  op.why = reply.why;
  op.is_replay = reply.is_replay;
  op.witness = reply.witness;
  op.said = reply.said;
  if (op.kind == op_kind::reserve && reply.order != 0) op.order = reply.order;
  add(op);
}

void client_recorder::gave_up(ticket which) { answered(which, {}); }

void client_recorder::add(const operation& whole) {
  write_operation(file_.record(), whole, last_ns_);
  file_.end_record();
}

bool client_recorder::flush() {
  file_.flush();
  return fault().empty();
}

recorder::recorder(std::string directory, const std::vector<sku_setup>& skus)
    : directory_(std::move(directory)) {
  std::error_code fault;
  fs::create_directories(directory_, fault);
  const auto setup = directory_ + "/setup.json";
  if (fault) {
    fault_ = "cannot make " + directory_ + ": " + fault.message();
  } else if (fs::exists(setup)) {
    fault_ = directory_ + " has a history already";
  } else if (const auto why = replace_file(setup, setup_to_json(skus))) {
    fault_ = *why;
  }
}

std::unique_ptr<client_recorder> recorder::client() {
  return std::make_unique<client_recorder>(directory_ + "/operations-" + std::to_string(++clients_));
}

}  // namespace troupe::history
