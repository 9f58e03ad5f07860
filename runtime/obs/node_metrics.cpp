#include "runtime/obs/node_metrics.hpp"

#include <prometheus/collectable.h>

#include "runtime/obs/metric.hpp"

namespace troupe {
namespace {

using prometheus::MetricFamily;

class node_metrics final : public prometheus::Collectable {
 public:
  explicit node_metrics(const node& of) : node_(of) {}

  std::vector<MetricFamily> Collect() const override {
    const auto figures = node_.figures();
    std::vector<MetricFamily> out;
    const auto counter = [&](const char* name, const char* help, std::uint64_t value) {
      out.push_back(counter_of(name, help, static_cast<double>(value)));
    };
    const auto gauge = [&](const char* name, const char* help, std::uint64_t value) {
      out.push_back(gauge_of(name, help, static_cast<double>(value)));
    };
    counter("troupe_commands_total", "Commands taken from fronts.", figures.commands);
    counter("troupe_queries_total", "Queries taken from fronts.", figures.queries);
    counter("troupe_rejections_total", "Commands and queries that an entity refused.", figures.rejections);
    counter("troupe_overloaded_total", "Commands refused because a queue was full.", figures.overloaded);
    counter("troupe_replays_total", "Commands whose id was known.", figures.replays);
    counter("troupe_handler_failures_total", "Handlers that threw.", figures.failures);
    counter("troupe_log_entries_total", "Log entries appended.", figures.entries);
    counter("troupe_activations_total", "Entities brought into memory.", figures.activations);
    counter("troupe_passivations_total", "Entities let go.", figures.passivations);
    counter("troupe_timers_fired_total", "Durable timers that fired.", figures.timers_fired);
    counter("troupe_outbox_sent_total", "Outbox messages sent to shards.", figures.parcels_sent);
    counter("troupe_outbox_received_total", "Outbox messages taken in by shards.", figures.parcels_received);
    counter("troupe_outbox_unknown_total", "Outbox messages to kinds that this process does not know.",
            figures.parcels_unknown);
    gauge("troupe_entities_resident", "Entities in memory.", figures.residents);
    gauge("troupe_commands_queued", "Commands that wait for their entity.", figures.queued);
    gauge("troupe_log_uncommitted_entries", "Entries appended and not committed.", figures.uncommitted);
    gauge("troupe_log_unapplied_entries", "Entries committed and not applied to rows.", figures.unapplied);
    counter("troupe_journal_syncs_total", "Writes with fsync.", figures.journal.syncs);
    counter("troupe_journal_chunks_total", "Chunks of entries written.", figures.journal.chunks);
    counter("troupe_journal_bytes_total", "Bytes of chunks written.", figures.journal.bytes);
    out.push_back(counter_of("troupe_journal_sync_seconds_total", "Time spent in writes with fsync.",
                             static_cast<double>(figures.journal.sync_us_sum) / 1e6));
    out.push_back(gauge_of("troupe_journal_sync_seconds_max", "The slowest write with fsync since the start.",
                           static_cast<double>(figures.journal.sync_us_max) / 1e6));
    gauge("troupe_store_bytes", "Bytes in the store's files, without its write-ahead log.",
          figures.store_bytes);
    gauge("troupe_disk_free_bytes", "Free space where the data directory is.", figures.disk_free_bytes);
    gauge("troupe_storage_full", "1 while changes are refused because the disk is full.",
          figures.storage_full ? 1 : 0);
    return out;
  }

 private:
  const node& node_;
};

}  // namespace

std::shared_ptr<prometheus::Collectable> make_node_metrics(const node& of) {
  return std::make_shared<node_metrics>(of);
}

}  // namespace troupe
