#include "common/providers/google_error.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/json_access.hpp"

namespace cvp::providers {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr seconds kLongestRetryAfter = std::chrono::hours(1);

/// What we act upon in an error body.
struct ErrorBody {
    std::vector<std::string> reasons;    ///< of every ErrorInfo
    std::optional<seconds> retry_delay;  ///< of RetryInfo

    bool has(std::string_view reason) const {
        return std::find(reasons.begin(), reasons.end(), reason) != reasons.end();
    }
};

/// Whole seconds of "4", "4s" or "1.5s", rounded up and bounded.
std::optional<seconds> parse_seconds(std::string_view text) {
    unsigned value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc()) return std::nullopt;
    auto rest = text.substr(static_cast<std::size_t>(end - text.data()));
    const bool has_fraction = rest.starts_with('.');
    if (has_fraction) rest.remove_prefix(std::min(rest.find_first_not_of("0123456789", 1), rest.size()));
    if (!rest.empty() && rest != "s") return std::nullopt;
    return std::min(seconds(value) + seconds(has_fraction ? 1 : 0), kLongestRetryAfter);
}

ErrorBody read_body(std::string_view body) {
    ErrorBody read;
    const auto document = json::parse(body, nullptr, false);
    for (const auto& detail : find_array(document, {"error", "details"})) {
        const auto& type = find_string(detail, {"@type"});
        if (type == "type.googleapis.com/google.rpc.ErrorInfo") read.reasons.push_back(find_string(detail, {"reason"}));
        if (type == "type.googleapis.com/google.rpc.RetryInfo") {
            read.retry_delay = parse_seconds(find_string(detail, {"retryDelay"}));
        }
    }
    return read;
}

std::optional<seconds> retry_after(const http::Response& response, const ErrorBody& body) {
    if (const auto header = response.headers.find("Retry-After")) {
        if (const auto delay = parse_seconds(*header)) return delay;
    }
    return body.retry_delay;
}

Refusal forbidden(const ErrorBody& body, const GoogleCall& call) {
    if (body.has("SERVICE_DISABLED")) {
        return {Reason::api_disabled,
                fmt::format("the API {0} is not enabled in project {1}: gcloud services enable {0} --project {1}",
                            call.api, call.project),
                {}};
    }
    if (body.has("ACCESS_TOKEN_SCOPE_INSUFFICIENT")) {
        return {Reason::permission_denied,
                fmt::format("the access token's scopes do not allow reading the {}: give the node or VM the scope "
                            "cloud-platform, or use Workload Identity",
                            call.what),
                {}};
    }
    if (body.has("BILLING_DISABLED")) {
        return {
            Reason::permission_denied, fmt::format("billing is disabled for project {}: enable it", call.project), {}};
    }
    return {
        Reason::permission_denied,
        fmt::format("reading the {} is not allowed, or it does not exist: grant {} (permission {}) in project {} to "
                    "the identity that resolves it, and check that the API {} is enabled; a new grant takes some "
                    "minutes",
                    call.what, call.role, call.permission, call.project, call.api),
        {}};
}

}  // namespace

Refusal interpret_google_error(const http::Response& response, const GoogleCall& call) {
    const auto body = read_body(response.body);
    switch (response.status) {
        case 400:
            return {Reason::instance_not_found,
                    fmt::format("the {} was refused as an invalid name (HTTP 400): check project, location and name",
                                call.what),
                    {}};
        case 401:
            return {Reason::permission_denied,
                    fmt::format("the access token was not accepted for the {} (HTTP 401): a fresh one is tried; if "
                                "this stays, check the identity that resolves it",
                                call.what),
                    {}};
        case 403:
            return forbidden(body, call);
        case 404:
            return {Reason::instance_not_found,
                    fmt::format("the {} was not found: check project, location and name, or create it; it is looked "
                                "for again at every refresh",
                                call.what),
                    {}};
        case 429:
            return {Reason::quota_exhausted,
                    fmt::format("project {} has used up its quota of calls to {} (60 a minute for everybody in the "
                                "project): tried again later; a longer refreshInterval needs fewer calls",
                                call.project, call.api),
                    retry_after(response, body)};
        default:
            return {Reason::cloud_unavailable,
                    fmt::format("{} answered HTTP {} for the {}: tried again later; the last good configuration stays",
                                call.api, response.status, call.what),
                    retry_after(response, body)};
    }
}

Refusal interpret_transport_error(const Error& error, const GoogleCall& call) {
    return {Reason::cloud_unavailable,
            fmt::format("{} cannot be reached for the {} ({}): check that egress to it is allowed; the last good "
                        "configuration stays",
                        call.api, call.what, to_string(error)),
            {}};
}

}  // namespace cvp::providers
