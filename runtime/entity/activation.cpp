#include "runtime/entity/activation.hpp"

#include <cstdio>
#include <exception>

namespace troupe {
namespace {

/// Why an entry cannot hold these changes; null when it can. The place of a message among those of its entry
/// has 16 bits, and a longer key would share its rows with another entity's.
const char* fault_in(const effects& changes, std::size_t row_bytes, std::string_view reply) {
  constexpr std::size_t head_bytes = 512;  // a key, ids and numbers
  if (changes.sends.size() > sends_max) return "more messages than one command may send";
  for (const auto& send : changes.sends) {
    if (send.target.key.empty() || send.target.key.size() > entity_key_bytes_max)
      return "a message to an entity whose key is empty or too long";
  }
  if (head_bytes + reply.size() + row_bytes + changes.bytes_at_most() > entry_bytes_max)
    return "more than one log entry may hold (16 MiB)";
  return nullptr;
}

}  // namespace

activation::activation(const kind_descriptor& kind, std::string key, std::unique_ptr<row_source> stored)
    : kind_(kind), rows_(std::move(stored)), entity_(kind.make()) {
  entity_->key_ = std::move(key);
  entity_->rows_ = &rows_;
  load();
}

void activation::load() {
  const auto row = rows_.get(state_table, {});
  if (!row) {
    entity_->version_ = 0;
    entity_->load_state({});
    return;
  }
  byte_reader in{*row};
  TROUPE_ASSERT(in.u8() == row_format, "stored state of an unknown format");
  entity_->version_ = in.varint();
  entity_->load_state(in.rest());
}

outcome activation::execute(const call& in, message_no message, std::string_view body, std::uint64_t batch,
                            const version_condition& expect) {
  outcome out;
  const auto* descriptor = kind_.find(message);
  if (descriptor == nullptr) {
    out.what = outcome::status::malformed;
    return out;
  }
  entity_->now_ = in.now;
  entity_->ids_ = id_source{in.id_seed};
  const auto fail = [&](const char* why) {
    std::fprintf(stderr, "troupe: %s failed on %s: %s\n", descriptor->name.c_str(), entity_->key_.c_str(),
                 why);
    out.what = outcome::status::failed;
    out.reply.clear();
  };
  try {
    auto done = descriptor->run(*entity_, body);
    out.what = static_cast<outcome::status>(done.what);
    out.reply = std::move(done.bytes);
  } catch (const std::exception& e) {
    fail(e.what());
  } catch (...) {
    fail("thrown by something that is no exception");
  }
  // Behind the handler: a refusal has to be the same whatever version was expected, or it would tell the
  // version of what the caller may not see.
  if (out.what == outcome::status::ok && !expect.holds_for(entity_->version_)) {
    out.what = outcome::status::version_mismatch;
    out.reply.clear();
  }
  if (out.what == outcome::status::ok) {
    put_state();
    if (const auto* fault = fault_in(entity_->effects_, rows_.open_bytes_at_most(), out.reply)) fail(fault);
  }
  if (out.what == outcome::status::ok) {
    seal(out, batch);
  } else {
    roll_back();
  }
  out.version = entity_->version_;
  return out;
}

void activation::put_state() {
  if (!entity_->edited_) return;
  std::string row;
  row.reserve(encoded_bytes_guess);
  row.push_back(row_format);
  byte_writer{row}.varint(++entity_->version_);
  entity_->save_state(row);
  rows_.put(state_table, {}, std::move(row));
}

void activation::seal(outcome& out, std::uint64_t batch) {
  entity_->edited_ = false;
  out.changes = std::exchange(entity_->effects_, {});
  out.changes.rows = rows_.seal(batch);
}

void activation::roll_back() {
  rows_.undo();
  entity_->effects_ = {};
  if (!entity_->edited_) return;
  entity_->edited_ = false;
  load();
}

}  // namespace troupe
