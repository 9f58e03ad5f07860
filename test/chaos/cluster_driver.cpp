#include "test/chaos/cluster_driver.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

namespace troupe::chaos {
namespace {

std::string first_line_of(const std::string& file) {
  std::ifstream in{file};
  std::string line;
  std::getline(in, line);
  return line;
}

std::string last_line_of(std::string text) {
  text.erase(text.find_last_not_of('\n') + 1);
  return text.substr(text.rfind('\n') + 1);  // all of it where there is no other line: npos + 1 is 0
}

std::vector<std::string> numbered(char letter, int count) {
  std::vector<std::string> out;
  for (int i = 1; i <= count; ++i) out.push_back(letter + std::to_string(i));
  return out;
}

}  // namespace

std::string run_command(const std::string& line, int* code) {
  const auto close = [code](FILE* pipe) {
    const int status = ::pclose(pipe);
    if (code != nullptr) *code = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
  };
  std::string out;
  const std::unique_ptr<FILE, decltype(close)> pipe{::popen(line.c_str(), "re"), close};
  char piece[4096];
  for (std::size_t got; pipe && (got = std::fread(piece, 1, sizeof piece, pipe.get())) > 0;)
    out.append(piece, got);
  return out;
}

cluster_driver::cluster_driver(std::string source, std::string troupe, std::string directory, shape of)
    : source_(std::move(source)), troupe_(std::move(troupe)), directory_(std::move(directory)), shape_(of) {}

cluster_driver::~cluster_driver() { stop(); }

std::string cluster_driver::script(const std::string& words, int* code) const {
  return run_command(fmt::format("TROUPE='{}' '{}/scripts/cluster.sh' {} --data '{}' 2>&1", troupe_, source_,
                                 words, directory_),
                     code);
}

bool cluster_driver::start(std::string& fault) {
  int code = 0;
  auto words = fmt::format("start --nodes {} --fronts {} --replicas {} --shards {} --keep-log", shape_.nodes,
                           shape_.fronts, shape_.replicas, shape_.shards);
  if (shape_.has_namespaces) words += " --namespaces";
  if (shape_.has_proxy) {
    if (!start_proxy()) {
      fault = "cannot write " + directory_ + ".links";
      return false;
    }
    words += fmt::format(" --links '{}.links'", directory_);
  }
  if (shape_.small_disk_mib > 0) words += fmt::format(" --small-disk {}", shape_.small_disk_mib);
  const auto said = script(words, &code);
  if (code != 0) {
    fault = said;
  } else if (shape_.has_namespaces && !enter_hub()) {
    code = 1;
    fault = "cannot enter the cluster's network namespace";
  }
  return code == 0;
}

bool cluster_driver::enter_hub() const {
  const auto file = "/run/netns/" + first_line_of(directory_ + "/hub") + "-hub";
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  const bool is_in = fd >= 0 && ::setns(fd, CLONE_NEWNET) == 0;
  if (fd >= 0) ::close(fd);
  return is_in;
}

/// A way to each node, and one for each process to etcd.
bool cluster_driver::start_proxy() {
  // As scripts/cluster.sh gives them.
  proxy_ = std::make_unique<link_proxy>([](const std::string& address) {
    const auto number = address.substr(address.rfind('.') + 1);
    return (address.starts_with("127.1.0.") ? "n" : "f") + number;
  });
  std::ofstream out{directory_ + ".links"};
  for (const auto& name : nodes()) {
    const auto where = [this, name] {
      const auto ports = first_line_of(directory_ + "/" + name + ".ports");
      return "127.1.0." + name.substr(1) + ":" + ports.substr(0, ports.find(' '));
    };
    out << name << " 127.0.0.1:" << proxy_->add(name, where) << "\n";
  }
  const auto etcd = [this] {
    const auto url = first_line_of(directory_ + "/etcd/endpoint");
    return url.substr(url.rfind('/') + 1);
  };
  for (const auto& names : {nodes(), fronts()})
    for (const auto& name : names)
      out << "etcd/" << name << " 127.0.0.1:" << proxy_->add("etcd", etcd, name) << "\n";
  return out.flush().good();
}

void cluster_driver::cut(const std::string& from, const std::string& to) const {
  if (proxy_) return proxy_->cut(from, to);
  script("cut " + from + " " + to);
}

void cluster_driver::unplug(const std::string& name) const {
  if (!proxy_) {
    script("unplug " + name);
    return;
  }
  auto others = nodes();
  for (const auto& front : fronts()) others.push_back(front);
  others.emplace_back("etcd");
  for (const auto& other : others) {
    proxy_->cut(name, other);
    proxy_->cut(other, name);
  }
}

void cluster_driver::heal() const {
  if (proxy_) return proxy_->heal();
  script("heal");
}

void cluster_driver::stop() {
  if (std::filesystem::exists(directory_ + "/urls")) script("stop");
}

std::vector<std::string> cluster_driver::urls() const {
  std::ifstream in{directory_ + "/urls"};
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

std::vector<std::string> cluster_driver::nodes() const { return numbered('n', shape_.nodes); }
std::vector<std::string> cluster_driver::fronts() const { return numbered('f', shape_.fronts); }

std::string cluster_driver::token(const std::string& user) const {
  return last_line_of(
      run_command(fmt::format("'{}' token --data '{}/keys' --user {} --role admin --minutes 1440 2>/dev/null",
                              troupe_, directory_, user),
                  nullptr));
}

std::string cluster_driver::primary_of(const std::string& sku) const {
  int code = 0;
  const auto said = last_line_of(script("where sku/" + sku, &code));
  return code == 0 ? said : "";
}

bool cluster_driver::is_whole() const {
  int code = 0;
  run_command(fmt::format("'{}' status --etcd \"$(cat '{}/etcd/endpoint')\" --cluster local >/dev/null 2>&1",
                          troupe_, directory_),
              &code);
  return code == 0;
}

int cluster_driver::pid_of(const std::string& file) const {
  const auto text = first_line_of(directory_ + "/" + file);
  return text.empty() ? 0 : std::stoi(text);
}

void cluster_driver::signal(const std::string& name, int number) const {
  if (is_running(name)) ::kill(pid_of(name + ".pid"), number);
}

bool cluster_driver::is_running(const std::string& name) const {
  const auto pid = pid_of(name + ".pid");
  if (pid == 0) return false;
  // Its own process and no other that has got its number since: the data directory is among its words.
  std::ifstream in{fmt::format("/proc/{}/cmdline", pid)};
  const std::string words{std::istreambuf_iterator<char>{in}, {}};
  return words.find(directory_ + "/" + name) != std::string::npos;
}

bool cluster_driver::wait_ended(const std::string& name, int deadline_ms) const {
  for (int waited = 0; is_running(name); waited += 10) {
    if (waited >= deadline_ms) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return true;
}

void cluster_driver::launch(const std::string& name) const { script("restart " + name); }

void cluster_driver::empty_disk(const std::string& name) const {
  // The directory itself may be where a disk is mounted.
  for (const auto& entry : std::filesystem::directory_iterator{data_of(name)})
    std::filesystem::remove_all(entry);
}

void cluster_driver::fill_disk(const std::string& name) const {
  std::ofstream out{data_of(name) + "/filler", std::ios::binary};
  const std::string piece(64U << 10U, 'f');
  while (out.write(piece.data(), static_cast<std::streamsize>(piece.size())).flush()) {
  }
}

void cluster_driver::free_disk(const std::string& name) const {
  std::filesystem::remove(data_of(name) + "/filler");
}

void cluster_driver::signal_etcd(int number) const {
  if (const auto pid = pid_of("etcd/pid"); pid != 0) ::kill(pid, number);
}

void cluster_driver::launch_etcd() const { script("start-etcd"); }

}  // namespace troupe::chaos
