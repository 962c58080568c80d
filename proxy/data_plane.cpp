#include "proxy/data_plane.hpp"

#include <algorithm>
#include <utility>

#include <sys/resource.h>

#include "common/async/event.hpp"
#include "proxy/listener.hpp"
#include "proxy/loop/asio_pump.hpp"
#include "proxy/loop/event_loop.hpp"
#include "proxy/memory_trim.hpp"

namespace cvp::proxy {

namespace {

using namespace std::chrono_literals;

constexpr auto kHeartbeat = 1s;
constexpr auto kQuietTime = 250ms;
constexpr std::size_t kReservedDescriptors = 64;  ///< listeners, admin, metadata, logs

std::size_t session_limit() {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) return SIZE_MAX / 2;
    return (std::max<std::size_t>(files.rlim_cur, kReservedDescriptors + 2) - kReservedDescriptors) / 2;
}

}  // namespace

struct DataPlane::Impl final : private Timed {
    explicit Impl(asio::io_context& context)
        : io(context), pump(context, loop), heartbeat(loop.timers(), *this), budget{session_limit(), 0} {
        beat(SteadyClock::now());
    }

    void on_time(SteadyClock::time_point now) override {
        beat(now);
        if (trim.is_due(budget.open, now)) trim_memory();
    }
    void beat(SteadyClock::time_point now) { heartbeat.start(now + kHeartbeat); }

    asio::io_context& io;
    EventLoop loop;
    AsioPump pump;
    Timer heartbeat;  ///< what last_turn() stands on while nothing else happens
    LoginSlots slots;
    SessionBudget budget;
    MemoryTrim trim;
    std::vector<std::unique_ptr<Port>> ports;
    std::vector<Listener*> listeners;
};

DataPlane::DataPlane(asio::io_context& io) : impl_(std::make_unique<Impl>(io)) {}

DataPlane::~DataPlane() = default;

Result<Port*> DataPlane::open(PortOptions options) {
    auto listener = Listener::open(impl_->loop, impl_->io, impl_->slots, impl_->budget, std::move(options));
    if (!listener) return fail(std::move(listener).error());
    impl_->listeners.push_back(listener->get());
    impl_->ports.push_back(*std::move(listener));
    return impl_->ports.back().get();
}

const std::vector<std::unique_ptr<Port>>& DataPlane::ports() const {
    return impl_->ports;
}

Awaitable<void> DataPlane::drain(SteadyClock::time_point deadline) {
    for (auto* listener : impl_->listeners)
        listener->stop();
    while (true) {
        for (auto* listener : impl_->listeners)
            listener->end_quiet_sessions();
        const auto now = SteadyClock::now();
        if (sessions() == 0 || now >= deadline) break;
        co_await sleep_for(std::min<SteadyClock::duration>(kQuietTime, deadline - now));
    }
    for (auto* listener : impl_->listeners)
        listener->abort_sessions();
}

std::size_t DataPlane::sessions() const {
    return impl_->budget.open;
}

SteadyClock::time_point DataPlane::last_turn() const {
    return impl_->loop.last_turn();
}

}  // namespace cvp::proxy
