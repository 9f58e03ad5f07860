#include "cli/flash_sale/server_kill.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

extern "C" {  // the header of glibc 2.36 does not say so itself
#include <sys/pidfd.h>
}

#include "cli/flash_sale/client/endpoint.hpp"

namespace troupe::flash_sale {
namespace {

using client::environment_error;

}  // namespace

server_kill::server_kill(std::filesystem::path pid_file, std::string restart_command)
    : pid_file_(std::move(pid_file)), restart_command_(std::move(restart_command)) {
  std::ifstream file(pid_file_);
  if (!(file >> victim_) || victim_ <= 1 || victim_ == ::getpid()) {
    throw environment_error(fmt::format("{} names no process. Start the server with --pid-file {} first.",
                                        pid_file_.string(), pid_file_.string()));
  }
  victim_fd_ = ::pidfd_open(victim_, 0);
  if (victim_fd_ < 0 || ::pidfd_send_signal(victim_fd_, 0, nullptr, 0) != 0) {
    const int error = errno;
    if (victim_fd_ >= 0) ::close(victim_fd_);
    throw environment_error(
        fmt::format("Process {} named in {} cannot be signalled: {}. Is the server running, as "
                    "this user?",
                    victim_, pid_file_.string(), std::strerror(error)));
  }
}

server_kill::~server_kill() {
  if (victim_fd_ >= 0) ::close(victim_fd_);
}

/// All of its threads: the first one may be gone while others still hold the sockets and the lock on the
/// data. Whether its parent has waited for it does not matter.
bool server_kill::is_dead() const {
  pollfd one{victim_fd_, POLLIN, 0};
  return ::poll(&one, 1, 0) == 1;
}

void server_kill::pull() {
  ::pidfd_send_signal(victim_fd_, SIGKILL, nullptr, 0);
  pulled_at_ = std::chrono::steady_clock::now();
  phase_ = phase::dying;
}

void server_kill::step() {
  switch (phase_) {
    case phase::armed:
      return;
    case phase::dying:
      if (is_dead()) return start_again();
      if (std::chrono::steady_clock::now() - pulled_at_ > std::chrono::seconds{10}) {
        throw environment_error(fmt::format("Process {} is still there 10 s after kill -9.", victim_));
      }
      return;
    case phase::restarting:
      break;
  }
  int status = 0;
  if (restarter_ == 0 || ::waitpid(restarter_, &status, WNOHANG) != restarter_) return;
  restarter_ = 0;
  // Success may also mean that it has put the server into the background.
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  throw environment_error(
      fmt::format("The restart command ended with {}. Its output is in PID_FILE.restart.log; the command: {}",
                  WIFEXITED(status) ? fmt::format("exit code {}", WEXITSTATUS(status))
                                    : fmt::format("signal {}", WTERMSIG(status)),
                  restart_command_));
}

void server_kill::start_again() {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  // To a file: a server that kept our own output open would keep a pipe behind us waiting for its end.
  const auto log = pid_file_.string() + ".restart.log";
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // A group of its own: Ctrl-C at the client leaves the server running, as it did not start it either.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  const char* arguments[] = {"/bin/sh", "-c", restart_command_.c_str(), nullptr};
  const int error =
      posix_spawn(&restarter_, "/bin/sh", &files, &attributes, const_cast<char* const*>(arguments), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) throw environment_error(fmt::format("/bin/sh cannot be started: {}", std::strerror(error)));
  phase_ = phase::restarting;
}

}  // namespace troupe::flash_sale
