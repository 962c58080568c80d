#pragma once

#include <functional>
#include <string>

#include "common/async/asio.hpp"
#include "common/async/event.hpp"
#include "common/async/task_group.hpp"
#include "operator/kube/api.hpp"
#include "operator/runtime/lease_fsm.hpp"

namespace cvp::op {

/// "host_8d1f…": the machine's name and 64 random bits.
std::string make_leader_identity();

/// Makes one of several replicas the leader: drives a LeaseFsm over KubeApi.
///
/// A leader that could not renew its lease in time, or whose lease was taken, has lost for good: who hears of that ends
/// the process, because what it began last may still be under way.
///
/// Stop order: end the work that needs the lease, stop(), join what run() was spawned in, then release().
/// Owner: the App. `api` outlives it and should not share its rate limit with anybody. One thread.
class LeaderElector {
public:
    struct Callbacks {
        std::function<void()> on_started;  ///< at most once
        std::function<void()> on_lost;     ///< at most once, after on_started
    };

    LeaderElector(asio::io_context& io, KubeApi& api, std::string namespace_name, std::string name,
                  std::string identity, Callbacks callbacks);

    /// Until stop(), or until leading was lost.
    Awaitable<void> run();
    void stop();

    /// Gives the lease back, so that another replica need not wait for its end. Nothing where we do not lead.
    Awaitable<void> release();

    bool is_leader() const { return is_leading_; }
    std::uint64_t slow_paths() const { return fsm_.slow_paths(); }

private:
    Awaitable<void> guard();
    Awaitable<void> step(LeaseFsm::Action action);
    void look();
    void lose(std::string_view why);
    void complain(const KubeError& error);

    KubeApi& api_;
    ResourcePath path_;
    std::string identity_;
    Callbacks callbacks_;
    LeaseFsm fsm_;
    TaskGroup guards_;
    Event wake_;
    std::string last_complaint_;  ///< what was logged since something last went well
    bool is_leading_ = false;
    bool stopped_ = false;
};

}  // namespace cvp::op
