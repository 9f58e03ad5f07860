#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::history {

/// What one check has looked at, and what it has found.
struct check_result {
  std::string name{};
  std::string means{};  // in a few words
  std::uint64_t examined = 0;
  std::uint64_t violations = 0;
  std::vector<std::string> sentences{};  // of the first few violations
  std::string skipped{};                 // why it could not be made; then examined is 0

  /// Counts it; the text is kept while there are few.
  void violated(std::string sentence);
};

struct verdict {
  std::uint64_t operations = 0;
  std::uint64_t unknown = 0;  // outcomes
  std::uint64_t clients = 0;
  std::uint64_t entries = 0;  // committed, of all shards
  std::uint64_t replicas = 0;
  std::vector<check_result> checks;

  bool holds() const;
};

std::string to_text(const verdict& v, bool colour);
std::string to_json(const verdict& v);

}  // namespace troupe::history
