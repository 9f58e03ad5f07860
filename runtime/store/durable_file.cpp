#include "runtime/store/durable_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace troupe {
namespace {

std::string fault(const char* what, const std::string& path) {
  return std::string{"cannot "} + what + " " + path + ": " + std::strerror(errno);
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const auto written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// The new name is on disk only when its directory is.
std::optional<std::string> sync_directory(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fault("open", directory);
  std::optional<std::string> why;
  if (::fsync(fd) != 0) why = fault("sync", directory);
  ::close(fd);
  return why;
}

}  // namespace

std::optional<std::string> replace_file(const std::string& path, std::string_view content) {
  const std::string temporary = path + ".new";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return fault("write", temporary);
  std::optional<std::string> why;
  if (!write_all(fd, content) || ::fsync(fd) != 0) why = fault("write", temporary);
  ::close(fd);
  if (!why && ::rename(temporary.c_str(), path.c_str()) != 0) why = fault("replace", path);
  if (why) {
    ::unlink(temporary.c_str());
    return why;
  }
  const auto parent = std::filesystem::path{path}.parent_path().string();
  return sync_directory(parent.empty() ? "." : parent);
}

}  // namespace troupe
