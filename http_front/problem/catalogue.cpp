#include "http_front/problem/catalogue.hpp"

#include "http_front/boot_error.hpp"
#include "http_front/problem/front_problems.hpp"
#include "runtime/entity/json_write.hpp"

namespace troupe::http {
namespace {

constexpr std::uint16_t refusal_max = 255;

}  // namespace

problem_catalogue::problem_catalogue(const std::vector<route_block>& blocks) {
  for (const auto& problem : all_front_problems()) add(problem.kind, problem.meaning);
  for (const auto& block : blocks) {
    if (block.problem_of == nullptr) continue;
    for (std::uint16_t code = 1; code <= refusal_max; ++code) {
      const auto kind = block.problem_of(code);
      if (!kind.slug.empty()) add(kind, kind.meaning);
    }
  }
  all_ = R"({"items":[)";
  for (const auto& [slug, page] : pages_) {
    if (all_.back() != '[') all_.push_back(',');
    all_ += page;
  }
  all_ += "]}";
}

void problem_catalogue::add(const problem_kind& kind, std::string_view meaning) {
  const auto [known, is_new] = known_.emplace(kind.slug, kind);
  if (!is_new) {
    // Kinds may share a type, e.g. not-found, but then it means the same.
    if (known->second.status != kind.status || known->second.title != kind.title)
      throw boot_error("problem type with two statuses or titles: " + std::string{kind.slug});
    return;
  }
  std::string page = R"({"type":)";
  write_json_string(page, "/problems/" + std::string{kind.slug});
  page += R"(,"title":)";
  write_json_string(page, kind.title);
  page += R"(,"status":)";
  write_json(page, kind.status);
  if (!meaning.empty()) {
    page += R"(,"meaning":)";
    write_json_string(page, meaning);
  }
  page += '}';
  pages_.emplace(kind.slug, std::move(page));
}

const std::string* problem_catalogue::find(std::string_view slug) const {
  const auto at = pages_.find(slug);
  return at == pages_.end() ? nullptr : &at->second;
}

}  // namespace troupe::http
