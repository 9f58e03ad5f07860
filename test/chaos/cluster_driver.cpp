#include "test/chaos/cluster_driver.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <system_error>
#include <thread>

#include "test/chaos/copies.hpp"
#include "test/chaos/hanging_disk.hpp"
#include "test/chaos/processes.hpp"

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

/// As cluster.sh writes it, whose processes have it among their words.
std::string absolute(const std::string& directory) {
  return std::filesystem::absolute(directory).lexically_normal().string();
}

trouble send(const std::string& name, int pid, int number) {
  constexpr int freeze_patience_ms = 1000;
  if (::kill(pid, number) != 0)
    return fmt::format("{} cannot be sent signal {}: {}", name, number,
                       std::generic_category().message(errno));
  // It takes hold when each thread comes by.
  for (int waited = 0; number == SIGSTOP && !is_frozen(pid); waited += 10) {
    if (waited >= freeze_patience_ms) return name + " was not frozen";
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return {};
}

bool is_as_wanted(ending how, int status) {
  if (how == ending::killed) return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// "ip:port" of a member, of the URLs of all, separated by commas; empty: there is none yet.
std::string address_in(const std::string& urls, int member) {
  std::size_t begin = 0;
  for (; member > 0; --member) begin = urls.find(',', begin) + 1;
  const auto url = urls.substr(begin, urls.find(',', begin) - begin);
  return url.substr(url.rfind('/') + 1);
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
  // A connection that a started process had too would outlive the one that it belongs to.
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  std::string out;
  const std::unique_ptr<FILE, decltype(close)> pipe{::popen(line.c_str(), "re"), close};
  char piece[4096];
  for (std::size_t got; pipe && (got = std::fread(piece, 1, sizeof piece, pipe.get())) > 0;)
    out.append(piece, got);
  return out;
}

cluster_driver::cluster_driver(std::string source, std::string troupe, std::string directory, shape of)
    : source_(std::move(source)), troupe_(std::move(troupe)), directory_(absolute(directory)), shape_(of) {
  adopt_orphans();
}

cluster_driver::~cluster_driver() { stop(); }

trouble cluster_driver::try_script(const std::string& words) const {
  int code = 0;
  const auto said = script(words, &code);
  return code == 0 ? "" : fmt::format("`cluster.sh {}` failed: {}", words, last_line_of(said));
}

std::string cluster_driver::script(const std::string& words, int* code) const {
  return run_command(fmt::format("TROUPE='{}' '{}/scripts/cluster.sh' {} --data '{}' 2>&1", troupe_, source_,
                                 words, directory_),
                     code);
}

bool cluster_driver::start(std::string& fault) {
  int code = 0;
  auto words = fmt::format("start --nodes {} --fronts {} --etcds {} --replicas {} --shards {} --keep-log",
                           shape_.nodes, shape_.fronts, shape_.etcds, shape_.replicas, shape_.shards);
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

/// A way to each node, and one for each process to each member of etcd.
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
  for (const auto& names : {nodes(), fronts()})
    for (const auto& name : names)
      for (int member = 0; member < shape_.etcds; ++member) {
        const auto where = [this, member] {
          return address_in(first_line_of(directory_ + "/etcd/endpoint"), member);
        };
        out << "etcd/" << name << " 127.0.0.1:" << proxy_->add("etcd", where, name) << "\n";
      }
  return out.flush().good();
}

trouble cluster_driver::cut(const std::string& from, const std::string& to) const {
  if (!proxy_) return try_script("cut " + from + " " + to);
  proxy_->cut(from, to);
  return {};
}

trouble cluster_driver::unplug(const std::string& name) const {
  if (!proxy_) return try_script("unplug " + name);
  auto others = nodes();
  for (const auto& front : fronts()) others.push_back(front);
  others.emplace_back("etcd");
  for (const auto& other : others) {
    proxy_->cut(name, other);
    proxy_->cut(other, name);
  }
  return {};
}

trouble cluster_driver::heal() const {
  if (!proxy_) return try_script("heal");
  proxy_->heal();
  return {};
}

std::vector<trouble> cluster_driver::stop() {
  constexpr int patience_ms = 1000;  // the script has waited already
  std::vector<trouble> out;
  if (!std::filesystem::exists(directory_ + "/urls")) return out;
  if (auto why = try_script("stop"); !why.empty()) out.push_back(std::move(why));
  for (const auto& names : {nodes(), fronts()})
    for (const auto& name : names)
      if (auto why = await_end(name, ending::in_peace, patience_ms); !why.empty())
        out.push_back(std::move(why));
  return out;
}

std::vector<std::string> cluster_driver::urls() const {
  std::ifstream in{directory_ + "/urls"};
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

std::vector<std::string> cluster_driver::nodes() const { return numbered('n', shape_.nodes); }
std::vector<std::string> cluster_driver::fronts() const { return numbered('f', shape_.fronts); }

std::vector<std::string> cluster_driver::etcds() const {
  return shape_.etcds == 1 ? std::vector<std::string>{"etcd"} : numbered('m', shape_.etcds);
}

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

std::string cluster_driver::etcd_leader() const {
  int code = 0;
  const auto said = last_line_of(
      run_command(fmt::format("'{}/scripts/etcd.sh' leader '{}/etcd' 2>&1", source_, directory_), &code));
  if (code != 0) return "";
  return shape_.etcds == 1 ? etcds().front() : said;
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

trouble cluster_driver::missing() const {
  trouble out;
  for (const auto& names : {nodes(), fronts()})
    for (const auto& name : names)
      if (!is_running(name)) out += (out.empty() ? "" : ", ") + name + " does not run";
  return out;
}

std::string cluster_driver::stats_of(const std::string& node) const {
  const auto ports = first_line_of(directory_ + "/" + node + ".ports");
  const auto where = shape_.has_namespaces
                         ? fmt::format("ip netns exec '{}-{}' ", first_line_of(directory_ + "/hub"), node)
                         : "";
  return run_command(fmt::format("{}'{}' status --json --ops-url http://127.0.0.1:{} 2>/dev/null", where,
                                 troupe_, ports.substr(ports.find(' ') + 1)),
                     nullptr);
}

trouble cluster_driver::copy_behind() const {
  std::map<std::string, std::string> stats;
  for (const auto& node : nodes()) stats[node] = stats_of(node);
  return chaos::copy_behind(stats);
}

trouble cluster_driver::signal(const std::string& name, int number) const {
  if (!is_running(name)) return fmt::format("{} does not run: signal {} reaches nobody", name, number);
  return send(name, pid_of(name + ".pid"), number);
}

bool cluster_driver::is_running(const std::string& name) const {
  const auto pid = pid_of(name + ".pid");
  return pid != 0 && has_word(pid, data_of(name));
}

trouble cluster_driver::await_end(const std::string& name, ending how, int deadline_ms) const {
  const auto status = await_exit(pid_of(name + ".pid"), deadline_ms);
  if (!status && is_running(name)) return fmt::format("{} still runs after {} ms", name, deadline_ms);
  if (!status) return name + " has ended, and nobody knows how";
  if (!is_as_wanted(how, *status)) return fmt::format("{} ended by {}", name, ending_in_words(*status));
  if (how == ending::handed_over && !says_handed_over(name))
    return fmt::format("{} ended without its log saying that all is handed over", name);
  return {};
}

/// In what it has logged since it was asked to end, the last time.
bool cluster_driver::says_handed_over(const std::string& node) const {
  std::ifstream in{directory_ + "/" + node + ".log"};
  const std::string log{std::istreambuf_iterator<char>{in}, {}};
  const auto asked = log.rfind(" SIGTERM: draining");
  return asked != std::string::npos &&
         log.find(" stopped: what it was the primary of is handed over", asked) != std::string::npos;
}

trouble cluster_driver::launch(const std::string& name) const { return try_script("restart " + name); }

trouble cluster_driver::empty_disk(const std::string& name) const {
  std::error_code fault;
  // The directory itself may be where a disk is mounted.
  for (const auto& entry : std::filesystem::directory_iterator{data_of(name), fault})
    if (!fault) std::filesystem::remove_all(entry, fault);
  if (!fault && std::filesystem::is_empty(data_of(name), fault)) return {};
  return fmt::format("the disk of {} is not empty: {}", name, fault ? fault.message() : "something is left");
}

trouble cluster_driver::fill_disk(const std::string& name) const {
  const auto file = data_of(name) + "/filler";
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const std::string piece(64U << 10U, 'f');
  while (fd >= 0 && ::write(fd, piece.data(), piece.size()) > 0) {
  }
  const int why = errno;
  if (fd >= 0) ::close(fd);
  return why == ENOSPC
             ? ""
             : fmt::format("the disk of {} did not get full: {}", name, std::generic_category().message(why));
}

trouble cluster_driver::hang_disk(const std::string& name) const {
  return std::ofstream{data_of(name) + "/" + hangs_name} ? ""
                                                         : fmt::format("the disk of {} does not hang", name);
}

trouble cluster_driver::let_disk_go(const std::string& name) const {
  std::error_code fault;
  if (std::filesystem::remove(data_of(name) + "/" + hangs_name, fault)) return {};
  return fmt::format("the disk of {} did not hang", name);
}

trouble cluster_driver::free_disk(const std::string& name) const {
  std::error_code fault;
  if (std::filesystem::remove(data_of(name) + "/filler", fault)) return {};
  return fmt::format("what filled the disk of {} is not there any more", name);
}

std::string cluster_driver::etcd_directory(const std::string& member) const {
  return "etcd" + (shape_.etcds == 1 ? "" : "/" + member);
}

bool cluster_driver::is_etcd_running(const std::string& member) const {
  const auto pid = pid_of(etcd_directory(member) + "/pid");
  return pid != 0 && has_word(pid, data_of(etcd_directory(member) + "/data"));
}

trouble cluster_driver::signal_etcd(const std::string& member, int number) const {
  if (!is_etcd_running(member))
    return fmt::format("{} does not run: signal {} reaches nobody", member, number);
  return send(member, pid_of(etcd_directory(member) + "/pid"), number);
}

trouble cluster_driver::await_etcd_end(const std::string& member, int deadline_ms) const {
  // `timeout` is its parent, so how it ended is not told here.
  for (int waited = 0; is_etcd_running(member); waited += 10) {
    if (waited >= deadline_ms) return fmt::format("{} still runs after {} ms", member, deadline_ms);
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return {};
}

trouble cluster_driver::launch_etcds() const { return try_script("start-etcd"); }

}  // namespace troupe::chaos
