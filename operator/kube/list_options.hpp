#pragma once

#include <chrono>
#include <string>

namespace cvp::op {

/// Which objects of a collection, and which page of them. Not an aggregate: name it, then set what you need.
struct ListOptions {
    ListOptions() = default;

    std::string label_selector;
    std::string field_selector;
    /// Objects per page. It is ignored by the server with resource_version "0".
    int limit = 500;
    /// metadata.continue of the page before, "" for the first.
    std::string continue_token;
    /// "" = the most recent, from storage; "0" = any that the server has cached.
    std::string resource_version;
};

/// What to watch. Not an aggregate: name it, then set what you need.
struct WatchOptions {
    WatchOptions() = default;

    std::string label_selector;
    std::string field_selector;
    /// Events after this one.
    std::string resource_version;
    /// All objects first, as ADDED events up to a bookmark that says so (WatchList): instead of a list. Servers before
    /// 1.32 answer 422.
    bool send_initial_events = false;
    /// The server ends the watch after so long.
    std::chrono::seconds timeout = std::chrono::seconds(300);
};

}  // namespace cvp::op
