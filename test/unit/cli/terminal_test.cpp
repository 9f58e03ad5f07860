#include "cli/terminal.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

using troupe::cli::look_at;

namespace {

/// An environment variable for the length of a test; null: not set.
class setting {
 public:
  setting(const char* name, const char* value) : name_(name) {
    if (const char* before = ::getenv(name)) before_ = before, was_set_ = true;
    set(value);
  }
  ~setting() { set(was_set_ ? before_.c_str() : nullptr); }
  setting(const setting&) = delete;
  setting& operator=(const setting&) = delete;

 private:
  void set(const char* value) {
    if (value != nullptr) {
      ::setenv(name_, value, 1);
    } else {
      ::unsetenv(name_);
    }
  }
  const char* name_;
  std::string before_;
  bool was_set_ = false;
};

/// The program's side of a terminal that nobody looks at.
class pseudo_terminal {
 public:
  pseudo_terminal() {
    REQUIRE(other_side_ >= 0);
    REQUIRE(::grantpt(other_side_) == 0);
    REQUIRE(::unlockpt(other_side_) == 0);
    stream_ = std::fopen(::ptsname(other_side_), "r+");
    REQUIRE(stream_ != nullptr);
  }
  ~pseudo_terminal() {
    if (stream_ != nullptr) std::fclose(stream_);
    ::close(other_side_);
  }
  pseudo_terminal(const pseudo_terminal&) = delete;
  pseudo_terminal& operator=(const pseudo_terminal&) = delete;
  std::FILE* stream() const { return stream_; }

 private:
  int other_side_ = ::posix_openpt(O_RDWR | O_NOCTTY);
  std::FILE* stream_ = nullptr;
};

}  // namespace

TEST_CASE("terminal: colour is for terminals that are not dumb, and NO_COLOR counts when it is not empty") {
  const pseudo_terminal some;
  struct row {
    const char* no_colour;
    const char* term;
    bool colour;
  };
  for (const auto& [no_colour, term, colour] : {
           row{nullptr, "xterm", true},
           row{"", "xterm", true},
           row{"1", "xterm", false},
           row{nullptr, "dumb", false},
           row{nullptr, nullptr, true},
       }) {
    CAPTURE(no_colour);
    CAPTURE(term);
    const setting a{"NO_COLOR", no_colour};
    const setting b{"TERM", term};
    CHECK(look_at(some.stream()).is_terminal);
    CHECK(look_at(some.stream()).colour == colour);
  }
}

TEST_CASE("terminal: the locale says whether it shows UTF-8, the first variable that is set alone") {
  const pseudo_terminal some;
  const setting a{"LC_ALL", ""};
  const setting b{"LC_CTYPE", "C"};
  const setting c{"LANG", "de_DE.UTF-8"};
  CHECK_FALSE(look_at(some.stream()).utf8);
  const setting d{"LC_ALL", "en_US.utf8"};
  CHECK(look_at(some.stream()).utf8);
}

TEST_CASE("terminal: a file shows nothing but text") {
  const setting a{"NO_COLOR", nullptr};
  const setting b{"TERM", "xterm"};
  const setting c{"LC_ALL", "en_US.UTF-8"};
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  const auto t = look_at(file);
  CHECK_FALSE(t.is_terminal);
  CHECK_FALSE(t.colour);
  CHECK_FALSE(t.utf8);
  std::fclose(file);
}
