#include <cstdlib>

namespace {

// RapidCheck reads RC_PARAMS when the first property runs and tries 100 cases unless told otherwise. Who sets
// the variable, e.g. to reproduce a failure, is not overruled.
[[maybe_unused]] const int is_set = setenv("RC_PARAMS", "max_success=1000", 0);

}  // namespace
