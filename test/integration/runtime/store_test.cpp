#include "runtime/store/store.hpp"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

using namespace troupe;

namespace {

/// One byte more than RocksDB takes, and no memory: nothing ever looks at it.
class oversized_value {
 public:
  oversized_value() { REQUIRE(at_ != MAP_FAILED); }
  ~oversized_value() { ::munmap(at_, bytes); }
  oversized_value(const oversized_value&) = delete;
  oversized_value& operator=(const oversized_value&) = delete;
  std::string_view view() const { return {static_cast<const char*>(at_), bytes}; }

 private:
  static constexpr std::size_t bytes = std::size_t{1} << 32U;
  void* at_ = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
};

/// Whether a process that does this is ended by an assertion.
bool aborts(const std::function<void()>& what) {
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    ::close(STDERR_FILENO);
    what();
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

}  // namespace

TEST_CASE("store: what RocksDB does not take into a batch ends the process and never counts as written") {
  const oversized_value large;
  store_batch batch;
  CHECK(aborts([&] { batch.put_frame(1, large.view()); }));
  CHECK(aborts([&] { batch.put_row("row", large.view()); }));
  CHECK(aborts([&] { batch.put_reply(0, "0123456789abcdef", large.view()); }));
  CHECK_FALSE(aborts([&] { batch.put_row("row", "value"); }));
}
