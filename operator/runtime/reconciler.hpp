#pragma once

#include <optional>
#include <string>
#include <utility>

#include "common/async/asio.hpp"
#include "common/result.hpp"
#include "operator/runtime/object_key.hpp"

namespace cvp::op {

/// What to bring to its desired state. It carries only a name: what is there is read when it is worked on.
///
/// It has a constructor, so it is safe as a temporary in a co_await'ed call.
struct ReconcileRequest : ObjectKey {
    explicit ReconcileRequest(ObjectKey key, std::string id_ = {}) : ObjectKey(std::move(key)), id(std::move(id_)) {}

    std::string id;  ///< of this pass, for its log lines
};

/// How a reconcile ended well.
struct ReconcileResult {
    /// When to look again although nothing changed; nothing: at the next change.
    std::optional<SteadyClock::duration> requeue_after;

    bool operator==(const ReconcileResult&) const = default;
};

/// Nothing to do until something changes.
inline ReconcileResult done() {
    return {};
}

/// Look again after `delay` (external state such as a cloud's does not tell us when it changes).
inline ReconcileResult requeue_after(SteadyClock::duration delay) {
    return {delay};
}

/// Brings one object to its desired state.
///
/// Level-based: it compares what is with what should be, and does not care which event led to the call. Calls for
/// different keys may overlap, calls for one key never do. Owner: the App; it outlives the Controller.
class Reconciler {
public:
    virtual ~Reconciler() = default;

    /// One pass. An object that is gone is done().
    ///
    /// @errors an error that is_retryable() is tried again with the queue's backoff (5 ms doubling to 1000 s); any
    /// other
    ///         is counted as terminal and waits for the next change. The retry policy is the controller's alone.
    virtual Awaitable<Result<ReconcileResult>> reconcile(ReconcileRequest request) = 0;
};

}  // namespace cvp::op
