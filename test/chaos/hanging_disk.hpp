#pragma once

namespace troupe::chaos {

/// While a file of that name is in the data directory no sync of a forgetful_disk returns, as on a disk that
/// neither works nor fails.
inline constexpr const char* hangs_name = "hangs";

}  // namespace troupe::chaos
