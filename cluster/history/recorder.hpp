#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cluster/history/block_file.hpp"
#include "cluster/history/operation.hpp"

namespace troupe::history {

/// The part of a history that one thread writes, for any number of clients. What was asked and not answered
/// when it ends is recorded as unknown.
class client_recorder {
 public:
  using ticket = std::uint64_t;

  explicit client_recorder(const std::string& path);
  ~client_recorder();
  client_recorder(const client_recorder&) = delete;
  client_recorder& operator=(const client_recorder&) = delete;

  /// Just before it is sent. Of `what`: command, kind, sku, order and quantity.
  ticket asked(const operation& what);
  /// Just after the reply has come. Of `reply`: outcome, why, is_replay, witness, said, and of a reserve the
  /// order. An outcome that is not known is no reply: see gave_up().
  void answered(ticket which, const operation& reply);
  /// No reply will be waited for: it may have happened, and may still happen.
  void gave_up(ticket which);
  /// An operation that is complete already, with its times.
  void add(const operation& whole);
  /// Everything is in the file; false: see fault().
  bool flush();
  const std::string& fault() const { return file_.fault(); }

 private:
  block_writer file_;
  std::map<ticket, operation> open_;
  ticket next_ = 1;
  std::int64_t last_ns_ = 0;
};

/// A history's directory: `setup.json`, one `operations-N` a thread, and beside them what the replicas dump
/// (replica_dump.hpp). The directory is made, and must have no history yet. Any thread.
class recorder {
 public:
  recorder(std::string directory, const std::vector<sku_setup>& skus);
  /// Empty: recording works.
  const std::string& fault() const { return fault_; }
  std::unique_ptr<client_recorder> client();

 private:
  std::string directory_;
  std::string fault_;
  std::atomic<unsigned> clients_{0};
};

/// Nanoseconds of the clock that a history is recorded with.
std::int64_t history_now();

}  // namespace troupe::history
