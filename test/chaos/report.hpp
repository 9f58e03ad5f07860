#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::chaos {

struct round_result {
  std::string fault;
  double gap_ms = 0;                // the longest time without an answer about one SKU
  std::vector<double> pauses_ms{};  // the same of each SKU that was handed over in peace, away and back
  double recovery_ms = 0;           // from the fault's end until every copy is in sync again
  bool is_recovered = true;
  std::uint64_t failed_probes = 0;
  std::uint64_t failed_writes = 0;  // that had no outcome at their first attempt
};

struct chaos_report {
  std::uint64_t seed = 0;
  double seconds = 0;
  std::vector<round_result> rounds;
  std::uint64_t attempts = 0, answered = 0, unknown = 0, given_up = 0, probes = 0;
  std::uint64_t tasks = 0, reminders = 0;  // each of which was told once
  std::size_t logs = 0, logs_without_beginning = 0;
  std::vector<std::string> faults;  // what must not be, in sentences
  std::string verdict;              // of `troupe verify`, as it prints it

  bool holds() const { return faults.empty(); }
};

std::string to_text(const chaos_report& of);
std::string to_json(const chaos_report& of);

}  // namespace troupe::chaos
