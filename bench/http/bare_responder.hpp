#pragma once

#include <cstdint>

/// Answers requests on that port of 127.0.0.1 until the process is ended. Throws when it cannot listen.
void answer_for_ever(std::uint16_t port, int threads);
