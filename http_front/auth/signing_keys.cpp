#include "http_front/auth/signing_keys.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cerrno>
#include <cstring>

#include "http_front/auth/base64url.hpp"
#include "http_front/boot_error.hpp"
#include "runtime/entity/json_read.hpp"
#include "runtime/entity/json_write.hpp"

namespace troupe::http {
namespace {

constexpr std::size_t kid_chars_max = 64;
constexpr std::size_t file_bytes_max = 64 * 1024;

struct stored_key {
  std::string kid;
  std::string secret;
};
TROUPE_DESCRIBE(stored_key, kid, secret)

struct key_file {
  std::vector<stored_key> keys;
};
TROUPE_DESCRIBE(key_file, keys)

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& why) {
  throw boot_error("signing keys " + file.string() + ": " + why);
}

class descriptor {
 public:
  explicit descriptor(int fd) : fd_(fd) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

std::string read_all(int fd, const std::filesystem::path& file) {
  std::string text(file_bytes_max + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto n = ::read(fd, text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(file, std::strerror(errno));
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  if (size > file_bytes_max) fail(file, "is larger than a key file can be");
  text.resize(size);
  return text;
}

signing_keys parse(const std::string& text, const std::filesystem::path& file) {
  boost::json::error_code error;
  const auto json = boost::json::parse(text, error);
  key_file stored;
  std::vector<field_error> faults;
  if (!error) read_json(json, stored, "", faults);
  if (error || !faults.empty()) fail(file, "is not a key file");
  std::vector<signing_key> keys;
  for (const auto& one : stored.keys) {
    std::string secret;
    auto& key = keys.emplace_back();
    key.kid = one.kid;
    if (!read_base64url(one.secret, secret) || secret.size() != key.secret.size()) {
      fail(file, "the secret of key '" + one.kid + "' is not 32 bytes in base64url");
    }
    std::copy(secret.begin(), secret.end(), key.secret.begin());
  }
  return signing_keys{std::move(keys)};
}

void write_all(int fd, std::string_view text, const std::filesystem::path& file) {
  while (!text.empty()) {
    const auto n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(file, std::strerror(errno));
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::string random_word(std::size_t bytes) {
  std::string raw(bytes, '\0');
  randombytes_buf(raw.data(), raw.size());
  std::string text;
  append_base64url(text, raw);
  return text;
}

/// Written under another name, synced, then linked: two processes that start at once agree on one file.
void create(const std::filesystem::path& file) {
  key_file fresh{{{random_word(6), random_word(32)}}};
  std::string text;
  write_json(text, fresh);
  text += '\n';
  const std::string draft = file.string() + "." + random_word(6);
  const descriptor out{::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (!out.is_open()) fail(file, std::strerror(errno));
  write_all(out.get(), text, file);
  const bool synced = ::fsync(out.get()) == 0;
  const int linked = synced ? ::link(draft.c_str(), file.c_str()) : -1;
  const int why = errno;
  ::unlink(draft.c_str());
  if (linked != 0 && why != EEXIST) fail(file, std::strerror(why));
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path{"."};
  const descriptor directory{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!directory.is_open() || ::fsync(directory.get()) != 0) fail(file, std::strerror(errno));
}

}  // namespace

signing_keys::signing_keys(std::vector<signing_key> keys) : keys_(std::move(keys)) {
  if (keys_.empty()) throw boot_error("signing keys: there is none");
  for (const auto& key : keys_) {
    const bool plain =
        std::all_of(key.kid.begin(), key.kid.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    if (key.kid.empty() || key.kid.size() > kid_chars_max || !plain)
      throw boot_error("signing keys: malformed kid");
    if (find(key.kid) != &key) throw boot_error("signing keys: two keys are called " + key.kid);
  }
}

const signing_key* signing_keys::find(std::string_view kid) const {
  for (const auto& key : keys_) {
    if (key.kid == kid) return &key;
  }
  return nullptr;
}

signing_keys load_or_create_keys(const std::filesystem::path& file) {
  if (::sodium_init() < 0) fail(file, "no source of random numbers");
  if (::access(file.c_str(), F_OK) != 0) create(file);
  const descriptor in{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (!in.is_open()) fail(file, std::strerror(errno));
  struct stat about {};
  if (::fstat(in.get(), &about) != 0) fail(file, std::strerror(errno));
  if (!S_ISREG(about.st_mode)) fail(file, "is not a plain file");
  if ((about.st_mode & 077) != 0) fail(file, "others may read or write it; run: chmod 600 " + file.string());
  return parse(read_all(in.get(), file), file);
}

}  // namespace troupe::http
