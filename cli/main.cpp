#include "cli/program.hpp"

int main(int argc, char** argv) { return troupe::cli::run_program(argc, argv); }
