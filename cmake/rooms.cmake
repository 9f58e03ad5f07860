# Several sources are compiled as one: most of a source's cost is the headers that it reads. For builds that nobody edits
# in and clang-tidy does not read: a change compiles its neighbours too.
option(TROUPE_UNITY "Compile several sources of a room at once" OFF)

# troupe_room(NAME sources... LINK libraries...): one static library, strict warnings.
function(troupe_room name)
  cmake_parse_arguments(room "" "" "SOURCES;LINK;PRIVATE_LINK;PCH" ${ARGN})
  add_library(${name} STATIC ${room_SOURCES})
  target_link_libraries(${name} PUBLIC ${room_LINK} PRIVATE troupe_flags ${room_PRIVATE_LINK})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  if(TROUPE_UNITY)
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
  endif()
  if(room_PCH)
    target_precompile_headers(${name} PRIVATE ${room_PCH})
  else()
    troupe_precompile(${name})
  endif()
endfunction()

# troupe_test(NAME LABEL label SOURCES ... LINK ...): one doctest binary, one ctest entry a test case. Labels: unit, property,
# simulation, integration, and process for what starts other programs. OPTIMIZED: what it tests is mostly in headers, or is
# measured in time; of templates that both instantiate the linker takes the test's.
function(troupe_test name)
  cmake_parse_arguments(t "OPTIMIZED" "LABEL;TIMEOUT" "SOURCES;LINK;PCH" ${ARGN})
  add_executable(${name} ${t_SOURCES})
  target_link_libraries(${name} PRIVATE $<IF:$<BOOL:${t_OPTIMIZED}>,troupe_flags,troupe_test_flags> troupe_test_main ${t_LINK})
  if(t_OPTIMIZED)
    troupe_precompile(${name})
  elseif(t_PCH)
    target_precompile_headers(${name} PRIVATE ${t_PCH})
  else()
    target_precompile_headers(${name} REUSE_FROM troupe_precompiled)
  endif()
  if(NOT t_TIMEOUT)
    set(t_TIMEOUT 120)
  endif()
  if(NOT t_LABEL STREQUAL process)
    add_dependencies(troupe_in_process_tests ${name})
  endif()
  doctest_discover_tests(${name} PROPERTIES LABELS ${t_LABEL} TIMEOUT ${t_TIMEOUT})
endfunction()
