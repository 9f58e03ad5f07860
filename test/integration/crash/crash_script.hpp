#pragma once

#include <cstring>
#include <string>

#include "actors/inbox/inbox.hpp"
#include "actors/sku/sku.hpp"
#include "actors/task/task.hpp"
#include "runtime/host/command.hpp"

/// What the process that gets killed does: command number n is the same in every life, so that a life can
/// repeat what the one before did not see answered.
namespace troupe::crash {

inline constexpr std::uint64_t skus = 3;
inline constexpr std::uint64_t users = 7;
inline constexpr std::int64_t stock = 1'000'000;

inline user_id user_of(std::uint64_t n) {
  user_id id;
  id.bytes[0] = 7;
  id.bytes[15] = static_cast<std::uint8_t>(n % users);
  return id;
}
inline std::string sku_of(std::uint64_t n) { return "sku-" + std::to_string(n % skus); }
inline bool is_order(std::uint64_t n) { return n % 2 == 0; }
inline std::string task_key_of(std::uint64_t n) {
  uuid id;
  for (std::size_t i = 0; i < 8; ++i) id.bytes[8 + i] = static_cast<std::uint8_t>(n >> (8 * i));
  id.bytes[0] = 0x11;
  return to_string(id);
}

inline command numbered_command(std::uint64_t n) {
  command what;
  if (is_order(n)) {
    what.target = {sku::kind::options.id, sku_of(n / 2)};
    what.message = sku::kind::number_of<sku::place_order>();
    what.body = encode(sku::place_order{user_of(n), 1});
  } else {
    task::create create;
    create.title = "task " + std::to_string(n);
    create.user = user_of(n);
    create.creator = user_of(n + 1);
    what.target = {task::kind::options.id, task_key_of(n)};
    what.message = task::kind::number_of<task::create>();
    what.body = encode(create);
  }
  what.id.bytes.fill('c');
  std::memcpy(what.id.bytes.data(), &n, sizeof n);
  what.fingerprint = n;
  what.deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  return what;
}

}  // namespace troupe::crash
