#include "tests/emulator/google_error.hpp"

#include <utility>

#include <nlohmann/json.hpp>

namespace cvp::emulator {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto kService = "memorystore.googleapis.com";
constexpr auto kTitle = "Memorystore API";
constexpr auto kExpectedCredential =
    "Expected OAuth 2 access token, login cookie or other valid authentication credential. See "
    "https://developers.google.com/identity/sign-in/web/devconsole-project.";

http::Response error(unsigned code, const std::string& message, const char* status, const Json& details = {}) {
    Json body = {{"code", code}, {"message", message}, {"status", status}};
    if (!details.is_null()) body["details"] = details;
    return google_response(code, Json{{"error", std::move(body)}}.dump(2));
}

Json error_info(const char* reason, const char* domain, Json metadata) {
    return {{"@type", "type.googleapis.com/google.rpc.ErrorInfo"},
            {"reason", reason},
            {"domain", domain},
            {"metadata", std::move(metadata)}};
}

Json help(const std::string& description, const std::string& url) {
    auto links = Json::array();
    links.push_back({{"description", description}, {"url", url}});
    return {{"@type", "type.googleapis.com/google.rpc.Help"}, {"links", std::move(links)}};
}

http::Response unauthenticated(const char* sentence, const char* reason, const std::string& method) {
    auto details = Json::array();
    details.push_back(error_info(reason, "googleapis.com", {{"method", method}, {"service", kService}}));
    return error(401, std::string(sentence) + " " + kExpectedCredential, "UNAUTHENTICATED", details);
}

}  // namespace

http::Response google_response(unsigned status, std::string json) {
    http::Response response;
    response.status = status;
    response.headers = {{"Content-Type", "application/json; charset=UTF-8"},
                        {"Server", "ESF"},
                        {"Vary", "Origin"},
                        {"Vary", "X-Origin"},
                        {"Vary", "Referer"},
                        {"X-Content-Type-Options", "nosniff"},
                        {"X-Frame-Options", "SAMEORIGIN"},
                        {"X-Xss-Protection", "0"}};
    response.body = std::move(json) + "\n";
    return response;
}

http::Response not_found(const std::string& resource) {
    return error(404, "Resource '" + resource + "' was not found", "NOT_FOUND");
}

http::Response no_such_path(const std::string& path) {
    http::Response response;
    response.status = 404;
    response.headers = {{"Content-Type", "text/html; charset=UTF-8"}, {"Referrer-Policy", "no-referrer"}};
    response.body =
        "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n  <title>Error 404 (Not Found)!!1</title>\n"
        "  <p><b>404.</b> <ins>That’s an error.</ins>\n  <p>The requested URL <code>" +
        path + "</code> was not found on this server.  <ins>That’s all we know.</ins>\n";
    return response;
}

http::Response failed_precondition(const std::string& message) {
    return error(400, message, "FAILED_PRECONDITION");
}

http::Response credentials_missing(const std::string& method) {
    return unauthenticated("Request is missing required authentication credential.", "CREDENTIALS_MISSING", method);
}

http::Response credentials_invalid(const std::string& method) {
    return unauthenticated("Request had invalid authentication credentials.", "ACCESS_TOKEN_EXPIRED", method);
}

http::Response permission_denied(const std::string& resource) {
    auto details = Json::array();
    details.push_back(error_info("IAM_PERMISSION_DENIED", kService,
                                 {{"permission", "memorystore.instances.get"}, {"resource", resource}}));
    return error(403,
                 "Permission 'memorystore.instances.get' denied on resource '//memorystore.googleapis.com/" + resource +
                     "' (or it may not exist).",
                 "PERMISSION_DENIED", details);
}

http::Response api_disabled(const std::string& project_number) {
    const auto url = std::string("https://console.developers.google.com/apis/api/") + kService +
                     "/overview?project=" + project_number;
    const auto message = std::string(kTitle) + " has not been used in project " + project_number +
                         " before or it is disabled. Enable it by visiting " + url +
                         " then retry. If you enabled this API recently, wait a few minutes for the action to "
                         "propagate to our systems and retry.";
    auto details = Json::array();
    details.push_back(error_info("SERVICE_DISABLED", "googleapis.com",
                                 {{"service", kService},
                                  {"serviceTitle", kTitle},
                                  {"consumer", "projects/" + project_number},
                                  {"containerInfo", project_number},
                                  {"activationUrl", url}}));
    details.push_back(
        {{"@type", "type.googleapis.com/google.rpc.LocalizedMessage"}, {"locale", "en-US"}, {"message", message}});
    details.push_back(help("Google developers console API activation", url));
    return error(403, message, "PERMISSION_DENIED", details);
}

http::Response scope_insufficient(const std::string& method) {
    auto details = Json::array();
    details.push_back(
        error_info("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "googleapis.com", {{"method", method}, {"service", kService}}));
    return error(403, "Request had insufficient authentication scopes.", "PERMISSION_DENIED", details);
}

http::Response quota_exceeded(const std::string& project_number) {
    auto details = Json::array();
    details.push_back(error_info("RATE_LIMIT_EXCEEDED", "googleapis.com",
                                 {{"consumer", "projects/" + project_number},
                                  {"quota_limit", "DefaultPerMinutePerProject"},
                                  {"quota_limit_value", "60"},
                                  {"quota_location", "global"},
                                  {"quota_metric", std::string(kService) + "/default"},
                                  {"quota_unit", "1/min/{project}"},
                                  {"service", kService}}));
    details.push_back(
        help("Request a higher quota limit.", "https://cloud.google.com/docs/quota#requesting_higher_quota"));
    return error(429,
                 std::string("Quota exceeded for quota metric 'API requests' and limit 'API requests per minute' of "
                             "service '") +
                     kService + "' for consumer 'project_number:" + project_number + "'.",
                 "RESOURCE_EXHAUSTED", details);
}

http::Response unavailable() {
    return error(503, "The service is currently unavailable.", "UNAVAILABLE");
}

http::Response answer_of(const Fault& fault, const std::string& resource, const std::string& method,
                         const std::string& project_number) {
    auto response = [&] {
        switch (fault.status) {
            case 401:
                return credentials_invalid(method);
            case 403:
                return fault.reason == "SERVICE_DISABLED"                  ? api_disabled(project_number)
                       : fault.reason == "ACCESS_TOKEN_SCOPE_INSUFFICIENT" ? scope_insufficient(method)
                                                                           : permission_denied(resource);
            case 404:
                return not_found(resource);
            case 429:
                return quota_exceeded(project_number);
            case 503:
                return unavailable();
            default:
                return error(fault.status, "Internal error encountered.", "INTERNAL");
        }
    }();
    if (fault.retry_after_seconds) response.headers.set("Retry-After", std::to_string(*fault.retry_after_seconds));
    return response;
}

}  // namespace cvp::emulator
