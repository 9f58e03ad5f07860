#pragma once

#include <prometheus/metric_family.h>

namespace troupe {

/// One value that only grows, or one that goes up and down, as a Prometheus family of its own.
inline prometheus::MetricFamily metric_of(const char* name, const char* help, prometheus::MetricType type,
                                          double value) {
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  return {name, help, type, {std::move(metric)}};
}
inline prometheus::MetricFamily counter_of(const char* name, const char* help, double value) {
  return metric_of(name, help, prometheus::MetricType::Counter, value);
}
inline prometheus::MetricFamily gauge_of(const char* name, const char* help, double value) {
  return metric_of(name, help, prometheus::MetricType::Gauge, value);
}

}  // namespace troupe
