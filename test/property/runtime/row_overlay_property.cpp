#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>

#include "runtime/entity/row_overlay.hpp"
#include "test/support/memory_rows.hpp"

using namespace troupe;

namespace {

constexpr table_no one_table{1};

/// An overlay above rows, beside a map that knows nothing of batches.
struct mirrored_overlay {
  test::memory_rows stored;
  row_overlay rows{stored.source()};
  std::map<std::string, std::string> model;
  std::map<std::string, std::string> model_before;  // at the last seal or undo
  struct applied_later {
    std::string key;
    std::optional<std::string> value;
  };
  std::vector<std::vector<applied_later>> unapplied;
  std::uint64_t sealed = 0;
  std::uint64_t applied = 0;

  static std::string any_key() { return std::string(1, *rc::gen::inRange('a', 'h')); }

  void step() {
    switch (*rc::gen::inRange(0, 8)) {
      case 0:
        // Two commands may share a batch.
        if (sealed == 0 || sealed == applied || *rc::gen::arbitrary<bool>()) {
          ++sealed;
          unapplied.emplace_back();
        }
        for (const auto& write : rows.seal(sealed)) {
          unapplied.back().push_back({std::string{write.key}, std::nullopt});
          if (write.value) unapplied.back().back().value = *write.value;
        }
        model_before = model;
        break;
      case 1:
        rows.undo();
        model = model_before;
        break;
      case 2:
        apply_one();
        break;
      case 3:
        if (!rows.has_open_writes()) rows.forget(applied);
        break;
      case 4: {
        const auto key = any_key();
        rows.put(one_table, key, std::nullopt);
        model.erase(key);
        break;
      }
      default: {
        const auto key = any_key();
        const auto value = *rc::gen::arbitrary<std::string>();
        rows.put(one_table, key, value);
        model[key] = value;
      }
    }
  }
  void apply_one() {
    if (unapplied.empty()) return;
    for (const auto& one : unapplied.front()) stored.apply({{one_table, one.key, one.value}});
    unapplied.erase(unapplied.begin());
    ++applied;
  }

  using pairs = std::vector<std::pair<std::string, std::string>>;
  pairs scanned(const row_range& range, scan_order order) const {
    pairs found;
    rows.scan(one_table, range, order, [&](std::string_view key, std::string_view value) {
      found.emplace_back(key, value);
      return true;
    });
    return found;
  }
  void check() const {
    for (char c = 'a'; c < 'h'; ++c) {
      const std::string key(1, c);
      const auto it = model.find(key);
      RC_ASSERT(rows.get(one_table, key) == (it == model.end() ? std::nullopt : std::optional{it->second}));
    }
    const row_range range{any_key(), *rc::gen::arbitrary<bool>() ? any_key() : ""};
    pairs expected;
    for (const auto& [key, value] : model) {
      if (key >= range.from && (range.to.empty() || key < range.to)) expected.emplace_back(key, value);
    }
    RC_ASSERT(scanned(range, scan_order::ascending) == expected);
    std::reverse(expected.begin(), expected.end());
    RC_ASSERT(scanned(range, scan_order::descending) == expected);
  }
};

}  // namespace

TEST_CASE("overlay: reads as one map whatever is written, sealed, undone, applied and forgotten") {
  CHECK(rc::check([] {
    mirrored_overlay m;
    const auto steps = *rc::gen::inRange(0, 60);
    for (int i = 0; i < steps; ++i) {
      m.step();
      m.check();
    }
    m.rows.undo();
    while (!m.unapplied.empty()) m.apply_one();
    m.rows.forget(m.sealed);
    RC_ASSERT(m.rows.size() == 0U);
  }));
}
