#include "runtime/store/directory_lock.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace troupe {

directory_lock::~directory_lock() {
  if (file_ >= 0) ::close(file_);
}

directory_lock::outcome directory_lock::take(const std::string& directory) {
  file_ = ::open((directory + "/LOCK").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file_ < 0) return outcome::failed;
  // Of the process, not of the open file: a child that was forked does not hold it.
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(file_, F_SETLK, &whole) == 0) return outcome::taken;
  return errno == EACCES || errno == EAGAIN ? outcome::held_by_another : outcome::failed;
}

}  // namespace troupe
