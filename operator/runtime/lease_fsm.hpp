#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <variant>

#include <nlohmann/json_fwd.hpp>

#include "common/clock.hpp"
#include "operator/kube/status_error.hpp"

namespace cvp::op {

/// Who leads, by a Lease, as a state machine without I/O.
///
/// Expected flow: the driver asks next(), does it and reports: on_read() or on_written(), or else on_failure(); nothing
/// after a wait. It looks at is_leader() and expires_at() after each step.
///
/// Guarantees: a lease that another holds is believed for as long as it says, counted on our own monotonic clock from
/// when it was last seen to change: nobody's wall clock matters. While leading it is renewed every 2 s by one PUT; who
/// could not for 10 s has to stop, 5 s before anybody else may begin. A write carries the version that was seen, so of
/// two that try only one succeeds.
///
/// @source client-go tools/leaderelection: the same rules and times
class LeaseFsm {
public:
    struct Read {};
    struct Write {
        std::shared_ptr<nlohmann::json> lease;  ///< handed over
        bool is_new = false;                    ///< POST; else PUT
    };
    struct Wait {
        SteadyClock::duration delay;
    };
    using Action = std::variant<Read, Write, Wait>;
    using TimePoint = SteadyClock::time_point;
    using WallTime = SystemClock::time_point;

    static constexpr auto kDuration = std::chrono::seconds(15);
    static constexpr auto kRenewDeadline = std::chrono::seconds(10);
    static constexpr auto kRetry = std::chrono::seconds(2);

    /// @param identity ours, unlike that of any other process
    LeaseFsm(std::string namespace_name, std::string name, std::string identity, std::uint32_t seed);

    /// What to do now. A wait is handed out once.
    Action next(TimePoint now, WallTime wall);

    /// The lease as it is; nothing: there is none.
    void on_read(std::optional<nlohmann::json> lease, TimePoint now);

    /// Our write succeeded; the lease as stored.
    void on_written(nlohmann::json lease, TimePoint now);

    /// The read or the write failed.
    void on_failure(const KubeError& error, TimePoint now);

    bool is_leader() const { return is_leader_; }

    /// When leading has to end unless the lease is renewed before; nothing: we do not lead.
    std::optional<TimePoint> expires_at() const;

    /// What to PUT so that another can begin at once; nothing: there is nothing of ours to give back.
    std::optional<nlohmann::json> release(WallTime wall) const;

    /// Renewals that needed a read first.
    std::uint64_t slow_paths() const { return slow_paths_; }

private:
    nlohmann::json make_lease(WallTime wall) const;
    bool is_ours() const;
    bool is_free(TimePoint now) const;
    void wait();

    std::string namespace_;
    std::string name_;
    std::string identity_;
    std::mt19937 random_;

    bool must_read_ = true;
    std::optional<SteadyClock::duration> wait_;
    std::shared_ptr<const nlohmann::json> seen_;  ///< the lease as last seen; nullptr: there is none
    TimePoint changed_at_;                        ///< when it was first seen so
    TimePoint sent_at_;                           ///< of the last write
    TimePoint renewed_at_;                        ///< when the last write that succeeded was sent
    bool is_leader_ = false;
    std::uint64_t slow_paths_ = 0;
};

}  // namespace cvp::op
