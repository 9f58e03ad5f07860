#include "cluster/node/cluster_metrics.hpp"

#include <prometheus/collectable.h>

#include "runtime/obs/metric.hpp"

namespace troupe {
namespace {

using prometheus::MetricFamily;

MetricFamily refused_of(const cluster_refusals& refused) {
  MetricFamily out{"troupe_refused_total",
                   "What other processes sent and was refused; nothing was changed by it.",
                   prometheus::MetricType::Counter,
                   {}};
  const auto add = [&](const char* what, std::uint64_t value) {
    prometheus::ClientMetric metric;
    metric.label.push_back({"what", what});
    metric.counter.value = static_cast<double>(value);
    out.metric.push_back(std::move(metric));
  };
  add("process", refused.processes);
  add("message", refused.messages);
  add("word", refused.words);
  add("replication", refused.replication);
  add("authority", refused.authority);
  return out;
}

class cluster_metrics final : public prometheus::Collectable {
 public:
  explicit cluster_metrics(const cluster_node& of) : node_(of) {}

  std::vector<MetricFamily> Collect() const override {
    const auto links = node_.transport_state();
    const auto authority = node_.authority_state();
    const auto number = [](std::uint64_t value) { return static_cast<double>(value); };
    return {
        gauge_of("troupe_primaries", "Shards that this node runs.", number(node_.primaries())),
        gauge_of("troupe_copies_quarantined", "Copies of shards here that take part in nothing any more.",
                 number(node_.quarantined().size())),
        gauge_of("troupe_links_open", "Connections to other nodes.", number(links.links_open)),
        counter_of("troupe_links_lost_total", "Connections to other nodes that broke.",
                   number(links.links_lost)),
        counter_of("troupe_words_sent_total", "Words sent to other processes.", number(links.words_sent)),
        counter_of("troupe_words_received_total", "Words of other processes.", number(links.words_received)),
        counter_of("troupe_words_dropped_total", "Words not sent: no connection, or too much was waiting.",
                   number(links.dropped)),
        counter_of("troupe_transport_sent_bytes_total", "Bytes sent to other processes.",
                   number(links.bytes_sent)),
        counter_of("troupe_transport_received_bytes_total", "Bytes of other processes.",
                   number(links.bytes_received)),
        counter_of("troupe_authority_unknown_total",
                   "Changes of a shard's config of which it is not known whether they were made.",
                   number(authority.unknown_outcomes)),
        counter_of("troupe_authority_failed_reads_total", "Questions to etcd without an answer.",
                   number(authority.failed_reads)),
        counter_of("troupe_authority_declined_total", "Requests that etcd answered with an error.",
                   number(authority.refused.declined)),
        refused_of(node_.refusals()),
    };
  }

 private:
  const cluster_node& node_;
};

}  // namespace

std::shared_ptr<prometheus::Collectable> make_cluster_metrics(const cluster_node& of) {
  return std::make_shared<cluster_metrics>(of);
}

}  // namespace troupe
