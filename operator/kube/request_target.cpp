#include "operator/kube/request_target.hpp"

namespace cvp::op {

void add_query(std::string& target, std::string_view key, const std::string& value) {
    if (value.empty()) return;
    target += target.find('?') == std::string::npos ? '?' : '&';
    target.append(key).append("=").append(http::percent_encode(value));
}

std::string list_target(const ResourcePath& path, const ListOptions& options) {
    auto target = path.collection().target();
    add_query(target, "labelSelector", options.label_selector);
    add_query(target, "fieldSelector", options.field_selector);
    add_query(target, "limit", options.limit > 0 ? std::to_string(options.limit) : "");
    add_query(target, "continue", options.continue_token);
    add_query(target, "resourceVersion", options.resource_version);
    return target;
}

std::string watch_target(const ResourcePath& path, const WatchOptions& options) {
    auto target = path.collection().target();
    add_query(target, "watch", "true");
    add_query(target, "allowWatchBookmarks", "true");
    add_query(target, "labelSelector", options.label_selector);
    add_query(target, "fieldSelector", options.field_selector);
    add_query(target, "resourceVersion", options.resource_version);
    if (options.send_initial_events) {
        add_query(target, "sendInitialEvents", "true");
        add_query(target, "resourceVersionMatch", "NotOlderThan");
    }
    add_query(target, "timeoutSeconds", std::to_string(options.timeout.count()));
    return target;
}

}  // namespace cvp::op
