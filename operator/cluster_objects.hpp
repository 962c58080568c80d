#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "common/async/asio.hpp"
#include "common/async/event.hpp"
#include "operator/kube/api.hpp"

namespace cvp::op {

/// The server-side apply that makes a Namespace the owner of an object, or nothing where it is already.
///
/// Pure. The body names the object's uid, so it changes that very object or nothing: it cannot create one.
/// @param kind of the object, for example "ValidatingAdmissionPolicy" (admissionregistration.k8s.io/v1)
/// @param object as the API server has it
/// @param owner the Namespace as the API server has it
std::optional<nlohmann::json> plan_ownership(const std::string& kind, const nlohmann::json& object,
                                             const nlohmann::json& owner);

/// Ties the chart's objects outside any namespace (webhook configuration, policies and their bindings) to the
/// operator's Namespace by an owner reference: `kubectl delete namespace` then removes them too. Else a webhook
/// configuration would stay behind that refuses every pod that asks, with nobody to answer for it.
///
/// Guarantees: it only ever writes metadata.ownerReferences of objects that exist, and writes nothing where all is as
/// it should be. What is missing (a mode that is off, an older API server) is passed over. It looks once a minute,
/// because helm and kubectl replace may bring an object back without the reference.
///
/// While the namespace is being deleted it deletes them itself: the garbage collector begins only when the namespace is
/// gone, and until then pods that ask would be refused. Since such a deletion is what ends this process, it looks a
/// last time on stop(); that is best effort, for its ServiceAccount may be gone first.
///
/// Owner: the App, which runs it while this replica leads, and after stop() joins it. `api` outlives it. One thread.
class ClusterObjects {
public:
    /// @param namespace_name where the operator runs
    /// @param period between two looks that found nothing wrong
    ClusterObjects(KubeApi& api, std::string namespace_name,
                   std::chrono::milliseconds period = std::chrono::minutes(1));

    /// Until stop(), and one or a few calls more.
    Awaitable<void> run();
    void stop();

private:
    Awaitable<KubeResult<void>> look();
    Awaitable<KubeResult<void>> tie_all(const nlohmann::json& owner);
    Awaitable<KubeResult<void>> remove_all();
    Awaitable<KubeResult<void>> tie(std::string kind, ResourcePath path, const nlohmann::json& owner);
    void report(const KubeError& error);

    KubeApi& api_;
    std::string namespace_;
    std::chrono::milliseconds period_;
    Event wake_;
    std::string last_complaint_;  ///< what was logged since something last went well
    bool stopped_ = false;
};

}  // namespace cvp::op
