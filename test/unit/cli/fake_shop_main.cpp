#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "test/unit/cli/fake_shop.hpp"

/// The fake shop as a process that can be killed: fake_shop PORT JOURNAL PID_FILE.
int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const troupe::flash_sale::fake_shop shop(troupe::flash_sale::shop_fault::none,
                                           static_cast<std::uint16_t>(std::atoi(argv[1])), argv[2]);
  std::ofstream(argv[3]) << ::getpid() << ' ' << shop.port() << '\n';
  while (true) ::pause();
}
