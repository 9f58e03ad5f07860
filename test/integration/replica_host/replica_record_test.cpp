#include <doctest/doctest.h>

#include "cluster/replica_host/replica_host.hpp"
#include "cluster/replica_host/replica_record.hpp"

using namespace troupe;

TEST_CASE("replica record: reads what it wrote, and no damaged bytes") {
  const replication::replica_meta meta{
      1, 200, 70'000, 3, replication::disk_state::quarantined, 9, {node_id{2}, 8}};
  const auto bytes = encode_replica_record(meta);
  CHECK(decode_replica_record(bytes) == meta);
  CHECK_FALSE(decode_replica_record(""));
  CHECK_FALSE(decode_replica_record(bytes + "x"));
  for (std::size_t cut = 0; cut < bytes.size(); ++cut)
    CHECK_FALSE(decode_replica_record(bytes.substr(0, cut)));
  auto other_format = bytes;
  other_format[0] = 4;
  CHECK_FALSE(decode_replica_record(other_format));
  auto older = bytes.substr(0, bytes.size() - 2);
  older[0] = 2;
  auto without = meta;
  without.primary = {};
  CHECK(decode_replica_record(older) == without);
  older.pop_back();
  older[0] = 1;
  without.disk_since = 0;
  CHECK(decode_replica_record(older) == without);
  CHECK(refuse_replica({"nonsense", 0, 0, {}}) != "");
  CHECK(refuse_replica({"", 0, 0, {}}) == "");
}
