#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

namespace {

/// doctest passes a test case that asserts nothing, and a filter that no test case matches (CTest filters by
/// name: a name that it cannot quote would pass unseen). Here both are failures.
struct no_empty_tests : doctest::IReporter {
  explicit no_empty_tests(const doctest::ContextOptions&) {}
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats& stats) override {
    if (stats.numTestCasesPassingFilters > 0) return;
    std::fprintf(stderr, "no test case has that name\n");
    found_empty = true;
  }
  void test_case_start(const doctest::TestCaseData& data) override { current_ = data.m_name; }
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats& stats) override {
    if (stats.numAssertsCurrentTest > 0) return;
    std::fprintf(stderr, "test case without any assertion: %s\n", current_);
    found_empty = true;
  }
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}

  static inline bool found_empty = false;
  const char* current_ = "";
};

DOCTEST_REGISTER_LISTENER("no_empty_tests", 1, no_empty_tests);

}  // namespace

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  const int failed = context.run();
  if (context.shouldExit()) return failed;
  return no_empty_tests::found_empty ? 1 : failed;
}
