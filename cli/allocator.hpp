#pragma once

namespace troupe::cli {

/// Before the first thread: makes the allocator ask for 2 MiB pages. Without them every twelfth microsecond
/// of a task went into faults of 4 KiB pages (docs/decisions/004-allocator.md).
void tune_allocator();

}  // namespace troupe::cli
