#include "operator/cluster_objects.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/backoff.hpp"
#include "common/contract/names.hpp"
#include "common/json_access.hpp"
#include "common/log/log.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

constexpr const char* kFieldManager = "cloud-valkey-operator-owner";
constexpr auto kFirstRetry = std::chrono::milliseconds(500);
constexpr auto kLastRetry = std::chrono::minutes(1);

struct ClusterObject {
    const char* kind;
    ResourcePath path;
};

const std::vector<ClusterObject>& cluster_objects() {
    static const std::vector<ClusterObject> objects = {
        {"MutatingWebhookConfiguration", mutating_webhook_configurations(std::string(names::kOperator))},
        {"ValidatingAdmissionPolicy", validating_admission_policies("cloudvalkey-guard")},
        {"ValidatingAdmissionPolicyBinding", validating_admission_policy_bindings("cloudvalkey-guard")},
        {"ValidatingAdmissionPolicy", validating_admission_policies("cloudvalkey-hint")},
        {"ValidatingAdmissionPolicyBinding", validating_admission_policy_bindings("cloudvalkey-hint")},
        {"MutatingAdmissionPolicy", mutating_admission_policies("cloudvalkey-inject")},
        {"MutatingAdmissionPolicyBinding", mutating_admission_policy_bindings("cloudvalkey-inject")},
    };
    return objects;
}

}  // namespace

std::optional<json> plan_ownership(const std::string& kind, const json& object, const json& owner) {
    const auto& owner_uid = find_string(owner, {"metadata", "uid"});
    const auto& references = find_array(object, {"metadata", "ownerReferences"});
    const auto is_owner = [&](const json& reference) { return find_string(reference, {"uid"}) == owner_uid; };
    if (std::any_of(references.begin(), references.end(), is_owner)) return std::nullopt;

    // No blockOwnerDeletion: it would ask for a right on the Namespace's finalizers and delay its deletion.
    json reference = {{"apiVersion", "v1"},
                      {"kind", "Namespace"},
                      {"name", find_string(owner, {"metadata", "name"})},
                      {"uid", owner_uid}};
    json metadata = {{"name", find_string(object, {"metadata", "name"})},
                     {"uid", find_string(object, {"metadata", "uid"})},
                     {"ownerReferences", json::array({std::move(reference)})}};
    return json{{"apiVersion", "admissionregistration.k8s.io/v1"}, {"kind", kind}, {"metadata", std::move(metadata)}};
}

ClusterObjects::ClusterObjects(KubeApi& api, std::string namespace_name, std::chrono::milliseconds period)
    : api_(api), namespace_(std::move(namespace_name)), period_(period) {}

Awaitable<void> ClusterObjects::run() {
    Backoff backoff(kFirstRetry, kLastRetry);
    while (!stopped_) {
        const auto done = co_await look();
        if (stopped_) break;
        if (done) {
            last_complaint_.clear();
            backoff.reset();
        } else {
            report(done.error());
        }
        co_await wake_.wait_until(SteadyClock::now() + (done ? period_ : backoff.next()));
    }
    (void)co_await look();
}

void ClusterObjects::stop() {
    stopped_ = true;
    wake_.notify_all();
}

Awaitable<KubeResult<void>> ClusterObjects::look() {
    const auto owner = co_await api_.get(namespaces(namespace_));
    if (!owner) co_return tl::unexpected<KubeError>(owner.error());
    if (find_value(*owner, {"metadata", "deletionTimestamp"}) != nullptr) co_return co_await remove_all();
    co_return co_await tie_all(*owner);
}

/// All of them, whatever befalls one.
/// @errors the first
Awaitable<KubeResult<void>> ClusterObjects::tie_all(const json& owner) {
    KubeResult<void> outcome;
    for (const auto& object : cluster_objects()) {
        if (stopped_) break;
        auto tied = co_await tie(object.kind, object.path, owner);
        if (!tied && outcome) outcome = std::move(tied);
    }
    co_return outcome;
}

/// All of them, whatever befalls one.
/// @errors the first
Awaitable<KubeResult<void>> ClusterObjects::remove_all() {
    KubeResult<void> outcome;
    for (const auto& object : cluster_objects()) {
        auto removed = co_await api_.remove(object.path);
        if (removed) {
            log::info("the operator's namespace is being deleted: deleted what looks at pods",
                      {{"object", object.path.describe()}});
        } else if (outcome && removed.error().error.code != ErrorCode::not_found) {
            outcome = std::move(removed);
        }
    }
    co_return outcome;
}

Awaitable<KubeResult<void>> ClusterObjects::tie(std::string kind, ResourcePath path, const json& owner) {
    const auto object = co_await api_.get(path);
    if (!object) {
        if (object.error().error.code == ErrorCode::not_found) co_return KubeResult<void>();
        co_return tl::unexpected<KubeError>(object.error());
    }
    auto body = plan_ownership(kind, *object, owner);
    if (!body) co_return KubeResult<void>();
    ApplyOptions options{kFieldManager};
    const auto written = co_await api_.apply(path, std::move(*body), std::move(options));
    if (!written) co_return tl::unexpected<KubeError>(written.error());
    log::info("tied an object to the operator's namespace: both are deleted together", {{"object", path.describe()}});
    co_return KubeResult<void>();
}

void ClusterObjects::report(const KubeError& error) {
    if (error.error.code == ErrorCode::cancelled) return;
    if (last_complaint_ != error.error.context) {
        log::warn("cannot tie the chart's objects to the operator's namespace; trying again",
                  {{"reason", error.error.context}});
    }
    last_complaint_ = error.error.context;
}

}  // namespace cvp::op
