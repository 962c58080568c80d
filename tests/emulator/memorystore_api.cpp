#include "tests/emulator/memorystore_api.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "tests/emulator/enum_numbers.hpp"
#include "tests/emulator/google_error.hpp"
#include "tests/emulator/instance_record.hpp"

namespace cvp::emulator {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kPrefix = "/v1/";
constexpr std::string_view kCaSuffix = "/certificateAuthority";
constexpr std::string_view kSharedCaSuffix = "/sharedRegionalCertificateAuthority";
constexpr std::array kScopes = {"https://www.googleapis.com/auth/cloud-platform",
                                "https://www.googleapis.com/auth/memorystore.read-only",
                                "https://www.googleapis.com/auth/memorystore.read-write"};

enum class Method { unknown, get_instance, get_ca, get_shared_ca };

/// What a request asks for.
struct Route {
    Method method = Method::unknown;
    std::string resource;  ///< the instance's full name, or "projects/P/locations/L"
    std::string project;
};

bool is_location(std::string_view text) {
    return std::count(text.begin(), text.end(), '/') == 3 && text.find("/locations/") != std::string_view::npos;
}

Route route(const http::Request& request) {
    auto path = http::path_of(request.target);
    if (request.method != "GET" || !path.starts_with(kPrefix)) return {};
    path.remove_prefix(kPrefix.size());
    auto method = Method::get_instance;
    if (path.ends_with(kSharedCaSuffix)) {
        path.remove_suffix(kSharedCaSuffix.size());
        if (!path.starts_with("projects/") || !is_location(path)) return {};
        const auto project = path.substr(9, path.find('/', 9) - 9);
        return {Method::get_shared_ca, std::string(path), std::string(project)};
    }
    if (path.ends_with(kCaSuffix)) {
        path.remove_suffix(kCaSuffix.size());
        method = Method::get_ca;
    }
    const auto name = parse_instance_name(path);
    // "instances/I:verb" is a custom method; none of ours is a GET.
    if (!name || name->instance.find(':') != std::string::npos) return {};
    return {method, name->full(), name->project};
}

const char* kind_of(Method method) {
    switch (method) {
        case Method::get_instance:
            return "instances.get";
        case Method::get_ca:
            return "instances.certificateAuthority";
        case Method::get_shared_ca:
            return "locations.sharedRegionalCertificateAuthority";
        case Method::unknown:
            break;
    }
    return "other";
}

std::string rpc_of(Method method) {
    const std::string service = "google.cloud.memorystore.v1.Memorystore.";
    switch (method) {
        case Method::get_ca:
            return service + "GetCertificateAuthority";
        case Method::get_shared_ca:
            return service + "GetSharedRegionalCertificateAuthority";
        default:
            return service + "GetInstance";
    }
}

std::string_view bearer_of(const http::Request& request) {
    const auto header = request.headers.find("Authorization");
    constexpr std::string_view kBearer = "Bearer ";
    if (!header || !header->starts_with(kBearer)) return {};
    return header->substr(kBearer.size());
}

/// Google's REST clients ask for `$alt=json;enum-encoding=int`.
bool wants_enum_numbers(const http::Request& request) {
    return http::query_parameter(request.target, "$alt").value_or("").find("enum-encoding=int") != std::string::npos;
}

std::string build_ca(const std::string& name, const std::vector<std::string>& chains) {
    auto certificates = Json::array();
    for (const auto& chain : chains)
        certificates.push_back({{"certificates", Json::array({chain})}});
    return Json{{"name", name}, {"managedServerCa", {{"caCerts", std::move(certificates)}}}}.dump(2);
}

http::Response answer_ca(const std::string& resource, const InstanceRecord& record) {
    // What the live service says without a CA of its own is not documented; Terraform never asks then.
    if (record.ca_chains.empty())
        return failed_precondition("Resource '" + resource + "' has no managed certificate authority.");
    return google_response(200, build_ca(resource + std::string(kCaSuffix), record.ca_chains));
}

http::Response authorised_answer(const http::Request& request, const Route& route, const State& state) {
    if (route.method == Method::get_shared_ca) {
        const auto found = state.shared_cas.find(route.resource);
        if (found == state.shared_cas.end()) return not_found(route.resource + std::string(kSharedCaSuffix));
        return google_response(200, build_ca(route.resource + std::string(kSharedCaSuffix), found->second));
    }
    const auto found = state.instances.find(route.resource);
    if (found == state.instances.end()) return not_found(route.resource);
    if (route.method == Method::get_ca) return answer_ca(route.resource, found->second);
    const auto& document = found->second.document;
    return google_response(200, wants_enum_numbers(request) ? with_enum_numbers(document) : document);
}

http::Response checked_answer(const http::Request& request, const Route& route, State& state,
                              SystemClock::time_point now) {
    const auto bearer = bearer_of(request);
    if (bearer.empty()) return credentials_missing(rpc_of(route.method));
    const auto* token = state.tokens.find(bearer);
    if (token == nullptr || !token->is_live(now)) return credentials_invalid(rpc_of(route.method));
    if (std::find_first_of(token->scopes.begin(), token->scopes.end(), kScopes.begin(), kScopes.end()) ==
        token->scopes.end())
        return scope_insufficient(rpc_of(route.method));
    if (!state.quota.admit(route.project, now)) return quota_exceeded(state.metadata.project_number);
    return authorised_answer(request, route, state);
}

}  // namespace

Answer answer_memorystore(const http::Request& request, State& state, SystemClock::time_point now) {
    const auto asked = route(request);
    Answer answer;
    if (asked.method == Method::unknown) {
        answer.response = no_such_path(std::string(http::path_of(request.target)));
    } else {
        const auto disturbance = state.rest_faults.take(kind_of(asked.method));
        answer.delay = disturbance.delay;
        answer.response = disturbance.error ? answer_of(*disturbance.error, asked.resource, rpc_of(asked.method),
                                                        state.metadata.project_number)
                                            : checked_answer(request, asked, state, now);
    }
    state.calls.add({now, "rest", kind_of(asked.method), request.target, answer.response.status});
    return answer;
}

}  // namespace cvp::emulator
