#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/allocator.hpp"
#include "cli/flash_sale/options.hpp"
#include "cli/flash_sale/run.hpp"
#include "cli/front.hpp"
#include "cli/node.hpp"
#include "cli/serve.hpp"
#include "cli/status.hpp"
#include "cli/token.hpp"
#include "cli/verify.hpp"

int main(int argc, char** argv) {
#ifdef TROUPE_MIMALLOC
  troupe::cli::tune_allocator();
#endif
  CLI::App program{"troupe: a whole application backend in one binary, built of durable actors"};
  program.require_subcommand(1);
  program.set_version_flag("--version", TROUPE_VERSION);

  troupe::cli::serve_options serve;
  troupe::cli::node_command_options node;
  troupe::cli::front_command_options front;
  troupe::cli::token_options token;
  troupe::cli::status_options status;
  troupe::cli::verify_options verify;
  troupe::flash_sale::flash_sale_options sale;
  auto* serve_command = troupe::cli::add_serve_command(program, serve);
  auto* node_command = troupe::cli::add_node_command(program, node);
  auto* front_command = troupe::cli::add_front_command(program, front);
  auto* token_command = troupe::cli::add_token_command(program, token);
  auto* status_command = troupe::cli::add_status_command(program, status);
  auto* verify_command = troupe::cli::add_verify_command(program, verify);
  auto* sale_command = troupe::flash_sale::add_flash_sale_command(program, sale);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& fault) {
    const int code = program.exit(fault);
    return code == 0 ? 0 : 2;
  }
  if (*serve_command) return troupe::cli::run_serve(serve);
  if (*node_command) return troupe::cli::run_node(node);
  if (*front_command) return troupe::cli::run_front(front);
  if (*token_command) return troupe::cli::run_token(token);
  if (*status_command) return troupe::cli::run_status(status);
  if (*verify_command) return troupe::cli::run_verify(verify);
  if (*sale_command) return troupe::flash_sale::run_flash_sale(sale);
  return 2;
}
