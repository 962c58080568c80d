#include "proxy/upstream/stats.hpp"

namespace cvp::proxy {

namespace {

constexpr std::array<std::string_view, kServerErrors> kCodes{
    "other",    "MOVED", "ASK", "READONLY", "LOADING",   "MASTERDOWN", "CLUSTERDOWN",
    "TRYAGAIN", "BUSY",  "OOM", "NOAUTH",   "WRONGPASS", "NOPERM",
};

}  // namespace

ServerError classify_server_error(std::string_view head) {
    if (head.starts_with("-")) head.remove_prefix(1);
    const auto code = head.substr(0, head.find_first_of(" \r"));
    for (std::size_t i = 1; i < kCodes.size(); ++i) {
        if (kCodes[i] == code) return static_cast<ServerError>(i);
    }
    return ServerError::other;
}

std::string_view to_string(ServerError error) {
    return kCodes[static_cast<std::size_t>(error)];
}

metrics::Histogram make_latency_histogram() {
    return metrics::Histogram(
        {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10});
}

}  // namespace cvp::proxy
