# Headers that are parsed once. Files include what they use all the same; clang-tidy reads them without this.
set(precompiled_standard_headers
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
    <vector>)

# What nearly every test reads.
add_library(troupe_precompiled OBJECT cmake/precompiled.cpp)
target_link_libraries(troupe_precompiled PRIVATE troupe_test_flags)
target_precompile_headers(troupe_precompiled PRIVATE ${precompiled_standard_headers} <boost/json.hpp> <fmt/format.h>)

# What nearly every room reads. With precompiled headers g++ 12 finds overflows in std::string that are not there as soon as it
# optimises, so these warnings are off in such builds; where rooms are compiled without (TROUPE_UNITY, sanitizers), they are on.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT TROUPE_UNITY)
  add_library(troupe_precompiled_rooms OBJECT cmake/precompiled.cpp)
  target_link_libraries(troupe_precompiled_rooms PRIVATE troupe_flags)
  target_precompile_headers(troupe_precompiled_rooms PRIVATE ${precompiled_standard_headers})
endif()

# troupe_precompile(NAME): for what is compiled as a room is.
function(troupe_precompile name)
  if(TARGET troupe_precompiled_rooms)
    target_precompile_headers(${name} REUSE_FROM troupe_precompiled_rooms)
    target_compile_options(${name} PRIVATE -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds)
  endif()
endfunction()
