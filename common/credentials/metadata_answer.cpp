#include "common/credentials/metadata_answer.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace cvp::metadata {
namespace {

constexpr std::string_view kDefaultHost = "169.254.169.254";
constexpr std::size_t kQuotedBytes = 300;

std::string_view trim(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const auto first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// First line of an error body, for a human. HTML pages say nothing that their status does not.
std::string quote(std::string_view body) {
    auto line = trim(body);
    if (line.starts_with('<')) return {};
    line = trim(line.substr(0, line.find('\n'))).substr(0, kQuotedBytes);
    return line.empty() ? std::string() : fmt::format(": {}", line);
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

Error refusal(std::string_view what, const http::Response& response) {
    const auto said = quote(response.body);
    if (contains(response.body, "has not been used in project") || contains(response.body, "it is disabled")) {
        return {ErrorCode::permission_denied,
                fmt::format("the metadata server refuses the {}{}; remedy: enable iamcredentials.googleapis.com in the "
                            "project of the Google service account",
                            what, said)};
    }
    if (contains(response.body, "Unable to generate access token")) {
        return {ErrorCode::permission_denied,
                fmt::format("the metadata server refuses the {}{}; remedy: grant roles/iam.workloadIdentityUser on the "
                            "Google service account to this Kubernetes ServiceAccount (a new grant takes minutes to "
                            "work)",
                            what, said)};
    }
    return {ErrorCode::permission_denied, fmt::format("the metadata server refuses the {}{}", what, said)};
}

Error absence(std::string_view what, const http::Response& response) {
    const auto said = quote(response.body);
    if (contains(response.body, "IAM returned 404")) {
        return {ErrorCode::not_found,
                fmt::format("the metadata server refuses the {}{}; remedy: the Google service account that the "
                            "annotation iam.gke.io/gcp-service-account names does not exist: correct it or create the "
                            "account",
                            what, said)};
    }
    return {ErrorCode::not_found, fmt::format("the metadata server has no {} (HTTP 404){}", what, said)};
}

}  // namespace

Result<http::Origin> parse_host(std::string_view gce_metadata_host) {
    if (gce_metadata_host.empty()) gce_metadata_host = kDefaultHost;
    auto origin = http::parse_authority(gce_metadata_host, 80, false);
    if (!origin) return fail(ErrorCode::invalid_argument, "GCE_METADATA_HOST: " + origin.error().context);
    return origin;
}

Result<std::string> read_answer(std::string_view what, const http::Response& response) {
    if (response.status == 200) {
        const auto flavor = response.headers.find("Metadata-Flavor");
        if (flavor != "Google") {
            return fail(ErrorCode::protocol_error,
                        fmt::format("asking for the {}: what answered is not a metadata server (no \"Metadata-Flavor: "
                                    "Google\" in its answer)",
                                    what));
        }
        return std::string(trim(response.body));
    }
    switch (response.status) {
        case 403:
            return fail(refusal(what, response));
        case 404:
            return fail(absence(what, response));
        case 429:
            return fail(ErrorCode::resource_exhausted,
                        fmt::format("the metadata server limits our rate (HTTP 429), asking for the {}", what));
        default:
            break;
    }
    const bool transient = response.status == 499 || response.status >= 500;
    return fail(
        transient ? ErrorCode::unavailable : ErrorCode::protocol_error,
        fmt::format("the metadata server answers HTTP {} to the {}{}", response.status, what, quote(response.body)));
}

Result<Token> parse_token(std::string_view json, SystemClock::time_point now) {
    auto document = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
    if (!document.is_object())
        return fail(ErrorCode::protocol_error, "the metadata server's token is not a JSON object");
    const auto value = document.find("access_token");
    if (value == document.end() || !value->is_string() || value->get_ref<const std::string&>().empty()) {
        return fail(ErrorCode::protocol_error, "the metadata server's token has no access_token");
    }
    const auto lifetime = document.find("expires_in");
    // Bounded, so that an odd number cannot overflow the clock; Google's longest is 12 h.
    if (lifetime == document.end() || !lifetime->is_number_integer() || lifetime->get<std::int64_t>() <= 0 ||
        lifetime->get<std::int64_t>() > 86400) {
        return fail(ErrorCode::protocol_error, "the metadata server's token has no expires_in from 1 to 86400");
    }
    Token token{Secret(std::move(value->get_ref<std::string&>())),
                now + std::chrono::seconds(lifetime->get<std::int64_t>())};
    return token;
}

Result<std::string> parse_region(std::string_view location) {
    location = location.substr(location.rfind('/') + 1);
    const auto first = location.find('-');
    const auto second = first == std::string_view::npos ? first : location.find('-', first + 1);
    const auto region = location.substr(0, second);
    const bool is_region =
        first != std::string_view::npos && first > 0 && first + 1 < region.size() &&
        region.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos &&
        region.back() >= '0' && region.back() <= '9';
    if (!is_region) {
        return fail(ErrorCode::protocol_error, fmt::format("\"{}\" is neither a region nor a zone", location));
    }
    return std::string(region);
}

IdentityKind identity_kind(std::string_view email) {
    return email.ends_with(".svc.id.goog") ? IdentityKind::workload_pool : IdentityKind::service_account;
}

std::string identity_warning(std::string_view email) {
    if (identity_kind(email) == IdentityKind::service_account) return {};
    return fmt::format(
        "Memorystore cannot log in the identity {}: it is the pool of the cluster's own ServiceAccounts. Remedy: "
        "annotate "
        "this pod's Kubernetes ServiceAccount with iam.gke.io/gcp-service-account: "
        "NAME@PROJECT.iam.gserviceaccount.com "
        "and grant that account roles/memorystore.dbConnectionUser",
        email);
}

}  // namespace cvp::metadata
