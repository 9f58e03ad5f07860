#pragma once

#include <functional>
#include <memory>

namespace rocksdb {
class FileSystem;
}
namespace troupe {
class kind_registry;
}

namespace troupe::cli {

/// What a test may replace.
struct program_parts {
  // Of `node`.
  std::shared_ptr<rocksdb::FileSystem> disk{};  // under its store; null: the operating system's
  std::function<kind_registry()> kinds{};       // empty: all kinds
};

/// The whole program: reads the words, runs the subcommand. Returns the exit code.
int run_program(int argc, char** argv, const program_parts& parts = {});

}  // namespace troupe::cli
