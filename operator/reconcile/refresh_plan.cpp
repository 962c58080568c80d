#include "operator/reconcile/refresh_plan.hpp"

#include <algorithm>

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using providers::Reason;
using std::chrono::seconds;

constexpr seconds kCaInterval = 1h;
/// A last refresh further in the future than this comes from a clock that was wrong.
constexpr seconds kClockSkew = 5min;

struct Retry {
    seconds first;
    seconds longest;
};

Retry retry_of(Reason reason) {
    switch (reason) {
        case Reason::cloud_unavailable:
            return {5s, 5min};
        case Reason::instance_not_ready:
            return {10s, 1min};
        case Reason::quota_exhausted:
            return {30s, 10min};
        case Reason::instance_not_found:
        case Reason::permission_denied:
        case Reason::api_disabled:
            return {15s, 5min};
        case Reason::resolved:
        case Reason::network_ambiguous:
        case Reason::cluster_mode_not_supported:
        case Reason::token_unprotected:
            break;
    }
    return {24h, 24h};  // only an edit heals it: the refresh interval is soon enough
}

seconds interval_of(const ValkeyConnection& connection) {
    return std::chrono::floor<seconds>(connection.spec.refresh_interval);
}

bool is_news(const ValkeyConnection& connection, const Knowledge& known) {
    return !known.was_looked_up() || known.generation != connection.generation ||
           known.handled_refresh != connection.refresh;
}

/// Whether there is neither a document nor a reason why: somebody took it away while nobody watched.
bool is_lost(const Knowledge& known) {
    return !known.good && !known.refusal;
}

Seconds instance_due(const ValkeyConnection& connection, const Knowledge& known) {
    auto delay = interval_of(connection);
    if (known.refusal) delay = retry_delay(*known.refusal, known.failures, delay);
    return *known.last_refresh + std::chrono::floor<seconds>(delay * known.jitter);
}

/// When the CA is due by itself: where the instance is asked less often than every hour, and its place is known.
std::optional<Seconds> ca_due(const ValkeyConnection& connection, const Knowledge& known) {
    if (interval_of(connection) <= kCaInterval) return std::nullopt;
    if (known.ca_target.empty() || !known.ca_refreshed || !known.good) return std::nullopt;
    return *known.ca_refreshed + kCaInterval;
}

}  // namespace

RefreshPlan plan_refresh(const ValkeyConnection& connection, const Knowledge& known, Seconds now) {
    if (is_news(connection, known)) return {true, true, true};
    const bool is_future = *known.last_refresh > now + kClockSkew;
    const bool is_old_ca = !known.ca_refreshed || now >= *known.ca_refreshed + kCaInterval;
    RefreshPlan plan;
    if (connection.self_hosted() != nullptr) {
        plan.instance = is_lost(known);
        return plan;
    }
    plan.instance = is_lost(known) || is_future || now >= instance_due(connection, known);
    const auto ca = ca_due(connection, known);
    plan.ca = plan.instance ? is_old_ca : ca && now >= *ca;
    return plan;
}

std::optional<Seconds> next_refresh(const ValkeyConnection& connection, const Knowledge& known) {
    if (connection.self_hosted() != nullptr || !known.was_looked_up()) return std::nullopt;
    const auto instance = instance_due(connection, known);
    return std::min(instance, ca_due(connection, known).value_or(instance));
}

seconds retry_delay(const providers::Refusal& refusal, unsigned failures, seconds refresh_interval) {
    const auto [first, longest] = retry_of(refusal.reason);
    auto delay = first;
    for (unsigned i = 1; i < failures && delay < longest; ++i)
        delay *= 2;
    delay = std::min({delay, longest, refresh_interval});
    return std::max(delay, refusal.retry_after.value_or(0s));
}

}  // namespace cvp::op
