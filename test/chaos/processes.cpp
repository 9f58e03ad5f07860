#include "test/chaos/processes.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>

namespace troupe::chaos {
namespace {

std::string content_of(const std::string& file) {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

}  // namespace

void adopt_orphans() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

bool has_word(int pid, const std::string& word) {
  // One that has ended and was not waited for has no words any more.
  for (std::ifstream in{fmt::format("/proc/{}/cmdline", pid)}; in;) {
    std::string one;
    if (std::getline(in, one, '\0') && one == word) return true;
  }
  return false;
}

bool is_frozen(int pid) {
  const auto text = content_of(fmt::format("/proc/{}/stat", pid));
  // Behind the name, which may have any characters.
  const auto end = text.rfind(") ");
  return end != std::string::npos && text[end + 2] == 'T';
}

std::optional<int> await_exit(int pid, int deadline_ms) {
  for (int waited = 0;; waited += 10) {
    int status = 0;
    const auto got = ::waitpid(pid, &status, WNOHANG);
    if (got == pid) return status;
    if (got != 0 || waited >= deadline_ms) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
}

std::string ending_in_words(int status) {
  if (WIFEXITED(status)) return fmt::format("exit code {}", WEXITSTATUS(status));
  return fmt::format("signal {}", WTERMSIG(status));
}

}  // namespace troupe::chaos
