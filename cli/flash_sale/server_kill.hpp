#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>

namespace troupe::flash_sale {

/// Kills the server with SIGKILL at one moment of the sale and has it started again. Never waits: `step` is
/// called by the sale's loop until the restart command is running, and goes on looking whether it failed.
class server_kill {
 public:
  /// Throws client::environment_error when the file names no process that may be killed.
  server_kill(std::filesystem::path pid_file, std::string restart_command);
  ~server_kill();
  server_kill(const server_kill&) = delete;
  server_kill& operator=(const server_kill&) = delete;

  enum class phase { armed, dying, restarting };
  phase at() const { return phase_; }
  pid_t victim() const { return victim_; }

  void pull();
  /// Throws client::environment_error when the process does not die or the restart command fails.
  void step();

 private:
  bool is_dead() const;
  void start_again();

  std::filesystem::path pid_file_;
  std::string restart_command_;
  phase phase_ = phase::armed;
  pid_t victim_ = 0;
  int victim_fd_ = -1;   ///< a pidfd: the number alone may be given to another process
  pid_t restarter_ = 0;  ///< 0 when not running
  std::chrono::steady_clock::time_point pulled_at_{};
};

}  // namespace troupe::flash_sale
