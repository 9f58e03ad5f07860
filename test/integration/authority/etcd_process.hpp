#pragma once

#include <string>

#include "test/support/temporary_directory.hpp"

namespace troupe::test {

/// Runs scripts/etcd.sh with these words, in quotes where they need some; its exit code.
int run_etcd_script(const std::string& words);
int pid_in(const std::string& file);
/// SIGSTOP; all of its threads stand still when it returns.
void freeze(int pid);

/// A real etcd of one member with a directory of its own, by scripts/etcd.sh. It ends with this object, or by
/// itself.
class etcd_process {
 public:
  etcd_process();
  ~etcd_process();
  etcd_process(const etcd_process&) = delete;
  etcd_process& operator=(const etcd_process&) = delete;

  const std::string& endpoint() const { return endpoint_; }
  int port() const;
  void stop();
  /// On the same port, with the data that is there.
  void start();
  /// It neither answers nor closes anything until it is resumed.
  void pause();
  void resume();
  /// Copies the data of the stopped etcd aside, or back.
  void back_up();
  void restore();

 private:
  int run(const std::string& command) const;

  temporary_directory directory_;
  std::string endpoint_;
};

}  // namespace troupe::test
