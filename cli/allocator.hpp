#pragma once

namespace troupe::cli {

/// Before the first thread: makes the allocator ask for 2 MiB pages and keep what was freed for a second.
/// Otherwise a fifth of a task's CPU went into page faults (docs/decisions/004-allocator.md).
void tune_allocator();

}  // namespace troupe::cli
