#include "cli/process.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "http_front/boot_error.hpp"
#include "runtime/base/log.hpp"

namespace troupe::cli {

namespace {

void prepare_process() {
  std::signal(SIGPIPE, SIG_IGN);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  auto log = spdlog::stderr_logger_mt("troupe");
  log->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  spdlog::set_default_logger(std::move(log));
}

}  // namespace

int run_server(const std::function<int()>& life) {
  prepare_process();
  try {
    return life();
  } catch (const std::exception& fault) {
    spdlog::critical("{}", fault.what());
    return 1;
  }
}

end_signals::end_signals() {
  sigemptyset(&set_);
  sigaddset(&set_, SIGTERM);
  sigaddset(&set_, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set_, nullptr);
}

int end_signals::wait() {
  int signal = 0;
  sigwait(&set_, &signal);
  return signal;
}

bool end_signals::is_asked() const {
  sigset_t come{};
  sigpending(&come);
  return sigismember(&come, SIGTERM) == 1 || sigismember(&come, SIGINT) == 1;
}

pid_file::pid_file(std::string path) : path_(std::move(path)) {
  if (path_.empty()) return;
  std::ofstream out{path_, std::ios::trunc};
  out << ::getpid() << '\n';
  if (!out.flush()) throw http::boot_error("cannot write the pid file " + path_);
}

pid_file::~pid_file() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

void check_pid_file(const std::string& path) {
  if (path.empty()) return;
  const auto folder = std::filesystem::absolute(path).parent_path();
  if (::access(folder.c_str(), W_OK | X_OK) != 0) throw http::boot_error("cannot write the pid file " + path);
}

void wait_for_end(end_signals& signals, unsigned drain_seconds) {
  const int signal = signals.wait();
  spdlog::info("{}: draining", signal == SIGTERM ? "SIGTERM" : "SIGINT");
  // A handler that never returns would hold up the end for ever; the alarm ends the process then, and nothing
  // that was acknowledged is lost by it.
  ::alarm(drain_seconds + 20);
}

}  // namespace troupe::cli
