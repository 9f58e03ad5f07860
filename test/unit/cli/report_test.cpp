#include <doctest/doctest.h>

#include <boost/json/parse.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "cli/flash_sale/report.hpp"

using namespace troupe;
using namespace troupe::flash_sale;

namespace {

/// Three buyers, two units, a kill in the middle.
sale_report small_report() {
  flash_sale_options o;
  o.sku = "shoe";
  o.buyers = o.users = o.connections = 3;
  o.stock = 2;
  o.seed = 9;
  sale_facts f;
  f.stock = 2;
  f.users = {"a", "b", "c"};
  f.view = {.available = 0, .reserved = 0, .sold = 2, .initial = 2, .restocked = 0};
  f.listed = {{"o1", "a", 1, "confirmed", 1}, {"o2", "b", 1, "confirmed", 2}};
  f.outcomes = {
      {verdict::ordered, "", "o1", 1, 1, false, 1, microseconds{10}, microseconds{1'510}},
      {verdict::ordered, "", "o2", 2, 1, true, 2, microseconds{20}, microseconds{2'000'020}},
      {verdict::refused, "sold-out", "", 0, 0, false, 1, microseconds{30}, microseconds{2'040}},
  };
  const sale_timing timing{.started_at = timestamp{1'700'000'000'000},
                           .longest_silence = {microseconds{2'040}, microseconds{1'997'980}},
                           .killed = sale::kill_moment{microseconds{2'500}, 2}};
  return make_report(o, f, timing);
}

/// The agreed text. With TROUPE_WRITE_GOLDEN set, what is there now becomes what is agreed.
std::string golden(const char* name, const std::string& now) {
  const std::string path = std::string(GOLDEN_FOLDER) + "/" + name;
  if (std::getenv("TROUPE_WRITE_GOLDEN") != nullptr) std::ofstream(path) << now;
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("report: the text is as it was agreed on") {
  const auto text = report_text(small_report(), cli::terminal{});
  CHECK(text == golden("report.txt", text));
}

TEST_CASE("report: on a terminal the same words are there, in colour and with marks") {
  const auto text =
      report_text(small_report(), cli::terminal{.is_terminal = true, .colour = true, .utf8 = true});
  CHECK(text.find("\x1b[32m✓\x1b[0m Each of the 3 buyers") != std::string::npos);
  CHECK(text.find("█") != std::string::npos);
}

TEST_CASE("report: without colour there is no escape sequence") {
  const auto text =
      report_text(small_report(), cli::terminal{.is_terminal = true, .colour = false, .utf8 = true});
  CHECK(text.find('\x1b') == std::string::npos);
}

TEST_CASE("report: the JSON is one object with the same figures") {
  const auto text = report_json(small_report());
  CHECK(text == golden("report.json", text));
  const auto json = boost::json::parse(text).as_object();
  CHECK(json.at("soldOrders").as_int64() == 2);
  CHECK(json.at("kill").at("gapMs").as_int64() == 1'997);
  CHECK(json.at("passed").as_bool());
}

TEST_CASE("report: the page is self-contained and escapes what it shows") {
  auto report = small_report();
  report.sku = "<script>alert(1)</script>";
  const auto page = report_html(report);
  CHECK(page.find("<script>alert") == std::string::npos);
  CHECK(page.find("&lt;script&gt;alert") != std::string::npos);
  CHECK(page.find("src=") == std::string::npos);
  CHECK(page.find("href=\"http") == std::string::npos);
  CHECK(page.find("<svg") != std::string::npos);
}
