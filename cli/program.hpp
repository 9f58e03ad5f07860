#pragma once

#include <memory>

namespace rocksdb {
class FileSystem;
}

namespace troupe::cli {

/// What a test may replace.
struct program_parts {
  std::shared_ptr<rocksdb::FileSystem> disk{};  // under the stores of `node`; null: the operating system's
};

/// The whole program: reads the words, runs the subcommand. Returns the exit code.
int run_program(int argc, char** argv, const program_parts& parts = {});

}  // namespace troupe::cli
