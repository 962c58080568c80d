#include "common/credentials/metadata_server.hpp"

#include <cstring>
#include <utility>

namespace cvp {
namespace {

using namespace std::chrono_literals;

constexpr auto kTryTimeout = 5s;

http::ClientOptions client_options() {
    http::ClientOptions options;
    options.connect_timeout = kTryTimeout;
    options.max_body_bytes = 64 * 1024;
    options.max_idle_connections = 1;
    return options;
}

/// The cluster's location is no attribute of a plain VM: that is an answer, not a fault.
bool is_absent(const Error& error) {
    return error.code == ErrorCode::not_found;
}

}  // namespace

MetadataServer::MetadataServer(asio::io_context& io, http::Origin origin)
    : client_(io, std::move(origin), tls::ClientOptions{}, client_options()) {}

Awaitable<Result<http::Response>> MetadataServer::get(std::string path) {
    http::Request request;
    request.target = "/computeMetadata/v1/" + path;
    request.headers.set("Metadata-Flavor", "Google");
    co_return co_await client_.send(std::move(request), SteadyClock::now() + kTryTimeout);
}

Awaitable<Result<std::string>> MetadataServer::fetch_text(std::string what, std::string path) {
    const auto response = co_await get(std::move(path));
    if (!response)
        co_return fail(response.error().code,
                       "asking the metadata server for the " + what + ": " + response.error().context);
    auto text = metadata::read_answer(what, *response);
    if (text && text->empty()) co_return fail(ErrorCode::protocol_error, "the metadata server's " + what + " is empty");
    co_return text;
}

Awaitable<Result<std::string>> MetadataServer::fetch_project_id() {
    return fetch_text("project id", "project/project-id");
}

Awaitable<Result<std::string>> MetadataServer::fetch_region() {
    auto location = co_await fetch_text("cluster location", "instance/attributes/cluster-location");
    if (!location && is_absent(location.error())) location = co_await fetch_text("zone", "instance/zone");
    if (!location) co_return location;
    co_return metadata::parse_region(*location);
}

Awaitable<Result<std::string>> MetadataServer::fetch_email() {
    return fetch_text("service account's email", "instance/service-accounts/default/email");
}

Awaitable<Result<Token>> MetadataServer::fetch_token(std::string scope) {
    std::string path = "instance/service-accounts/default/token";
    if (!scope.empty()) path += "?scopes=" + http::percent_encode(scope);
    auto response = co_await get(std::move(path));
    if (!response)
        co_return fail(response.error().code, "asking the metadata server for a token: " + response.error().context);
    auto body = metadata::read_answer("token", *response);
    ::explicit_bzero(response->body.data(), response->body.size());
    if (!body) co_return fail(std::move(body).error());
    const Secret json(std::move(*body));
    co_return metadata::parse_token(json.reveal(), SystemClock::now());
}

}  // namespace cvp
