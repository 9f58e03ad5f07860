#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "actors/kinds.hpp"
#include "actors/sku/sku.hpp"
#include "cli/program.hpp"

namespace {

using namespace troupe;

handled (*place_order)(entity_base&, std::string_view) = nullptr;

/// Orders as it should, and tells one buyer in a hundred what the buyer before was told.
handled place_order_and_forget(entity_base& sku, std::string_view body) {
  constexpr std::uint64_t one_in = 100;
  static std::atomic<std::uint64_t> count{0};
  thread_local std::string told_before;
  auto out = place_order(sku, body);
  if (out.what != handled::status::ok) return out;
  if (++count % one_in == 0 && !told_before.empty()) out.bytes = told_before;
  told_before = out.bytes;
  return out;
}

kind_registry kinds_with_a_bug() {
  const auto right = all_kinds();
  std::vector<kind_descriptor> kinds;
  for (int id = 0; id < 256; ++id)
    if (const auto* kind = right.find(static_cast<kind_id>(id))) kinds.push_back(*kind);
  for (auto& kind : kinds) {
    if (kind.options.id != sku::kind::options.id) continue;
    auto& message = kind.messages[static_cast<std::size_t>(sku::kind::number_of<sku::place_order>())];
    place_order = std::exchange(message.run, place_order_and_forget);
  }
  return kind_registry{std::move(kinds)};
}

}  // namespace

/// `troupe` with a bug: a run of chaos against it has to fail, or what holds in a run proves nothing.
int main(int argc, char** argv) {
  cli::program_parts parts;
  parts.kinds = kinds_with_a_bug;
  return cli::run_program(argc, argv, parts);
}
