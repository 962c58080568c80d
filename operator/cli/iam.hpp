#pragma once

#include <string>
#include <string_view>

#include "common/result.hpp"

namespace cvp::op {

/// Who is to be given what.
struct IamRequest {
    std::string instance;                    ///< full resource name
    std::string namespace_name = "default";  ///< of the application
    std::string service_account;             ///< the application's Kubernetes ServiceAccount
    std::string operator_namespace = "cloud-valkey";
    std::string account;            ///< the application's Google service account; empty: google_account_of()
    std::string cluster_project;    ///< whose workload identity pool the cluster has; empty: the instance's project
    std::string format = "gcloud";  ///< gcloud, terraform or config-connector
};

/// A name for the Google service account of a Kubernetes ServiceAccount: namespace and name, cut and made to fit
/// Google's rules (6 to 30 of a-z, 0-9 and -, a letter first), and six digits of a hash of both. The hash keeps two
/// ServiceAccounts from sharing an identity: a-b/c and a/b-c, or two that are cut to the same beginning.
std::string google_account_of(std::string_view namespace_name, std::string_view service_account);

/// The instance and the namespace of a ValkeyConnection, as a file has it or the API server.
/// @errors invalid_argument if it is none, or of an instance that needs no binding (spec.instance.endpoints)
Result<IamRequest> iam_request_of(std::string_view manifest);

/// `kubectl cloudvalkey iam print`: the exact bindings that operator and application need, to be run or applied.
///
/// Two Google service accounts, valkey-operator and the application's own, each with one role, and the link of each to
/// its Kubernetes ServiceAccount: Memorystore logs in no bare workload identity.
/// @errors invalid_argument for an instance without project, an account that Google would refuse, or another format
/// @source cloud-apis.md 3, roles and principals
Result<std::string> print_iam(const IamRequest& request);

}  // namespace cvp::op
