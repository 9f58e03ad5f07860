#pragma once

#include <optional>
#include <string>

namespace troupe::chaos {

/// From here on what a script of this process leaves behind is this process's child, so that it can tell how
/// it ended.
void adopt_orphans();

/// Whether that process runs and was started with that word: it, and no other that has got its number since.
bool has_word(int pid, const std::string& word);
/// Whether all of it is stopped (SIGSTOP).
bool is_frozen(int pid);
/// How a child ended, as waitpid() has it. Nothing: it still runs at the deadline, or is no child (any more).
std::optional<int> await_exit(int pid, int deadline_ms);
/// "exit code 1", "signal 11".
std::string ending_in_words(int status);

}  // namespace troupe::chaos
