#include "tests/kubernetes/admission_load.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/async/task_group.hpp"
#include "common/http/client.hpp"
#include "common/json_access.hpp"
#include "operator/kube/kubeconfig.hpp"
#include "tests/kubernetes/administrator.hpp"
#include "tests/kubernetes/api_session.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

/// More than the webhook's timeoutSeconds: what takes longer is the API server's fault.
constexpr auto kAnswerLimit = std::chrono::seconds(30);
constexpr auto kLoadLimit = std::chrono::minutes(30);

std::string make_pod() {
    return json{
        {"apiVersion", "v1"},
        {"kind", "Pod"},
        {"metadata", {{"generateName", "load-"}, {"annotations", {{"cloudvalkey.dev/connections", "sessions"}}}}},
        {"spec", {{"containers", json::array({{{"name", "app"}, {"image", "app:1"}}})}}}}
        .dump();
}

bool is_injected(const std::string& body) {
    const auto pod = json::parse(body, nullptr, false);
    const auto& containers = find_array(pod, {"spec", "initContainers"});
    return index_of_named(containers, "cloud-valkey-proxy") >= 0;
}

http::ClientOptions client_options() {
    http::ClientOptions options;
    options.max_idle_connections = 16;
    return options;
}

op::KubeConfig admin_config() {
    return op::load_kubeconfig(admin_kubeconfig()).value();
}

milliseconds to_ms(std::chrono::steady_clock::duration duration) {
    return std::chrono::duration_cast<milliseconds>(duration);
}

}  // namespace

std::vector<Admission> AdmissionReport::of(Admission::Outcome outcome) const {
    std::vector<Admission> chosen;
    std::copy_if(admissions.begin(), admissions.end(), std::back_inserter(chosen),
                 [&](const Admission& admission) { return admission.outcome == outcome; });
    return chosen;
}

milliseconds AdmissionReport::max_latency() const {
    milliseconds longest{0};
    for (const auto& admission : admissions)
        longest = std::max(longest, to_ms(admission.latency));
    return longest;
}

milliseconds AdmissionReport::median_latency() const {
    if (admissions.empty()) return milliseconds(0);
    auto sorted = admissions;
    std::sort(sorted.begin(), sorted.end(),
              [](const Admission& a, const Admission& b) { return a.latency < b.latency; });
    return to_ms(sorted[sorted.size() / 2].latency);
}

std::string AdmissionReport::summary() const {
    const auto failed = of(Admission::Outcome::failed);
    auto text =
        fmt::format("{} admissions, {} failed, {} bare, median {} ms, max {} ms", admissions.size(), failed.size(),
                    of(Admission::Outcome::bare).size(), median_latency().count(), max_latency().count());
    for (std::size_t i = 0; i < std::min<std::size_t>(failed.size(), 5); ++i)
        text += fmt::format("\n  after {} ms: {}", to_ms(failed[i].sent_at - admissions.front().sent_at).count(),
                            failed[i].fault);
    return text;
}

struct AdmissionLoad::Impl {
    Impl(const std::string& name_space, int per_second)
        : target(pods_of(name_space) + "?dryRun=All"),
          period(std::chrono::nanoseconds(std::chrono::seconds(1)) / per_second),
          client(io, admin_config().server.origin, op::load_kube_credentials(admin_config()).value().tls,
                 client_options()) {
        feeding.spawn("feed", feed());
        thread = std::thread([this] { io.run(); });
    }
    ~Impl() { join(); }

    void join() {
        is_ending = true;
        if (thread.joinable()) thread.join();
    }

    /// By the clock, so that slow answers do not slow it down.
    Awaitable<void> feed() {
        TaskGroup calls(io);
        for (auto due = SteadyClock::now(); !is_ending; due += period) {
            co_await sleep_for(due - SteadyClock::now());
            auto& admission = admissions.emplace_back();
            calls.spawn("admission", send(&admission));
            ++sent;
        }
        co_await calls.join(SteadyClock::now() + kAnswerLimit);
        client.close();
    }

    Awaitable<void> send(Admission* admission) {
        http::Request request;
        request.method = "POST";
        request.target = target;
        request.headers.set("Content-Type", "application/json");
        request.body = pod;
        admission->sent_at = SteadyClock::now();
        const auto response = co_await client.send(std::move(request), admission->sent_at + kAnswerLimit);
        admission->latency = SteadyClock::now() - admission->sent_at;
        if (!response) {
            admission->fault = to_string(response.error());
        } else if (response->status != 201) {
            admission->fault = response->body;
        } else {
            admission->outcome = is_injected(response->body) ? Admission::Outcome::injected : Admission::Outcome::bare;
        }
    }

    const std::string target;
    const SteadyClock::duration period;
    const std::string pod = make_pod();
    asio::io_context io{1};
    http::Client client;
    TaskGroup feeding{io};
    std::deque<Admission> admissions;  ///< the thread's, until it is joined; calls hold addresses of its elements
    std::atomic<std::size_t> sent = 0;
    std::atomic<bool> is_ending = false;
    std::thread thread;
};

AdmissionLoad::AdmissionLoad(const std::string& name_space, int per_second)
    : impl_(std::make_unique<Impl>(name_space, per_second)) {}

AdmissionLoad::~AdmissionLoad() = default;

void AdmissionLoad::await_sent(std::size_t count) const {
    eventually([&] { return sent() >= count; }, kLoadLimit);
}

std::size_t AdmissionLoad::sent() const {
    return impl_->sent;
}

AdmissionReport AdmissionLoad::finish(std::size_t at_least) {
    await_sent(at_least);
    impl_->join();
    return {{impl_->admissions.begin(), impl_->admissions.end()}};
}

}  // namespace cvp::test
