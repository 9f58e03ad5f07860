#include <doctest/doctest.h>

#include <limits>

#include "test/chaos/first_attempts.hpp"

using troupe::chaos::answer;
using troupe::chaos::first_attempts;
using troupe::chaos::front_client;

TEST_CASE("answer: it has an outcome when it says what is so") {
  struct row {
    int status;
    std::string problem;
    bool has_outcome;
  };
  const std::vector<row> rows{{0, "", false},
                              {200, "", true},
                              {409, "sold-out", true},
                              {409, "request-in-progress", false},
                              {422, "idempotency-key-reused", true},
                              {500, "internal-error", false},
                              {503, "overloaded", false},
                              {503, "outcome-unknown", false},
                              {504, "deadline-passed", false}};
  for (const auto& row : rows) {
    CAPTURE(row.status);
    CAPTURE(row.problem);
    CHECK(answer{row.status, {}, row.problem, 0, false}.has_outcome() == row.has_outcome);
  }
}

TEST_CASE("first attempts: a write that nobody answers is counted, and is not open any more") {
  first_attempts writes;
  // Port 1: nobody listens there.
  front_client front{{"http://127.0.0.1:1"}, "token", 0, 100};
  CHECK(writes.failed() == 0);
  CHECK(writes.ask(front, {"POST", "/api/v1/tasks", "{}", "key"}).status == 0);
  CHECK(writes.failed() == 1);
  CHECK(writes.failure(0) == "POST /api/v1/tasks: no answer");
  CHECK(writes.have_ended_from_before(std::numeric_limits<std::int64_t>::max()));
}
