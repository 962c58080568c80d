#include "proxy/health.hpp"

#include <fmt/core.h>

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartupPatience = 10s;
constexpr auto kLoopPatience = 5s;
constexpr auto kProofAge = 60s;

const UpstreamState& primary_of(const ConnectionView& connection) {
    return connection.ports.front().upstream;
}

bool is_cluster(const ConnectionView& connection) {
    return connection.document && connection.document->topology == Topology::cluster;
}

std::string why_not(const ConnectionView& connection) {
    const auto& error = primary_of(connection).last_error;
    if (!connection.document) return "NotResolved";
    if (is_cluster(connection)) return std::string(to_string(Cause::cluster_mode_not_supported));
    return error ? fmt::format("{}: {}", to_string(error->cause), error->sentence) : "not reached yet";
}

void add_line(Verdict& verdict, const ConnectionView& connection) {
    const auto line = fmt::format("{}: {}", connection.name, why_not(connection));
    verdict.text = verdict.ok ? line : verdict.text + "; " + line;
    verdict.ok = false;
}

}  // namespace

Verdict judge_startup(const View& view) {
    Verdict verdict;
    if (view.now - view.started >= kStartupPatience) return verdict;
    for (const auto& connection : view.connections) {
        // A cluster is never dialled: there is nothing to wait for.
        if (!primary_of(connection).last_success && !is_cluster(connection)) add_line(verdict, connection);
    }
    return verdict;
}

Verdict judge_live(const View& view) {
    const auto age = view.now - view.last_turn;
    if (age <= kLoopPatience) return {};
    return {false, fmt::format("the data path's loop has not turned for {} s",
                               std::chrono::duration_cast<std::chrono::seconds>(age).count())};
}

Verdict judge_ready(const View& view) {
    if (view.draining) return {false, "draining"};
    Verdict verdict;
    for (const auto& connection : view.connections) {
        const auto& upstream = primary_of(connection);
        const auto& proof = upstream.last_success;
        const bool is_proven = upstream.spares > 0 || (proof && view.now - *proof < kProofAge);
        if (!is_proven) add_line(verdict, connection);
    }
    return verdict;
}

}  // namespace cvp::proxy
