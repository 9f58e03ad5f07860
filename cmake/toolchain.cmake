set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)

# Assertions guard durable state, so release builds keep them; TROUPE_ASSERT does not look at NDEBUG.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -fno-omit-frame-pointer")

add_library(troupe_flags INTERFACE)
target_compile_options(
  troupe_flags
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Wshadow
            -Wconversion
            -Wnon-virtual-dtor
            -Werror)
target_include_directories(troupe_flags INTERFACE ${CMAKE_SOURCE_DIR})

# What only tests execute: compiling it is most of its cost, and -O0 halves that. A test that fails says where by itself.
add_library(troupe_test_flags INTERFACE)
target_link_libraries(troupe_test_flags INTERFACE troupe_flags fmt::fmt Boost::json)
target_compile_options(troupe_test_flags INTERFACE -O0)
if(NOT TROUPE_SANITIZE)
  target_compile_options(troupe_test_flags INTERFACE -g0)
endif()

if(TROUPE_SANITIZE)
  # -fno-sanitize=null: CAF 0.17.6 forms a null reference when it spawns a function without arguments.
  set(sanitize -fsanitize=address,undefined -fno-sanitize=null,vptr -fno-sanitize-recover=all)
  add_compile_options(${sanitize})
  add_link_options(${sanitize})
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # Precompiled headers and ccache only agree under these two settings (ccache manual, "Precompiled headers").
  # Depend mode: what was not compiled before is not preprocessed twice.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_DEPEND=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
  add_compile_options(-fpch-preprocess)
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
