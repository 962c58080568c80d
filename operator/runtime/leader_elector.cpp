#include "operator/runtime/leader_elector.hpp"

#include <random>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/json_access.hpp"
#include "common/log/log.hpp"
#include "operator/runtime/host_name.hpp"

namespace cvp::op {
namespace {

using Json = nlohmann::json;

constexpr int kReleaseTries = 2;
constexpr auto kJoinLimit = std::chrono::seconds(5);

}  // namespace

std::string make_leader_identity() {
    std::random_device random;
    return fmt::format("{}_{:08x}{:08x}", host_name(), random(), random());
}

LeaderElector::LeaderElector(asio::io_context& io, KubeApi& api, std::string namespace_name, std::string name,
                             std::string identity, Callbacks callbacks)
    : api_(api),
      path_(leases(namespace_name, name)),
      identity_(identity),
      callbacks_(std::move(callbacks)),
      fsm_(std::move(namespace_name), std::move(name), std::move(identity), std::random_device{}()),
      guards_(io) {}

Awaitable<void> LeaderElector::run() {
    log::info("waiting to become the leader", {{"lease", path_.describe()}, {"identity", identity_}});
    guards_.spawn("guard of the lease", guard());
    while (!stopped_) {
        co_await step(fsm_.next(SteadyClock::now(), SystemClock::now()));
        if (!stopped_) look();
    }
    co_await guards_.join(SteadyClock::now() + kJoinLimit);
}

void LeaderElector::stop() {
    stopped_ = true;
    wake_.notify_all();
}

Awaitable<void> LeaderElector::step(LeaseFsm::Action action) {
    if (const auto* wait = std::get_if<LeaseFsm::Wait>(&action)) {
        const auto deadline = SteadyClock::now() + wait->delay;
        while (!stopped_ && SteadyClock::now() < deadline)
            co_await wake_.wait_until(deadline);
        co_return;
    }
    auto* write = std::get_if<LeaseFsm::Write>(&action);
    auto answer = KubeResult<Json>();
    if (write == nullptr) {
        answer = co_await api_.get(path_);
    } else if (write->is_new) {
        answer = co_await api_.create(path_, std::move(*write->lease));
    } else {
        answer = co_await api_.replace(path_, std::move(*write->lease));
    }
    const auto now = SteadyClock::now();
    if (!answer && write == nullptr && answer.error().error.code == ErrorCode::not_found) {
        fsm_.on_read(std::nullopt, now);
    } else if (!answer) {
        fsm_.on_failure(answer.error(), now);
        complain(answer.error());
    } else if (write == nullptr) {
        fsm_.on_read(std::move(*answer), now);
    } else {
        fsm_.on_written(std::move(*answer), now);
        last_complaint_.clear();
    }
}

void LeaderElector::look() {
    if (fsm_.is_leader() && !is_leading_) {
        is_leading_ = true;
        log::info("leading", {{"identity", identity_}});
        callbacks_.on_started();
    } else if (!fsm_.is_leader() && is_leading_) {
        lose("another has taken the lease");
    }
    wake_.notify_all();
}

/// Ends leading in time also while a call hangs.
Awaitable<void> LeaderElector::guard() {
    while (!stopped_) {
        const auto expiry = fsm_.expires_at();
        if (expiry && SteadyClock::now() >= *expiry) {
            lose("the lease could not be renewed");
            co_return;
        }
        co_await wake_.wait_until(expiry.value_or(SteadyClock::time_point::max()));
    }
}

void LeaderElector::lose(std::string_view why) {
    if (stopped_ || !std::exchange(is_leading_, false)) return;
    stop();
    log::error("no longer the leader", {{"because", why}});
    callbacks_.on_lost();
}

Awaitable<void> LeaderElector::release() {
    if (!std::exchange(is_leading_, false)) co_return;
    for (int tries = 0; tries < kReleaseTries; ++tries) {
        auto lease = fsm_.release(SystemClock::now());
        if (!lease) co_return;
        const auto written = co_await api_.replace(path_, std::move(*lease));
        if (written) {
            log::info("gave the lease back");
            co_return;
        }
        complain(written.error());
        // A renewal that was under way may have been stored after all.
        auto stored = co_await api_.get(path_);
        if (!stored) co_return;
        fsm_.on_read(std::move(*stored), SteadyClock::now());
    }
}

void LeaderElector::complain(const KubeError& error) {
    if (error.error.code == ErrorCode::conflict || error.error.code == ErrorCode::cancelled) return;
    auto text = to_string(error.error);
    if (text != last_complaint_) log::warn("cannot get or renew the lease", {{"error", text}});
    last_complaint_ = std::move(text);
}

}  // namespace cvp::op
