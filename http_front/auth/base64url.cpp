#include "http_front/auth/base64url.hpp"

#include <sodium.h>

namespace troupe::http {
namespace {

constexpr int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

}  // namespace

void append_base64url(std::string& out, std::string_view bytes) {
  const auto at = out.size();
  const auto room = sodium_base64_encoded_len(bytes.size(), variant);  // with its terminating zero
  out.resize(at + room);
  sodium_bin2base64(out.data() + at, room, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                    variant);
  out.pop_back();
}

bool read_base64url(std::string_view text, std::string& out) {
  out.resize(text.size() / 4 * 3 + 3);
  std::size_t size = 0;
  const char* end = nullptr;
  const int fault = sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), text.data(),
                                      text.size(), nullptr, &size, &end, variant);
  if (fault != 0 || end != text.data() + text.size()) return false;
  out.resize(size);
  return true;
}

}  // namespace troupe::http
