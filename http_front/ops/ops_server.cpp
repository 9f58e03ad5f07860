#include "http_front/ops/ops_server.hpp"

#include <httplib.h>
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sodium.h>

#include <algorithm>
#include <iterator>
#include <mutex>
#include <thread>

#include "http_front/boot_error.hpp"
#include "http_front/policy/trace.hpp"
#include "http_front/problem/front_problems.hpp"
#include "http_front/problem/problem.hpp"
#include "runtime/entity/json_write.hpp"

namespace troupe::http {
namespace {

constexpr const char* json_media_type = "application/json";
constexpr std::size_t body_bytes_max = 1024;  // nothing here takes a body
constexpr int wait_s_max = 2;

std::uint64_t random_seed() {
  if (::sodium_init() < 0) throw boot_error("no source of random numbers");
  std::uint64_t seed = 0;
  randombytes_buf(&seed, sizeof seed);
  return seed;
}

}  // namespace

struct ops_server::state {
  state(ops_options options, ops_sources parts);
  ~state() {
    http.stop();
    if (listening.joinable()) listening.join();
  }

  void serve(const std::string& path, httplib::Server::Handler handler);
  void add_routes();
  void answer_problem(const httplib::Request& in, httplib::Response& out, front_problem why);
  void answer_readiness(httplib::Response& out) const;
  void answer_health(const health_source& source, httplib::Response& out) const;
  void answer_metrics(httplib::Response& out) const;

  ops_sources sources;
  timestamp started;
  std::vector<std::string> paths;  // each takes GET and HEAD
  std::mutex mutex;                // of ids: any of the threads may have a problem
  id_source ids{random_seed()};
  httplib::Server http;
  int port = 0;
  std::thread listening;
};

ops_server::state::state(ops_options options, ops_sources parts)
    : sources(std::move(parts)), started(sources.clock->wall()) {
  http.new_task_queue = [threads = options.threads] { return new httplib::ThreadPool(threads); };
  http.set_payload_max_length(body_bytes_max);
  http.set_read_timeout(wait_s_max);
  http.set_write_timeout(wait_s_max);
  // A thread serves one connection at a time: an idle one must not keep a probe waiting.
  http.set_keep_alive_max_count(1);
  // The library's default also sets SO_REUSEPORT, and a second server would share the port in silence.
  http.set_socket_options([](socket_t socket) {
    const int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
  add_routes();
  if (options.port == 0) {
    port = http.bind_to_any_port(options.address);
  } else {
    port = http.bind_to_port(options.address, options.port) ? options.port : -1;
  }
  if (port <= 0) {
    throw boot_error("cannot listen for operations on " + options.address + ":" +
                     std::to_string(options.port));
  }
  listening = std::thread{[this] { http.listen_after_bind(); }};
  // stop() before the accept loop runs would be lost.
  while (!http.is_running()) std::this_thread::yield();
}

void ops_server::state::serve(const std::string& path, httplib::Server::Handler handler) {
  http.Get(path, std::move(handler));
  paths.push_back(path);
}

void ops_server::state::add_routes() {
  using request = httplib::Request;
  using answer = httplib::Response;
  serve("/livez",
        [](const request&, answer& out) { out.set_content(R"({"status":"alive"})", json_media_type); });
  serve("/readyz", [this](const request&, answer& out) { answer_readiness(out); });
  serve("/health", [this](const request&, answer& out) { answer_health(sources.health, out); });
  serve("/health/database", [this](const request&, answer& out) { answer_health(sources.database, out); });
  serve("/health/services", [this](const request&, answer& out) { answer_health(sources.services, out); });
  serve("/health/redis",
        [this](const request& in, answer& out) { answer_problem(in, out, front_problem::no_redis); });
  serve("/stats", [this](const request&, answer& out) {
    out.set_content(sources.stats ? sources.stats() : "{}", json_media_type);
  });
  serve("/metrics", [this](const request&, answer& out) { answer_metrics(out); });
  http.set_error_handler([this](const request& in, answer& out) {
    if (!out.body.empty()) return;
    const bool is_read = in.method == "GET" || in.method == "HEAD";
    if (!is_read && std::find(paths.begin(), paths.end(), in.path) != paths.end()) {
      out.set_header("Allow", "GET, HEAD");
      return answer_problem(in, out, front_problem::method_not_allowed);
    }
    const auto why = out.status == 404 ? front_problem::not_found : front_problem::malformed_request;
    answer_problem(in, out, why);
  });
  http.set_exception_handler([this](const request& in, answer& out, const std::exception_ptr&) {
    answer_problem(in, out, front_problem::internal_error);
  });
}

void ops_server::state::answer_problem(const httplib::Request& in, httplib::Response& out,
                                       front_problem why) {
  trace_context trace;
  {
    const std::lock_guard lock{mutex};
    trace.begin(in.get_header_value("traceparent"), ids);
  }
  const auto& about = describe(why);
  std::string body;
  write_problem(body, {about.kind, about.meaning, in.path, trace.id(), {}, {}});
  out.status = about.kind.status;
  out.set_content(body, std::string{problem_media_type});
}

void ops_server::state::answer_readiness(httplib::Response& out) const {
  const auto reasons = sources.not_ready ? sources.not_ready() : std::vector<std::string>{};
  std::string body =
      reasons.empty() ? R"({"status":"ready","reasons":)" : R"({"status":"not ready","reasons":)";
  write_json(body, reasons);
  body += '}';
  out.status = reasons.empty() ? 200 : 503;
  out.set_content(body, json_media_type);
}

void ops_server::state::answer_health(const health_source& source, httplib::Response& out) const {
  const auto page =
      render_health(source ? source() : std::vector<health_check>{}, sources.clock->wall(), started);
  out.status = page.status;
  out.set_content(page.body, json_media_type);
}

void ops_server::state::answer_metrics(httplib::Response& out) const {
  std::vector<prometheus::MetricFamily> families;
  for (const auto& weak : sources.metrics) {
    const auto source = weak.lock();
    if (!source) continue;
    auto more = source->Collect();
    families.insert(families.end(), std::make_move_iterator(more.begin()),
                    std::make_move_iterator(more.end()));
  }
  out.set_content(prometheus::TextSerializer{}.Serialize(families),
                  "text/plain; version=0.0.4; charset=utf-8");
}

ops_server::ops_server(ops_options options, ops_sources sources)
    : state_(std::make_unique<state>(std::move(options), std::move(sources))) {}

ops_server::~ops_server() = default;

std::uint16_t ops_server::port() const { return static_cast<std::uint16_t>(state_->port); }

}  // namespace troupe::http
