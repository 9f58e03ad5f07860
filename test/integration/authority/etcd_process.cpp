#include "test/integration/authority/etcd_process.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

namespace troupe::test {
namespace fs = std::filesystem;

int run_etcd_script(const std::string& words) {
  return ::system(("TROUPE_ETCD_SECONDS=120 '" TROUPE_ETCD_SCRIPT "' " + words + " >/dev/null").c_str());
}

int pid_in(const std::string& file) {
  int out = 0;
  std::ifstream{file} >> out;
  REQUIRE(out > 0);
  return out;
}

void freeze(int pid) {
  const auto tasks = fs::path{"/proc"} / std::to_string(pid) / "task";
  REQUIRE(::kill(pid, SIGSTOP) == 0);
  // kill returns when the signal is sent, and threads that run meanwhile still answer.
  const auto stopped = [](const fs::directory_entry& task) {
    std::string stat;
    std::getline(std::ifstream{task.path() / "stat"}, stat);
    const auto name_end = stat.rfind(')');
    return name_end != std::string::npos && stat.compare(name_end, 3, ") T") == 0;
  };
  const auto all_stopped = [&] { return std::ranges::all_of(fs::directory_iterator{tasks}, stopped); };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (!all_stopped()) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::yield();
  }
}

etcd_process::etcd_process() {
  start();
  std::ifstream{directory_.path() + "/endpoint"} >> endpoint_;
  REQUIRE(endpoint_.starts_with("http://127.0.0.1:"));
}

etcd_process::~etcd_process() { run("stop"); }

int etcd_process::run(const std::string& command) const {
  return run_etcd_script(command + " '" + directory_.path() + "'");
}

int etcd_process::port() const { return std::stoi(endpoint_.substr(endpoint_.rfind(':') + 1)); }
void etcd_process::start() { REQUIRE(run("start") == 0); }
void etcd_process::stop() { REQUIRE(run("stop") == 0); }
void etcd_process::pause() { freeze(pid_in(directory_.path() + "/pid")); }
void etcd_process::resume() { REQUIRE(::kill(pid_in(directory_.path() + "/pid"), SIGCONT) == 0); }

void etcd_process::back_up() {
  fs::copy(directory_.path() + "/data", directory_.path() + "/backup", fs::copy_options::recursive);
}

void etcd_process::restore() {
  fs::remove_all(directory_.path() + "/data");
  fs::copy(directory_.path() + "/backup", directory_.path() + "/data", fs::copy_options::recursive);
}

}  // namespace troupe::test
