#include "operator/runtime/lease_fsm.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "common/json_access.hpp"
#include "common/rfc3339.hpp"

namespace cvp::op {
namespace {

using Json = nlohmann::json;

constexpr double kJitter = 1.2;  ///< of the wait between two tries to become leader

std::int64_t integer_of(const Json& lease, std::string_view member, std::int64_t otherwise) {
    const auto* value = find_value(lease, {"spec", member});
    return value != nullptr && value->is_number_integer() ? value->get<std::int64_t>() : otherwise;
}

}  // namespace

LeaseFsm::LeaseFsm(std::string namespace_name, std::string name, std::string identity, std::uint32_t seed)
    : namespace_(std::move(namespace_name)), name_(std::move(name)), identity_(std::move(identity)), random_(seed) {}

LeaseFsm::Action LeaseFsm::next(TimePoint now, WallTime wall) {
    if (wait_) return Wait{*std::exchange(wait_, std::nullopt)};
    if (must_read_) return Read{};
    sent_at_ = now;
    return Write{std::make_shared<Json>(make_lease(wall)), !seen_};
}

void LeaseFsm::on_read(std::optional<Json> lease, TimePoint now) {
    const bool is_same = lease && seen_ && *lease == *seen_;
    if (!is_same) changed_at_ = now;
    seen_ = lease ? std::make_shared<const Json>(std::move(*lease)) : nullptr;
    is_leader_ = is_leader_ && (!seen_ || is_ours());  // a lease that was deleted is nobody else's yet
    must_read_ = !is_free(now) && !is_ours();
    if (must_read_) wait();
}

void LeaseFsm::on_written(Json lease, TimePoint now) {
    seen_ = std::make_shared<const Json>(std::move(lease));
    changed_at_ = now;
    renewed_at_ = sent_at_;
    is_leader_ = true;
    wait_ = kRetry;
}

void LeaseFsm::on_failure(const KubeError& error, TimePoint) {
    const bool is_stale = error.error.code == ErrorCode::conflict || error.error.code == ErrorCode::not_found;
    if (is_leader_ && !must_read_) ++slow_paths_;
    // A leader that lost a race looks at once: it may be a stranger's edit, and time is short.
    if (!is_leader_ || must_read_ || !is_stale) wait();
    must_read_ = true;
}

std::optional<LeaseFsm::TimePoint> LeaseFsm::expires_at() const {
    if (!is_leader_) return std::nullopt;
    return renewed_at_ + kRenewDeadline;
}

std::optional<Json> LeaseFsm::release(WallTime wall) const {
    if (!is_leader_ || !is_ours()) return std::nullopt;
    auto lease = make_lease(wall);
    lease["spec"]["holderIdentity"] = "";
    lease["spec"]["leaseDurationSeconds"] = 1;
    lease["spec"]["acquireTime"] = lease["spec"]["renewTime"];
    return lease;
}

/// The lease as ours: everything else that is on it stays.
Json LeaseFsm::make_lease(WallTime wall) const {
    Json lease{{"apiVersion", "coordination.k8s.io/v1"},
               {"kind", "Lease"},
               {"metadata", {{"name", name_}, {"namespace", namespace_}}}};
    if (seen_) lease = *seen_;
    const auto time = format_rfc3339_micro(wall);
    auto& spec = lease["spec"];
    if (!is_ours()) {
        spec["acquireTime"] = time;
        spec["leaseTransitions"] = seen_ ? integer_of(*seen_, "leaseTransitions", 0) + 1 : 0;
    }
    spec["holderIdentity"] = identity_;
    spec["leaseDurationSeconds"] = kDuration.count();
    spec["renewTime"] = time;
    return lease;
}

bool LeaseFsm::is_ours() const {
    return seen_ && find_string(*seen_, {"spec", "holderIdentity"}) == identity_;
}

bool LeaseFsm::is_free(TimePoint now) const {
    if (!seen_ || find_string(*seen_, {"spec", "holderIdentity"}).empty()) return true;
    return now - changed_at_ >= std::chrono::seconds(integer_of(*seen_, "leaseDurationSeconds", kDuration.count()));
}

void LeaseFsm::wait() {
    if (is_leader_) {
        wait_ = kRetry;
        return;
    }
    std::uniform_real_distribution<> factor(1.0, 1.0 + kJitter);
    wait_ = std::chrono::duration_cast<SteadyClock::duration>(kRetry * factor(random_));
}

}  // namespace cvp::op
