#include "operator/kube/client.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/log/log.hpp"
#include "operator/kube/request_target.hpp"

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr auto kListLimit = 60s;  ///< until a list or watch opens: as the server's own --request-timeout
constexpr auto kReloadEvery = 10s;
constexpr SteadyClock::duration kLongestPause = 30s;  ///< that a server can make us keep
constexpr auto kJsonType = "application/json";

std::string content_type_of(PatchType type) {
    switch (type) {
        case PatchType::merge:
            return "application/merge-patch+json";
        case PatchType::json:
            return "application/json-patch+json";
        case PatchType::strategic:
            return "application/strategic-merge-patch+json";
    }
    return kJsonType;
}

std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

http::ClientOptions client_options() {
    http::ClientOptions options;
    options.max_idle_connections = 4;
    options.max_body_bytes = 64 * 1024 * 1024;
    return options;
}

}  // namespace

KubeClient::KubeClient(asio::io_context& io, KubeConfig config, KubeCredentials credentials, std::string user_agent,
                       KubeLimits limits)
    : config_(std::move(config)),
      credentials_(std::move(credentials)),
      user_agent_(std::move(user_agent)),
      call_limit_(limits.call),
      turns_(limits.calls_per_second, limits.burst),
      loaded_at_(SteadyClock::now()),
      http_(io, config_.server.origin, credentials_.tls, client_options()) {}

KubeClient::~KubeClient() = default;

void KubeClient::close() {
    closed_ = true;
    closing_.notify_all();
    http_.close();
}

Awaitable<KubeResult<Json>> KubeClient::get(ResourcePath path) {
    auto request = make_request("GET", path.target(), {}, {});
    co_return co_await call("get " + path.describe(), std::move(request));
}

Awaitable<KubeResult<std::unique_ptr<http::BodyStream>>> KubeClient::list(ResourcePath path, ListOptions options) {
    auto target = list_target(path, options);
    co_return co_await open("list " + path.describe(), std::move(target));
}

Awaitable<KubeResult<Json>> KubeClient::create(ResourcePath path, Json object) {
    auto request = make_request("POST", path.collection().target(), dump(object), kJsonType);
    co_return co_await call("create " + path.describe(), std::move(request));
}

Awaitable<KubeResult<Json>> KubeClient::create_dry(ResourcePath path, Json object) {
    auto target = path.collection().target();
    add_query(target, "dryRun", "All");
    auto request = make_request("POST", std::move(target), dump(object), kJsonType);
    co_return co_await call("dry-run create " + path.describe(), std::move(request));
}

Awaitable<KubeResult<Json>> KubeClient::replace(ResourcePath path, Json object) {
    auto request = make_request("PUT", path.target(), dump(object), kJsonType);
    co_return co_await call("replace " + path.describe(), std::move(request));
}

Awaitable<KubeResult<Json>> KubeClient::apply(ResourcePath path, Json object, ApplyOptions options) {
    auto target = path.target();
    add_query(target, "fieldManager", options.field_manager);
    add_query(target, "force", options.force ? "true" : "false");
    // JSON is YAML, and a server before 1.33 knows no other name for it.
    auto request = make_request("PATCH", std::move(target), dump(object), "application/apply-patch+yaml");
    co_return co_await call("apply " + path.describe(), std::move(request));
}

Awaitable<KubeResult<Json>> KubeClient::patch(ResourcePath path, PatchType type, Json patch) {
    auto request = make_request("PATCH", path.target(), dump(patch), content_type_of(type));
    co_return co_await call("patch " + path.describe(), std::move(request));
}

Awaitable<KubeResult<void>> KubeClient::remove(ResourcePath path) {
    auto request = make_request("DELETE", path.target(), R"({"propagationPolicy":"Background"})", kJsonType);
    auto answer = co_await call("delete " + path.describe(), std::move(request));
    if (!answer) co_return tl::unexpected(std::move(answer).error());
    co_return KubeResult<void>();
}

Awaitable<KubeResult<std::unique_ptr<http::BodyStream>>> KubeClient::watch(ResourcePath path, WatchOptions options) {
    auto target = watch_target(path, options);
    co_return co_await open("watch " + path.describe(), std::move(target));
}

Awaitable<KubeResult<std::unique_ptr<http::BodyStream>>> KubeClient::open(std::string what, std::string target) {
    reload_credentials(false);
    for (bool again = false;; again = true) {
        co_await wait_for_turn();
        auto request = make_request("GET", target, {}, {});
        authorize(request);
        const auto begun = SteadyClock::now();
        auto stream = co_await http_.open(std::move(request), begun + kListLimit);
        tell("GET", stream ? (*stream)->status() : 0, begun);
        if (!stream && !again && must_reload(stream.error())) continue;
        if (!stream) co_return tl::unexpected(make_kube_error(what, stream.error()));
        if ((*stream)->status() == 200) co_return std::move(*stream);
        if ((*stream)->status() == 401 && !again && reload_credentials(true)) continue;

        http::Response refusal;
        refusal.status = (*stream)->status();
        refusal.headers = (*stream)->headers();
        for (;;) {
            auto piece = co_await (*stream)->read_some(begun + kListLimit);
            if (!piece || piece->empty() || refusal.body.size() > 64 * 1024) break;
            refusal.body += *piece;
        }
        co_return tl::unexpected(refused(what, refusal));
    }
}

http::Request KubeClient::make_request(std::string method, std::string target, std::string body,
                                       std::string content_type) const {
    http::Request request;
    request.method = std::move(method);
    const auto& base = config_.server.target;
    request.target = base.substr(0, base.find_last_not_of('/') + 1) + target;
    request.headers.set("Accept", kJsonType);
    request.headers.set("User-Agent", user_agent_);
    if (!content_type.empty()) request.headers.set("Content-Type", std::move(content_type));
    request.body = std::move(body);
    return request;
}

void KubeClient::authorize(http::Request& request) const {
    if (credentials_.token.empty()) return;
    request.headers.set("Authorization", "Bearer " + std::string(credentials_.token.reveal()));
}

Awaitable<KubeResult<Json>> KubeClient::call(std::string what, http::Request request) {
    reload_credentials(false);
    for (bool again = false;; again = true) {
        co_await wait_for_turn();
        auto sent = request;
        authorize(sent);
        const auto begun = SteadyClock::now();
        auto response = co_await http_.send(std::move(sent), begun + call_limit_);
        tell(request.method, response ? response->status : 0, begun);
        if (!response && !again && must_reload(response.error())) continue;
        if (!response) co_return tl::unexpected(make_kube_error(what, response.error()));
        if (response->status == 401 && !again && reload_credentials(true)) continue;
        if (response->status >= 300) co_return tl::unexpected(refused(what, *response));
        auto object = Json::parse(response->body, nullptr, /*allow_exceptions=*/false);
        if (!object.is_object()) {
            const Error error{ErrorCode::protocol_error, "the answer is no JSON object"};
            co_return tl::unexpected(make_kube_error(what, error));
        }
        co_return object;
    }
}

Awaitable<void> KubeClient::wait_for_turn() {
    const auto turn = SteadyClock::now() + turns_.take(SteadyClock::now());
    while (!closed_ && SteadyClock::now() < turn)
        co_await closing_.wait_until(turn);
}

/// Its Retry-After holds for every call: the server is short of time, not of this object.
KubeError KubeClient::refused(const std::string& what, const http::Response& response) {
    auto error = make_kube_error(what, response);
    if (response.status == 429 && error.retry_after) {
        turns_.pause(SteadyClock::now() + std::min<SteadyClock::duration>(*error.retry_after, kLongestPause));
    }
    return error;
}

void KubeClient::tell(std::string_view method, unsigned status, SteadyClock::time_point begun) const {
    if (on_answer_) on_answer_(method, config_.server.origin.host, status, SteadyClock::now() - begun);
}

/// A server whose CA was replaced: the new one may be in the file already. Returns whether something changed.
bool KubeClient::must_reload(const Error& error) {
    return error.code == ErrorCode::tls_failed && reload_credentials(true);
}

/// Returns whether something changed.
bool KubeClient::reload_credentials(bool now) {
    if (!now && SteadyClock::now() - loaded_at_ < kReloadEvery) return false;
    loaded_at_ = SteadyClock::now();
    auto loaded = load_kube_credentials(config_);
    if (!loaded) {
        if (reload_error_ != loaded.error().context) {
            log::warn("cannot read our credentials again, keeping the last ones", {{"error", loaded.error().context}});
        }
        reload_error_ = loaded.error().context;
        return false;
    }
    reload_error_.clear();
    if (*loaded == credentials_) return false;
    if (loaded->tls != credentials_.tls) http_.set_tls(loaded->tls);
    credentials_ = std::move(*loaded);
    log::info("read new credentials for the API server", {{"server", config_.server.origin.to_string()}});
    return true;
}

}  // namespace cvp::op
