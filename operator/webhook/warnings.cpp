#include "operator/webhook/warnings.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/contract/names.hpp"
#include "common/json_access.hpp"
#include "common/printable.hpp"
#include "operator/webhook/application.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxWarnings = 8;

/// Of what is quoted: a key of ours, "cloudvalkey.dev/" and 63 characters, is quoted whole, and the whole warning stays
/// within the 256 characters that an API server passes on.
constexpr std::size_t kMaxQuoted = 80;

const json::object_t& members_of(const json& pod, std::string_view map) {
    static const json::object_t kNone;
    const auto* members = find_value(pod, {"metadata", map});
    return members != nullptr && members->is_object() ? members->get_ref<const json::object_t&>() : kNone;
}

bool names_connection(const Inject& inject, std::string_view name) {
    return std::any_of(inject.connections.begin(), inject.connections.end(),
                       [&](const auto& connection) { return connection.spec.name == name; });
}

/// What is to be said about one annotation under our prefix; nothing, most of the time.
std::string judge_annotation(const std::string& key, const json& value, const Inject* inject) {
    const auto quoted = in_quotes(key, kMaxQuoted);
    if (key == names::kConnectionsAnnotation || key == names::kStatusAnnotation) return "";
    if (key == names::kUnixSocketAnnotation) {
        if (value == "true" || value == "false") return "";
        return fmt::format("annotation {} is neither \"true\" nor \"false\": there is no unix socket", quoted);
    }
    if (key.starts_with(names::kSecretAnnotationPrefix)) {
        const auto connection = std::string_view(key).substr(names::kSecretAnnotationPrefix.size());
        if (inject == nullptr || names_connection(*inject, connection)) return "";
        return fmt::format("annotation {} has no effect: {} does not name that connection", quoted,
                           names::kConnectionsAnnotation);
    }
    return fmt::format(
        "annotation {} is unknown and has no effect; known are connections, unix-socket and "
        "secret.CONNECTION",
        quoted);
}

std::string judge_label(const std::string& key) {
    if (key == names::kInjectedLabel) return "";
    if (key == names::kConnectionsAnnotation) {
        return fmt::format("label {} has no effect; make it an annotation of the pod", in_quotes(key, kMaxQuoted));
    }
    return fmt::format("label {} is unknown and has no effect; settings of the proxy are annotations",
                       in_quotes(key, kMaxQuoted));
}

}  // namespace

std::vector<std::string> collect_warnings(const json& pod, const Inject* inject) {
    std::vector<std::string> warnings;
    std::size_t unsaid = 0;
    const auto say = [&](std::string warning) {
        if (warning.empty()) return;
        if (warnings.size() == kMaxWarnings - 1) {
            ++unsaid;
        } else {
            warnings.push_back(fmt::format("{}: {}", names::kSidecar, warning));
        }
    };
    for (const auto& [key, value] : members_of(pod, "annotations")) {
        if (key.starts_with(names::kPrefix)) say(judge_annotation(key, value, inject));
    }
    for (const auto& [key, value] : members_of(pod, "labels")) {
        if (key.starts_with(names::kPrefix)) say(judge_label(key));
    }
    if (inject != nullptr) {
        for (const auto& name : find_ambiguous_variables(*inject)) {
            say(
                fmt::format("two connections want the variable {}: the first in the list has it; read the ports from "
                            "the other variables or rename a connection",
                            name));
        }
    }
    if (unsaid > 0) warnings.push_back(fmt::format("{}: and {} more of this kind", names::kSidecar, unsaid));
    return warnings;
}

}  // namespace cvp::op
