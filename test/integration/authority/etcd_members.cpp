#include "test/integration/authority/etcd_members.hpp"

#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

#include "test/integration/authority/etcd_process.hpp"

namespace troupe::test {

etcd_members::etcd_members() {
  REQUIRE(run_etcd_script("start '" + directory_.path() + "' " + std::to_string(count)) == 0);
  std::ifstream in{directory_.path() + "/endpoint"};
  for (std::string url; std::getline(in, url, ',');) endpoints_.push_back(url.substr(0, url.find('\n')));
  REQUIRE(endpoints_.size() == count);
}

etcd_members::~etcd_members() { run_etcd_script("stop '" + directory_.path() + "'"); }

std::vector<std::string> etcd_members::endpoints_from(std::size_t member) const {
  auto out = endpoints_;
  std::rotate(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(member % count), out.end());
  return out;
}

std::size_t etcd_members::leader() const {
  const auto file = directory_.path() + "/leader";
  REQUIRE(run_etcd_script("leader '" + directory_.path() + "' | tee '" + file + "'") == 0);
  std::string name;
  std::ifstream{file} >> name;
  REQUIRE(name.size() == 2);
  return static_cast<std::size_t>(name.back() - '1');
}

void etcd_members::kill(std::size_t member) {
  const auto process = pid(member);
  REQUIRE(::kill(process, SIGKILL) == 0);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (::kill(process, 0) == 0) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::yield();
  }
}

void etcd_members::start() { REQUIRE(run_etcd_script("start '" + directory_.path() + "'") == 0); }
void etcd_members::pause(std::size_t member) { freeze(pid(member)); }
void etcd_members::resume(std::size_t member) { REQUIRE(::kill(pid(member), SIGCONT) == 0); }

int etcd_members::pid(std::size_t member) const {
  return pid_in(directory_.path() + "/m" + std::to_string(member % count + 1) + "/pid");
}

}  // namespace troupe::test
