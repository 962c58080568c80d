#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/clock.hpp"
#include "operator/kube/list_options.hpp"
#include "operator/kube/status_error.hpp"
#include "operator/runtime/list_decoder.hpp"
#include "operator/runtime/store.hpp"

namespace cvp::op {

/// List, then watch, for ever, as a state machine without I/O.
///
/// Expected flow: the driver asks next(), does it, and reports. A watch: on_opened(), on_event() for each line, then
/// on_closed() or on_failure(). A page of a list: on_list_opened(), on_item() for each item, then on_list_end() or
/// on_failure(). Nothing after a sleep. While a watch runs it goes on only as long as is_watching(): an ERROR inside
/// the stream ends it.
///
/// Guarantees: the objects come by one watch (WatchList), or page by page from a server that answers that with 422.
/// The resource version is taken from the list when it is complete, then from every event and every bookmark. 410, over
/// HTTP or inside the stream, lists again at once; a list that was complete tells list_complete, so a store can find
/// out what disappeared. A closed or silent watch (half-open connection) is opened again where it was. Faults back off:
/// 800 ms doubling to 30 s plus as much again at random, Retry-After if that is longer, from the start after 2 min
/// without a fault. Faults of the watch that last a minute, and 404 (the kind was removed), list again.
///
/// @source client-go tools/cache/reflector.go, kube-rs kube-runtime/src/watcher.rs
class WatchFsm {
public:
    struct List {
        ListOptions options;
    };
    struct Watch {
        WatchOptions options;
        /// A watch that is still open after so long is dead: the server ends it before.
        std::chrono::seconds time_limit;
    };
    struct Sleep {
        std::chrono::milliseconds delay;
    };
    using Action = std::variant<List, Watch, Sleep>;
    using TimePoint = SteadyClock::time_point;

    /// What to list and watch.
    struct Selection {
        std::string label_selector;
        std::string field_selector;
    };

    /// How long a watch may be open. Tests shorten it.
    struct Times {
        std::chrono::seconds shortest{290};  ///< asked of the server …
        std::chrono::seconds spread{60};  ///< … and as much more at random, so that many watches do not end together
        std::chrono::seconds grace{5};    ///< for the server's own end to reach us
    };

    WatchFsm(Selection selection, std::uint32_t seed);

    void set_times(Times times) { times_ = times; }

    /// What to do now. A sleep is handed out once.
    Action next();

    /// A page of the list is open: its header came with status 200.
    std::vector<WatchDelta> on_list_opened();

    /// An item of it.
    std::vector<WatchDelta> on_item(nlohmann::json item);

    /// The page is whole.
    std::vector<WatchDelta> on_list_end(ListEnd end);

    /// The watch is open: its header came with status 200.
    std::vector<WatchDelta> on_opened(TimePoint now);

    /// A line of the watch: {"type", "object"}.
    std::vector<WatchDelta> on_event(nlohmann::json event, TimePoint now);

    /// The watch ended without a fault: end of the body, or its time limit.
    void on_closed(TimePoint now);

    /// The list, the opening of the watch or the watch itself failed.
    void on_failure(const KubeError& error, TimePoint now);

    bool is_watching() const { return state_ == State::watching; }
    const std::string& resource_version() const { return resource_version_; }

    /// The last fault since something last went well, for logs and metrics.
    const std::optional<KubeError>& last_failure() const { return last_failure_; }

private:
    enum class State { listing, ready_to_watch, watching };

    Watch make_watch();
    std::vector<WatchDelta> on_initial_event(const std::string& type, nlohmann::json object);
    std::vector<WatchDelta> complete_list(std::string version);
    void list_again();
    void went_well();
    void back_off(TimePoint now, std::chrono::milliseconds at_least);

    Selection selection_;
    Times times_;
    std::mt19937 random_;
    State state_ = State::listing;
    bool in_pages_ = false;    ///< the server knows no WatchList
    bool is_initial_ = false;  ///< the watch that runs tells a list that is not complete
    std::string continue_token_;
    std::string resource_version_;
    std::optional<std::chrono::milliseconds> sleep_;

    std::optional<KubeError> last_failure_;
    std::chrono::milliseconds next_delay_;
    TimePoint last_fault_;
    TimePoint faulty_since_;
    TimePoint opened_at_;
    bool has_events_ = false;   ///< of this watch
    bool has_expired_ = false;  ///< since an event last came: the next 410 backs off
};

}  // namespace cvp::op
