# What nearly every test reads, parsed once. Not for the rooms: with precompiled headers g++ 12 finds overflows in std::string
# that are not there as soon as it optimises. Files include what they use all the same; clang-tidy reads them without this.
add_library(troupe_precompiled OBJECT cmake/precompiled.cpp)
target_link_libraries(troupe_precompiled PRIVATE troupe_test_flags)
target_precompile_headers(
  troupe_precompiled
  PRIVATE
  <algorithm>
  <array>
  <atomic>
  <chrono>
  <condition_variable>
  <cstdint>
  <deque>
  <filesystem>
  <fstream>
  <functional>
  <map>
  <memory>
  <mutex>
  <optional>
  <random>
  <set>
  <span>
  <string>
  <string_view>
  <thread>
  <unordered_map>
  <utility>
  <variant>
  <vector>
  <boost/json.hpp>
  <fmt/format.h>)
