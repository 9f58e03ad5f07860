#include "cli/flash_sale/server_kill.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "cli/flash_sale/client/endpoint.hpp"

using namespace troupe;
using namespace troupe::flash_sale;

namespace {

/// Binds and listens at this port of loopback (0: one that is free). -1 when another holds it.
int listen_at(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 && ::listen(fd, 8) == 0) {
    return fd;
  }
  ::close(fd);
  return -1;
}

std::uint16_t port_of(int listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

/// A server of many threads, of which the kernel has much to end. Reaped by the destructor alone, so that it
/// is a zombie before that, as a server is whose parent looks elsewhere.
class server_of_many_threads {
 public:
  explicit server_of_many_threads(int listener) {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      std::vector<std::thread> threads;
      for (int i = 0; i < 200; ++i) threads.emplace_back([] { ::pause(); });
      if (::write(ready[1], "!", 1) != 1) ::_exit(1);
      ::pause();
      ::_exit(0);
    }
    ::close(listener);  // the child's is the only one that is left
    char byte = 0;
    CHECK(::read(ready[0], &byte, 1) == 1);
    ::close(ready[0]);
    ::close(ready[1]);
  }
  ~server_of_many_threads() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

}  // namespace

TEST_CASE("server kill: the restart waits for the last thread, which holds the port and the lock") {
  const auto pid_file =
      std::filesystem::temp_directory_path() / ("troupe-server-kill-" + std::to_string(::getpid()) + ".pid");
  for (int round = 0; round < 50; ++round) {
    const int listener = listen_at(0);
    REQUIRE(listener >= 0);
    const auto port = port_of(listener);
    const server_of_many_threads server(listener);
    std::ofstream(pid_file) << server.pid() << '\n';

    server_kill kill(pid_file, "true");
    kill.pull();
    while (kill.at() == server_kill::phase::dying) kill.step();
    const int again = listen_at(port);
    REQUIRE_MESSAGE(again >= 0, "the port was still held in round " << round);
    ::close(again);
  }
  std::filesystem::remove(pid_file);
  std::filesystem::remove(pid_file.string() + ".restart.log");
}
