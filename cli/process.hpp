#pragma once

#include <csignal>
#include <functional>
#include <string>

namespace troupe::cli {

/// Runs a server's life in a process that may have as many files as it can, no SIGPIPE, and a log on stderr;
/// what it throws is logged and ends it with 1. Returns the exit code.
int run_server(const std::function<int()>& life);

/// Blocks the signals that end the process in this thread and, by inheritance, in all that it starts; they
/// are then taken with wait().
/// One that has come and was not taken stays: is_asked() takes none.
class end_signals {
 public:
  end_signals();
  int wait();
  bool is_asked() const;

 private:
  sigset_t set_{};
};

/// Written when the server is ready, removed when it has stopped.
class pid_file {
 public:
  /// Throws http::boot_error when it cannot be written.
  explicit pid_file(std::string path);
  ~pid_file();
  pid_file(const pid_file&) = delete;
  pid_file& operator=(const pid_file&) = delete;

 private:
  std::string path_;
};

/// Throws http::boot_error where a pid file could not be written later.
void check_pid_file(const std::string& path);

/// Waits for the signal, logs it, and lets the alarm end the process when draining hangs.
void wait_for_end(end_signals& signals, unsigned drain_seconds);

}  // namespace troupe::cli
