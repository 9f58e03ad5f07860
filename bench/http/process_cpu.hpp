#pragma once

#include <sys/types.h>

#include <cstdint>

namespace troupe::bench {

/// User and system time of a process with all its threads so far, in steps of a clock tick (10 ms as a rule).
/// 0 for pid 0 and for a process that is gone.
std::int64_t cpu_us(pid_t pid);
std::int64_t own_cpu_us();

}  // namespace troupe::bench
