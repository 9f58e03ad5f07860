#pragma once

#include <spdlog/spdlog.h>

// What every room logs with. fmt's formatting is compiled into its library, but nothing tells the compiler
// so, which makes it anew for every file that logs: a third of what compiling one takes.
#if FMT_VERSION / 10'000 == 9
extern template void fmt::detail::vformat_to<char>(fmt::detail::buffer<char>&, fmt::basic_string_view<char>,
                                                   fmt::basic_format_args<fmt::buffer_context<char>>,
                                                   fmt::detail::locale_ref);
#endif
