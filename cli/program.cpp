#include "cli/program.hpp"

#include <fmt/core.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>

#include "cli/allocator.hpp"
#include "cli/flash_sale/options.hpp"
#include "cli/flash_sale/run.hpp"
#include "cli/front.hpp"
#include "cli/node.hpp"
#include "cli/serve.hpp"
#include "cli/status.hpp"
#include "cli/token.hpp"
#include "cli/verify.hpp"

namespace troupe::cli {

int run_program(int argc, char** argv, const program_parts& parts) {
#ifdef TROUPE_MIMALLOC
  tune_allocator();
#endif
  CLI::App program{"troupe: a whole application backend in one binary, built of durable actors"};
  program.require_subcommand(1);
  program.set_version_flag("--version", TROUPE_VERSION);

  serve_options serve;
  node_command_options node;
  front_command_options front;
  token_options token;
  status_options status;
  verify_options verify;
  flash_sale::flash_sale_options sale;
  auto* serve_command = add_serve_command(program, serve);
  auto* node_command = add_node_command(program, node);
  auto* front_command = add_front_command(program, front);
  auto* token_command = add_token_command(program, token);
  auto* status_command = add_status_command(program, status);
  auto* verify_command = add_verify_command(program, verify);
  auto* sale_command = flash_sale::add_flash_sale_command(program, sale);
  // CLI11 would only say that a subcommand is required.
  const auto commands = program.get_subcommands([](const CLI::App*) { return true; });
  const auto is_asked = [&](const CLI::App* one) { return one->get_name() == argv[1]; };
  if (argc > 1 && argv[1][0] != '-' && std::none_of(commands.begin(), commands.end(), is_asked)) {
    fmt::print(stderr, "troupe: there is no command \"{}\"; `troupe --help` lists them\n", argv[1]);
    return 2;
  }
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& fault) {
    const int code = program.exit(fault);
    return code == 0 ? 0 : 2;
  }
  node.parts = parts;
  if (*serve_command) return run_serve(serve);
  if (*node_command) return run_node(node);
  if (*front_command) return run_front(front);
  if (*token_command) return run_token(token);
  if (*status_command) return run_status(status);
  if (*verify_command) return run_verify(verify);
  if (*sale_command) return flash_sale::run_flash_sale(sale);
  return 2;
}

}  // namespace troupe::cli
