#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "common/async/asio.hpp"
#include "common/async/event.hpp"
#include "operator/kube/api.hpp"
#include "operator/runtime/event_filter.hpp"

namespace cvp::op {

/// The object that an Event is about.
struct EventSubject {
    std::string api_version;
    std::string kind;
    std::string namespace_name;
    std::string name;
    std::string uid;
};

/// An Event of events.k8s.io/v1 as it is POSTed.
/// @param name unique in the namespace
nlohmann::json build_event(const EventSubject& subject, const EventText& text, const std::string& name,
                           const std::string& reporting_instance, SystemClock::time_point now);

/// Tells the people who look at an object what happened to it.
///
/// record() only queues; run() writes, one after the other. Events are a courtesy: one that cannot be written is
/// logged and gone, and beyond 1,000 that wait none is taken. Who calls records changes only, never states.
///
/// Owner: whoever spawns run() once and joins it after stop(); `api` outlives it. One thread.
class EventRecorder {
public:
    using Clock = std::function<SystemClock::time_point()>;

    /// What it did, for metrics.
    struct Counters {
        std::uint64_t written = 0;
        std::uint64_t dropped = 0;  ///< too many about one object, or too many at all
        std::uint64_t failed = 0;
    };

    /// @param reporting_instance who we are among the replicas
    EventRecorder(KubeApi& api, std::string reporting_instance, Clock clock = &SystemClock::now)
        : api_(api), instance_(std::move(reporting_instance)), clock_(std::move(clock)) {}

    void record(EventSubject subject, EventText text);

    Awaitable<void> run();
    void stop();

    const Counters& counters() const { return counters_; }

private:
    struct Pending {
        EventSubject subject;
        EventText text;
        SystemClock::time_point when;
    };

    Awaitable<void> write(const Pending& event);
    Awaitable<void> create(const Pending& event);
    Awaitable<bool> count(const Pending& event, std::string name, int count);
    void failed(const Pending& event, const KubeError& error);

    KubeApi& api_;
    std::string instance_;
    Clock clock_;
    EventFilter filter_;
    std::deque<Pending> pending_;
    std::uint64_t last_name_ = 0;
    Event wake_;
    Counters counters_;
    bool stopped_ = false;
};

}  // namespace cvp::op
