#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/flash_sale/report.hpp"
#include "cli/flash_sale/run.hpp"
#include "test/unit/cli/fake_shop.hpp"

using namespace troupe;
using namespace troupe::flash_sale;

namespace {

/// Where the report of a run goes, and what it said.
struct fixture {
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("troupe-sale-test-" + std::to_string(::getpid()));
  fixture() { std::filesystem::create_directories(folder); }
  ~fixture() { std::filesystem::remove_all(folder); }

  static flash_sale_options options(const std::string& url) {
    flash_sale_options o;
    o.url = url;
    o.buyers = 200;
    o.stock = 50;
    o.connections = 40;
    o.timeout_seconds = 5;
    o.token_for = [](const user_id& user, role) { return to_string(user); };
    return o;
  }
};

/// Runs a sale at a shop with this fault and returns the exit code.
int sale_at(
    shop_fault fault, void (*change)(flash_sale_options&) = [](flash_sale_options&) {}) {
  fake_shop shop(fault);
  auto o = fixture::options(shop.url());
  change(o);
  return run_flash_sale(o);
}

}  // namespace

TEST_CASE("flash sale: an honest shop passes every check") { CHECK(sale_at(shop_fault::none) == 0); }

TEST_CASE("flash sale: a shop that oversells fails the check") { CHECK(sale_at(shop_fault::oversells) == 1); }

TEST_CASE("flash sale: a shop that loses acknowledged orders fails the check") {
  CHECK(sale_at(shop_fault::loses_orders) == 1);
}

TEST_CASE("flash sale: a shop that leaves a gap in the arrival numbers fails the check") {
  CHECK(sale_at(shop_fault::leaves_arrival_gap) == 1);
}

TEST_CASE("flash sale: a shop that executes a repeated key again fails the check") {
  CHECK(sale_at(shop_fault::forgets_keys, [](flash_sale_options& o) { o.retry_lost = true; }) == 1);
}

TEST_CASE("flash sale: lost answers are a failure when nobody asks again") {
  CHECK(sale_at(shop_fault::drops_answers) == 1);
}

TEST_CASE("flash sale: lost answers are found again with the same key") {
  CHECK(sale_at(shop_fault::drops_answers, [](flash_sale_options& o) { o.retry_lost = true; }) == 0);
}

TEST_CASE("flash sale: a busy shop is asked again") {
  CHECK(sale_at(shop_fault::is_busy) == 1);
  CHECK(sale_at(shop_fault::is_busy, [](flash_sale_options& o) { o.retry_lost = true; }) == 0);
}

TEST_CASE("flash sale: a shop that says nothing ends in time, with the buyers reported as lost") {
  CHECK(sale_at(shop_fault::says_nothing, [](flash_sale_options& o) {
          o.buyers = 40;
          o.timeout_seconds = 0.1;
        }) == 1);
}

TEST_CASE("flash sale: the per-user limit is held when buyers share accounts") {
  CHECK(sale_at(shop_fault::none, [](flash_sale_options& o) {
          o.users = 20;
          o.quantity = 2;
          o.per_user_limit = 5;
          o.stock = 1000;
        }) == 0);
}

TEST_CASE("flash sale: more stock than buyers sells to everybody") {
  CHECK(sale_at(shop_fault::none, [](flash_sale_options& o) { o.stock = 1000; }) == 0);
}

TEST_CASE("flash sale: a server that is not there is an error of the environment") {
  fake_shop shop(shop_fault::none);
  auto o = fixture::options(shop.url());
  shop.stop();
  CHECK(run_flash_sale(o) == 2);
}

TEST_CASE("flash sale: a SKU with orders is refused") {
  fake_shop shop(shop_fault::none);
  auto o = fixture::options(shop.url());
  o.sku = "again";
  CHECK(run_flash_sale(o) == 0);
  CHECK(run_flash_sale(o) == 2);
}

TEST_CASE("flash sale: a page that cannot be written is an error of the environment") {
  fake_shop shop(shop_fault::none);
  auto o = fixture::options(shop.url());
  o.html = "/nonexistent/folder/sale.html";
  CHECK(run_flash_sale(o) == 2);
}

TEST_CASE("flash sale: the server is killed, started again, and nothing acknowledged is missing") {
  const fixture f;
  const auto pid_file = f.folder / "shop.pid";
  const auto journal = f.folder / "journal";
  const auto command = [&](const std::string& port) {
    return std::string(FAKE_SHOP) + " " + port + " " + journal.string() + " " + pid_file.string() + " >&2 &";
  };
  REQUIRE(std::system(command("0").c_str()) == 0);
  pid_t pid = 0;
  int port = 0;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  const auto is_ready = [&] { return static_cast<bool>(std::ifstream(pid_file) >> pid >> port); };
  while (!is_ready()) {
    REQUIRE_MESSAGE(std::chrono::steady_clock::now() < until, "the fake shop did not write its pid file");
    std::this_thread::yield();
  }

  auto o = fixture::options("http://127.0.0.1:" + std::to_string(port));
  o.kill_pid_file = pid_file;
  o.restart_command = command(std::to_string(port));
  o.kill_at = 0.02;
  o.connections = 200;  // more than are sent before answers are read: the kill comes while others still send
  o.retry_lost = true;
  CHECK(run_flash_sale(o) == 0);
  const pid_t first = pid;
  CHECK(is_ready());
  CHECK(pid != first);
  ::kill(pid, SIGKILL);
}

TEST_CASE("flash sale: a restart command that fails is an error of the environment") {
  const fixture f;
  const auto pid_file = f.folder / "victim.pid";
  fake_shop shop(shop_fault::none);
  const pid_t victim = ::fork();
  if (victim == 0) {
    ::pause();
    ::_exit(0);
  }
  std::ofstream(pid_file) << victim << '\n';
  auto o = fixture::options(shop.url());
  o.kill_pid_file = pid_file;
  o.restart_command = "exit 7";
  o.kill_at = 0.0;
  o.buyers = 100'000;
  o.stock = 10;
  CHECK(run_flash_sale(o) == 2);
}
