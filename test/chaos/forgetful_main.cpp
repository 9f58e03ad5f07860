#include "cli/program.hpp"
#include "test/chaos/forgetful_disk.hpp"

/// `troupe`, whose nodes lose what they have not synced when they are killed.
int main(int argc, char** argv) {
  troupe::cli::program_parts parts;
  parts.disk = std::make_shared<troupe::chaos::forgetful_disk>();
  return troupe::cli::run_program(argc, argv, parts);
}
