#include "operator/cli/iam.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/crypto/digest.hpp"
#include "operator/cli/manifest.hpp"

namespace cvp::op {
namespace {

// Of a Google service account's name.
constexpr std::size_t kShortest = 6;
constexpr std::size_t kLongest = 30;
constexpr std::size_t kHashDigits = 6;

constexpr std::string_view kGcloud = R"(# The operator may look instances up.
gcloud iam service-accounts create valkey-operator --project {project}
gcloud projects add-iam-policy-binding {project} --role roles/memorystore.viewer --condition None \
  --member serviceAccount:valkey-operator@{project}.iam.gserviceaccount.com
gcloud iam service-accounts add-iam-policy-binding valkey-operator@{project}.iam.gserviceaccount.com \
  --role roles/iam.workloadIdentityUser \
  --member "serviceAccount:{cluster}.svc.id.goog[{operator-namespace}/cloud-valkey-operator]"
kubectl annotate serviceaccount cloud-valkey-operator --namespace {operator-namespace} \
  iam.gke.io/gcp-service-account=valkey-operator@{project}.iam.gserviceaccount.com

# The application may log in to this instance.
gcloud iam service-accounts create {account} --project {project}
gcloud projects add-iam-policy-binding {project} --role roles/memorystore.dbConnectionUser \
  --member serviceAccount:{account}@{project}.iam.gserviceaccount.com \
  --condition 'title={short},expression=resource.name == "{instance}"'
gcloud iam service-accounts add-iam-policy-binding {account}@{project}.iam.gserviceaccount.com \
  --role roles/iam.workloadIdentityUser \
  --member "serviceAccount:{cluster}.svc.id.goog[{namespace}/{ksa}]"
kubectl annotate serviceaccount {ksa} --namespace {namespace} \
  iam.gke.io/gcp-service-account={account}@{project}.iam.gserviceaccount.com
)";

constexpr std::string_view kTerraform = R"(# The operator may look instances up.
resource "google_service_account" "valkey_operator" {
  project    = "{project}"
  account_id = "valkey-operator"
}
resource "google_project_iam_member" "valkey_operator_viewer" {
  project = "{project}"
  role    = "roles/memorystore.viewer"
  member  = google_service_account.valkey_operator.member
}
resource "google_service_account_iam_member" "valkey_operator_link" {
  service_account_id = google_service_account.valkey_operator.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:{cluster}.svc.id.goog[{operator-namespace}/cloud-valkey-operator]"
}

# The application may log in to this instance.
resource "google_service_account" "{account}" {
  project    = "{project}"
  account_id = "{account}"
}
resource "google_project_iam_member" "{account}_connect" {
  project = "{project}"
  role    = "roles/memorystore.dbConnectionUser"
  member  = google_service_account.{account}.member
  condition {
    title      = "{short}"
    expression = "resource.name == \"{instance}\""
  }
}
resource "google_service_account_iam_member" "{account}_link" {
  service_account_id = google_service_account.{account}.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:{cluster}.svc.id.goog[{namespace}/{ksa}]"
}
# Both Kubernetes ServiceAccounts need the annotation iam.gke.io/gcp-service-account with their account's email:
#   {operator-namespace}/cloud-valkey-operator: valkey-operator@{project}.iam.gserviceaccount.com
#   {namespace}/{ksa}: {account}@{project}.iam.gserviceaccount.com
)";

/// One account with one role in the project and its link; {who} and {link} are the operator's, then the application's.
constexpr std::string_view kConfigConnectorAccount = R"(apiVersion: iam.cnrm.cloud.google.com/v1beta1
kind: IAMServiceAccount
metadata: {name: {who}, annotations: {cnrm.cloud.google.com/project-id: {project}}}
---
apiVersion: iam.cnrm.cloud.google.com/v1beta1
kind: IAMPolicyMember
metadata: {name: {who}-{right}}
spec:
  member: serviceAccount:{who}@{project}.iam.gserviceaccount.com
  role: {role}
  resourceRef: {kind: Project, external: projects/{project}}{condition}
---
apiVersion: iam.cnrm.cloud.google.com/v1beta1
kind: IAMPolicyMember
metadata: {name: {who}-link}
spec:
  member: serviceAccount:{cluster}.svc.id.goog[{link}]
  role: roles/iam.workloadIdentityUser
  resourceRef: {apiVersion: iam.cnrm.cloud.google.com/v1beta1, kind: IAMServiceAccount, name: {who}}
)";

constexpr std::string_view kCondition = R"(
  condition: {title: {short}, expression: 'resource.name == "{instance}"'})";

using json = nlohmann::json;
using Values = std::vector<std::pair<std::string_view, std::string>>;

std::string fill(std::string_view form, const Values& values) {
    std::string text(form);
    for (const auto& [name, value] : values) {
        const auto field = "{" + std::string(name) + "}";
        for (auto at = text.find(field); at != std::string::npos; at = text.find(field, at + value.size()))
            text.replace(at, field.size(), value);
    }
    return text;
}

std::string config_connector(const Values& values, const IamRequest& request) {
    const auto account = [&](std::string who, std::string right, std::string role, std::string_view condition,
                             std::string link) {
        Values all{{"condition", std::string(condition)},
                   {"who", std::move(who)},
                   {"right", std::move(right)},
                   {"role", std::move(role)},
                   {"link", std::move(link)}};
        all.insert(all.end(), values.begin(), values.end());
        return fill(kConfigConnectorAccount, all);
    };
    return account("valkey-operator", "viewer", "roles/memorystore.viewer", "",
                   request.operator_namespace + "/cloud-valkey-operator") +
           "---\n" +
           account("{account}", "connect", "roles/memorystore.dbConnectionUser", kCondition,
                   request.namespace_name + "/" + request.service_account);
}

bool is_google_account(std::string_view name) {
    const auto is_allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
    return name.size() >= kShortest && name.size() <= kLongest && name.front() >= 'a' && name.front() <= 'z' &&
           name.back() != '-' && std::all_of(name.begin(), name.end(), is_allowed);
}

}  // namespace

std::string google_account_of(std::string_view namespace_name, std::string_view service_account) {
    const auto whole = std::string(namespace_name) + "/" + std::string(service_account);
    auto name = whole;
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == '/' || c == '.'; }, '-');
    if (name.front() >= '0' && name.front() <= '9') name.insert(0, "v");  // Google wants a letter first
    name.resize(std::min(name.size(), kLongest - kHashDigits - 1));
    while (name.back() == '-')
        name.pop_back();
    return name + "-" + crypto::sha256_hex(whole).substr(0, kHashDigits);
}

Result<IamRequest> iam_request_of(std::string_view manifest) {
    const auto objects = read_manifests(manifest);
    if (!objects) return fail(objects.error());
    if (objects->size() != 1 || (*objects)[0].value("kind", "") != "ValkeyConnection")
        return fail(ErrorCode::invalid_argument, "the file must hold one ValkeyConnection");
    const auto& connection = objects->front();
    const auto text_at = [&](const char* place) {
        const json::json_pointer pointer(place);
        return connection.contains(pointer) && connection[pointer].is_string() ? connection[pointer].get<std::string>()
                                                                               : std::string();
    };
    IamRequest request;
    // What the operator resolved has project and location where the spec may have a short name.
    request.instance = text_at("/status/resolved/instance");
    const auto named = text_at("/spec/instance/memorystoreValkey/name");
    if (named.empty())
        return fail(ErrorCode::invalid_argument,
                    "the connection is of no Memorystore instance (spec.instance.memorystoreValkey.name): Google has "
                    "nothing to grant");
    if (request.instance.empty()) request.instance = named;
    if (const auto name = text_at("/metadata/namespace"); !name.empty()) request.namespace_name = name;
    return request;
}

Result<std::string> print_iam(const IamRequest& request) {
    constexpr std::string_view kProjects = "projects/";
    const auto end = request.instance.find('/', kProjects.size());
    const bool is_full = request.instance.starts_with(kProjects) && end != std::string::npos &&
                         request.instance.find("/instances/") != std::string::npos;
    if (!is_full)
        return fail(ErrorCode::invalid_argument,
                    "the instance must be a full name, projects/PROJECT/locations/LOCATION/instances/NAME, and not '" +
                        request.instance + "': give it with --instance");
    const auto account =
        request.account.empty() ? google_account_of(request.namespace_name, request.service_account) : request.account;
    if (!is_google_account(account))
        return fail(ErrorCode::invalid_argument, "the account '" + account +
                                                     "' is not one that Google takes: 6 to 30 of a-z, 0-9 and -, a "
                                                     "letter first and no - last");
    const auto project = request.instance.substr(kProjects.size(), end - kProjects.size());
    const Values values{{"project", project},
                        {"cluster", request.cluster_project.empty() ? project : request.cluster_project},
                        {"instance", request.instance},
                        {"short", request.instance.substr(request.instance.rfind('/') + 1)},
                        {"namespace", request.namespace_name},
                        {"account", account},
                        {"ksa", request.service_account},
                        {"operator-namespace", request.operator_namespace}};
    if (request.format == "gcloud") return fill(kGcloud, values);
    if (request.format == "terraform") return fill(kTerraform, values);
    if (request.format == "config-connector") return config_connector(values, request);
    return fail(ErrorCode::invalid_argument,
                "the format is gcloud, terraform or config-connector, and not '" + request.format + "'");
}

}  // namespace cvp::op
