#include <CLI/CLI.hpp>
#include <cstdint>
#include <exception>
#include <iostream>

#include "bench/http/bare_responder.hpp"

int main(int argc, char** argv) {
  CLI::App app{"Answers every HTTP request with the same small JSON text: what Beast alone can do"};
  std::uint16_t port = 0;
  int threads = 1;
  app.add_option("--port", port, "Port on 127.0.0.1")->required();
  app.add_option("--threads", threads, "I/O threads")->check(CLI::Range(1, 64))->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    answer_for_ever(port, threads);
  } catch (const std::exception& error) {
    std::cerr << "bare_responder: " << error.what() << '\n';
    return 2;
  }
  return 0;
}
