#include "proxy/doctor/remedies.hpp"

#include <utility>

#include <fmt/core.h>

namespace cvp::proxy {
namespace {

std::string otherwise(std::string value, std::string_view placeholder) {
    return value.empty() ? std::string(placeholder) : std::move(value);
}

/// PROJECT of "projects/PROJECT/locations/LOCATION/instances/NAME": the part after `key`.
std::string part_of(const std::string& full_name, const std::string& key) {
    const auto begin = full_name.find(key + "/");
    if (begin == std::string::npos) return {};
    const auto from = begin + key.size() + 1;
    return full_name.substr(from, full_name.find('/', from) - from);
}

}  // namespace

Remedies::Remedies(const Patient& patient, const ConnectionView& connection, std::string email, std::string instance)
    : patient_(patient), name_(connection.name), email_(otherwise(std::move(email), "EMAIL")) {
    auto full = connection.document ? connection.document->instance.full_name : std::move(instance);
    if (full.empty()) full = patient.instance;
    if (patient_.project.empty()) patient_.project = part_of(full, "projects");
    if (patient_.location.empty()) patient_.location = part_of(full, "locations");
    patient_.project = otherwise(patient_.project, "PROJECT");
    patient_.location = otherwise(patient_.location, "LOCATION");
    short_instance_ = otherwise(full.substr(full.rfind('/') + 1), kNoInstance);
}

/// A sidecar that resolves its instance itself has no ValkeyConnection, in Kubernetes either.
bool Remedies::is_injected() const {
    return patient_.in_kubernetes && patient_.instance.empty();
}

std::string Remedies::enable_api() const {
    return fmt::format("gcloud services enable memorystore.googleapis.com --project {}", patient_.project);
}

std::string Remedies::grant(std::string_view role) const {
    return fmt::format(
        "gcloud projects add-iam-policy-binding {} --role {} --member serviceAccount:{} --condition None",
        patient_.project, role, email_);
}

std::string Remedies::list_instances() const {
    return fmt::format("gcloud memorystore instances list --project {} --location {}", patient_.project,
                       patient_.location);
}

std::string Remedies::describe_instance() const {
    return fmt::format("gcloud memorystore instances describe {} --project {} --location {}", short_instance_,
                       patient_.project, patient_.location);
}

std::string Remedies::ask_for_token() const {
    return "curl -H 'Metadata-Flavor: Google' "
           "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/email";
}

std::string Remedies::link_service_account() const {
    return "kubectl annotate serviceaccount SERVICEACCOUNT -n NAMESPACE "
           "iam.gke.io/gcp-service-account=ACCOUNT@" +
           patient_.project + ".iam.gserviceaccount.com";
}

std::string Remedies::resolve_anew() const {
    if (!is_injected()) return describe_instance();
    return fmt::format("kubectl annotate vkc {} -n NAMESPACE --overwrite cloudvalkey.dev/refresh=$(date +%s)", name_);
}

std::string Remedies::give_password() const {
    if (!is_injected()) return "write the right password into the file that auth.passwordFile names";
    return fmt::format(
        "kubectl create secret generic cloudvalkey-{} -n NAMESPACE --from-literal=password=PASSWORD --dry-run=client "
        "-o yaml | kubectl apply -f - (or the Secret that the pod names: cloudvalkey.dev/secret.{})",
        name_, name_);
}

std::string Remedies::look_up(std::string_view host) const {
    return fmt::format("getent hosts {}", host);
}

std::string Remedies::open_port(std::string_view host, std::uint16_t port) const {
    return fmt::format("gcloud compute firewall-rules list --filter=direction=EGRESS; nc -vz {} {}", host, port);
}

std::string Remedies::join_network(std::string_view host, std::uint16_t port) const {
    const auto open = open_port(host, port);
    if (!is_of_google()) return open;
    return fmt::format(
        "{} --format 'value(endpoints[].connections[].pscAutoConnection.network)'; "
        "curl -sH 'Metadata-Flavor: Google' "
        "http://metadata.google.internal/computeMetadata/v1/instance/network-interfaces/0/network; "
        "where they differ: gcloud network-connectivity service-connection-policies create valkey --project {} "
        "--region {} --network NETWORK --subnets SUBNET --service-class gcp-memorystore; where not: {}",
        describe_instance(), patient_.project, patient_.location, open);
}

std::string Remedies::compare_clocks() const {
    return "date -u; curl -sI https://www.google.com | grep -i ^date";
}

}  // namespace cvp::proxy
