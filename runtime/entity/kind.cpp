#include "runtime/entity/kind.hpp"

namespace troupe {

kind_registry::kind_registry(std::vector<kind_descriptor> kinds) {
  for (auto& kind : kinds) {
    const std::string name{kind.options.name};
    const auto at = static_cast<std::size_t>(kind.options.id);
    TROUPE_ASSERT(at > 0, "kind without a number: " + name);
    TROUPE_ASSERT(find(name) == nullptr, "two kinds with the name " + name);
    if (by_id_.size() <= at) by_id_.resize(at + 1);
    TROUPE_ASSERT(by_id_[at].make == nullptr, "two kinds with the number of " + name);
    by_id_[at] = std::move(kind);
  }
}

const kind_descriptor* kind_registry::find(std::string_view name) const {
  for (const auto& kind : by_id_) {
    if (kind.make != nullptr && kind.options.name == name) return &kind;
  }
  return nullptr;
}

}  // namespace troupe
