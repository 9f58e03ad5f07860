#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "test/support/temporary_directory.hpp"

namespace troupe::test {

/// A real etcd of three members, by scripts/etcd.sh. They end with this object, or by themselves.
class etcd_members {
 public:
  static constexpr std::size_t count = 3;

  etcd_members();
  ~etcd_members();
  etcd_members(const etcd_members&) = delete;
  etcd_members& operator=(const etcd_members&) = delete;

  /// The URLs of all, beginning with this one's: a client talks to the first as long as that answers.
  std::vector<std::string> endpoints_from(std::size_t member) const;
  /// The one that leads; waits until there is one.
  std::size_t leader() const;
  /// kill -9; it has ended when this returns.
  void kill(std::size_t member);
  /// Starts those that have ended, on their data.
  void start();
  /// It neither answers nor closes anything until it is resumed.
  void pause(std::size_t member);
  void resume(std::size_t member);

 private:
  int pid(std::size_t member) const;

  temporary_directory directory_;
  std::vector<std::string> endpoints_;
};

}  // namespace troupe::test
