#include "operator/kube/resource_path.hpp"

#include <utility>

#include "common/contract/names.hpp"
#include "common/http/message.hpp"

namespace cvp::op {
namespace {

ResourcePath admission_registration(const char* plural, std::string name) {
    return ResourcePath("admissionregistration.k8s.io", "v1", plural, {}, std::move(name));
}

}  // namespace

ResourcePath::ResourcePath(std::string group_, std::string version_, std::string plural_, std::string namespace_name_,
                           std::string name_)
    : group(std::move(group_)),
      version(std::move(version_)),
      plural(std::move(plural_)),
      namespace_name(std::move(namespace_name_)),
      name(std::move(name_)) {}

ResourcePath ResourcePath::with_subresource(std::string_view subresource_) const {
    auto path = *this;
    path.subresource = subresource_;
    return path;
}

ResourcePath ResourcePath::collection() const {
    return ResourcePath(group, version, plural, namespace_name);
}

std::string ResourcePath::target() const {
    auto path = group.empty() ? "/api/" + version : "/apis/" + group + "/" + version;
    if (!namespace_name.empty()) path += "/namespaces/" + http::percent_encode(namespace_name);
    path += "/" + plural;
    if (!name.empty()) path += "/" + http::percent_encode(name);
    if (!subresource.empty()) path += "/" + subresource;
    return path;
}

std::string ResourcePath::describe() const {
    auto text = group.empty() ? plural : plural + "." + group;
    if (!subresource.empty()) text += "/" + subresource;
    if (name.empty()) return namespace_name.empty() ? text : text + " in " + namespace_name;
    return text + " " + (namespace_name.empty() ? name : namespace_name + "/" + name);
}

ResourcePath config_maps(std::string namespace_name, std::string name) {
    return ResourcePath("", "v1", "configmaps", std::move(namespace_name), std::move(name));
}

ResourcePath leases(std::string namespace_name, std::string name) {
    return ResourcePath("coordination.k8s.io", "v1", "leases", std::move(namespace_name), std::move(name));
}

ResourcePath namespaces(std::string name) {
    return ResourcePath("", "v1", "namespaces", {}, std::move(name));
}

ResourcePath pods(std::string namespace_name, std::string name) {
    return ResourcePath("", "v1", "pods", std::move(namespace_name), std::move(name));
}

ResourcePath secrets(std::string namespace_name, std::string name) {
    return ResourcePath("", "v1", "secrets", std::move(namespace_name), std::move(name));
}

ResourcePath mutating_webhook_configurations(std::string name) {
    return admission_registration("mutatingwebhookconfigurations", std::move(name));
}

ResourcePath validating_admission_policies(std::string name) {
    return admission_registration("validatingadmissionpolicies", std::move(name));
}

ResourcePath validating_admission_policy_bindings(std::string name) {
    return admission_registration("validatingadmissionpolicybindings", std::move(name));
}

ResourcePath mutating_admission_policies(std::string name) {
    return admission_registration("mutatingadmissionpolicies", std::move(name));
}

ResourcePath mutating_admission_policy_bindings(std::string name) {
    return admission_registration("mutatingadmissionpolicybindings", std::move(name));
}

ResourcePath valkey_connections(std::string namespace_name, std::string name) {
    return ResourcePath(std::string(names::kApiGroup), "v1alpha1", "valkeyconnections", std::move(namespace_name),
                        std::move(name));
}

}  // namespace cvp::op
