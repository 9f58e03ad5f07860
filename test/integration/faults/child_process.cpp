#include "test/integration/faults/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "runtime/base/assert.hpp"

namespace troupe::faults {

namespace {

using std::chrono::steady_clock;
constexpr std::chrono::seconds life_max{30};

struct pipe_ends {
  int read = -1;
  int write = -1;
  pipe_ends() {
    int both[2];
    TROUPE_ASSERT(::pipe2(both, O_CLOEXEC) == 0, "no pipe");
    read = both[0];
    write = both[1];
  }
};

[[noreturn]] void become_child(const std::vector<std::string>& arguments, int out, int err) {
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  const rlimit no_core{0, 0};  // hundreds of children abort on purpose
  ::setrlimit(RLIMIT_CORE, &no_core);
  std::vector<char*> argv{const_cast<char*>(TROUPE_FAULT_CHILD)};
  for (const auto& one : arguments) argv.push_back(const_cast<char*>(one.c_str()));
  argv.push_back(nullptr);
  ::execv(TROUPE_FAULT_CHILD, argv.data());
  std::_Exit(127);
}

/// Reads both pipes to their ends; false when the time is up first.
bool read_all(int out, int err, child_end& end) {
  const auto give_up = steady_clock::now() + life_max;
  std::array<pollfd, 2> wait{pollfd{out, POLLIN, 0}, pollfd{err, POLLIN, 0}};
  while (wait[0].fd >= 0 || wait[1].fd >= 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(give_up - steady_clock::now());
    if (left.count() <= 0) return false;
    ::poll(wait.data(), wait.size(), static_cast<int>(left.count()));
    for (auto& one : wait) {
      if (one.fd < 0 || one.revents == 0) continue;
      char buffer[65536];
      const auto got = ::read(one.fd, buffer, sizeof buffer);
      if (got > 0) {
        (one.fd == out ? end.out : end.err).append(buffer, static_cast<std::size_t>(got));
      } else {
        one.fd = -1;
      }
    }
  }
  return true;
}

}  // namespace

child_end run_child(const std::vector<std::string>& arguments) {
  const pipe_ends out;
  const pipe_ends err;
  const pid_t child = ::fork();
  TROUPE_ASSERT(child >= 0, "cannot fork");
  if (child == 0) become_child(arguments, out.write, err.write);
  ::close(out.write);
  ::close(err.write);
  child_end end;
  const bool ended = read_all(out.read, err.read, end);
  if (!ended) ::kill(child, SIGKILL);
  ::close(out.read);
  ::close(err.read);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!ended) return end;
  if (WIFEXITED(status)) {
    end.what = child_end::how::exited;
    end.exit_code = WEXITSTATUS(status);
  } else {
    end.what = WTERMSIG(status) == SIGABRT ? child_end::how::aborted : child_end::how::killed_by_other_signal;
  }
  return end;
}

}  // namespace troupe::faults
