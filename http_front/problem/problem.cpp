#include "http_front/problem/problem.hpp"

#include <algorithm>

#include "runtime/entity/json_write.hpp"

namespace troupe::http {
namespace {

/// Of those shown: who sends thousands of wrong fields gets no answer that is larger still.
constexpr std::size_t errors_max = 32;

/// Paths and details may hold what a client sent; what is not plain text is shown as `?`.
void write_text(std::string& out, std::string_view text) {
  const bool ascii =
      std::all_of(text.begin(), text.end(), [](char c) { return static_cast<signed char>(c) >= 0; });
  if (ascii) return write_json_string(out, text);
  std::string shown{text};
  for (auto& c : shown) {
    if (static_cast<signed char>(c) < 0) c = '?';
  }
  write_json_string(out, shown);
}

}  // namespace

void write_problem(std::string& out, const problem& what) {
  out.append(R"({"type":"/problems/)");
  out.append(what.kind.slug);
  out.append(R"(","title":)");
  write_json_string(out, what.kind.title);
  out.append(R"(,"status":)");
  write_json(out, what.kind.status);
  if (!what.detail.empty()) {
    out.append(R"(,"detail":)");
    write_json_string(out, what.detail);
  }
  if (!what.instance.empty()) {
    out.append(R"(,"instance":)");
    write_text(out, what.instance);
  }
  if (!what.errors.empty()) {
    out.append(R"(,"errors":[)");
    for (const auto& error : what.errors.first(std::min(what.errors.size(), errors_max))) {
      if (out.back() != '[') out.push_back(',');
      write_json(out, error);
    }
    out.push_back(']');
  }
  for (const auto& field : what.fields) {
    out.push_back(',');
    write_json_string(out, field.name);
    out.push_back(':');
    write_json_string(out, field.value);
  }
  if (!what.trace_id.empty()) {
    out.append(R"(,"traceId":)");
    write_json_string(out, what.trace_id);
  }
  out.push_back('}');
}

}  // namespace troupe::http
