#include "proxy/lone_resolver.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "common/backoff.hpp"
#include "common/log/log.hpp"
#include "common/rfc3339.hpp"

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;
using providers::InstanceName;
using providers::Reason;
using providers::Refusal;
using providers::Resolved;
namespace memorystore = providers::memorystore;

constexpr auto kCallTimeout = 15s;
constexpr auto kTokenPatience = 10s;
constexpr auto kUnreachedInterval = 60s;
constexpr auto kLookEvery = 5s;  ///< how soon an upstream that is not reached is noticed

Refusal unavailable(std::string message) {
    return {Reason::cloud_unavailable, std::move(message), {}};
}

bool is_reached(const Connection& connection) {
    const auto* port = connection.primary();
    if (port == nullptr) return true;
    const auto& upstream = port->upstream();
    if (!upstream.last_error_at) return true;
    return upstream.last_success_at && *upstream.last_success_at >= *upstream.last_error_at;
}

}  // namespace

bool is_resolve_due(SteadyClock::time_point now, SteadyClock::time_point last_try, SteadyClock::duration interval,
                    bool is_upstream_reached) {
    const auto age = now - last_try;
    return age >= interval || (!is_upstream_reached && age >= kUnreachedInterval);
}

LoneResolver::LoneResolver(asio::io_context& io, InstanceSource source, Iam& iam, Connection& connection)
    : io_(io), source_(std::move(source)), iam_(iam), connection_(connection) {}

Awaitable<void> LoneResolver::run() {
    Backoff backoff(1s, 60s);
    while (!stopped_) {
        last_try_ = SteadyClock::now();
        const auto resolved = co_await resolve();
        client_.reset();
        if (stopped_) break;
        if (resolved) {
            note_success(*resolved);
            backoff.reset();
            co_await wait_until_due();
        } else {
            note_failure(resolved.error());
            SteadyClock::duration delay = backoff.next();
            if (resolved.error().retry_after)
                delay = std::max<SteadyClock::duration>(delay, *resolved.error().retry_after);
            co_await pause(delay);
        }
    }
}

void LoneResolver::stop() {
    stopped_ = true;
    if (client_) client_->close();
    wake_.notify_all();
}

Awaitable<Resolved<LoneResolver::Caveat>> LoneResolver::resolve() {
    const auto name = co_await find_name();
    if (!name) co_return tl::unexpected(name.error());
    view_.instance = name->full();

    const auto instance = co_await ask(*name, memorystore::instance_target(*name));
    if (!instance) co_return tl::unexpected(instance.error());
    const auto facts = memorystore::interpret_instance(*instance, *name);
    if (!facts) co_return tl::unexpected(facts.error());

    if (auto target = memorystore::ca_target(*name, *facts)) {
        const auto answer = co_await ask(*name, std::move(*target));
        auto ca = answer ? memorystore::interpret_ca(*answer, *name) : tl::unexpected(answer.error());
        if (!ca && ca_pem_.empty()) co_return tl::unexpected(ca.error());
        if (ca) ca_pem_ = std::move(*ca);
    }
    co_return hand_over(*name, *facts);
}

/// What a short name leaves out is asked of the metadata server, once.
Awaitable<Resolved<InstanceName>> LoneResolver::find_name() {
    if (providers::is_short_name(source_.instance)) {
        if (source_.project.empty()) {
            auto project = co_await iam_.metadata_server().fetch_project_id();
            if (!project) {
                co_return tl::unexpected(unavailable(
                    fmt::format("the project is not known: {}; or give it with --project", project.error().context)));
            }
            source_.project = std::move(*project);
        }
        if (source_.location.empty()) {
            auto region = co_await iam_.metadata_server().fetch_region();
            if (!region) {
                co_return tl::unexpected(unavailable(
                    fmt::format("the location is not known: {}; or give it with --location", region.error().context)));
            }
            source_.location = std::move(*region);
        }
    }
    auto name = providers::parse_instance_name(source_.instance, source_.project, source_.location);
    if (!name) co_return tl::unexpected(unavailable(std::move(name.error().context)));
    co_return std::move(*name);
}

Awaitable<std::optional<Token>> LoneResolver::wait_for_token() {
    auto& tokens = iam_.tokens(std::string(memorystore::kScope));
    const auto deadline = SteadyClock::now() + kTokenPatience;
    auto token = tokens.current();
    while (!token && !stopped_ && SteadyClock::now() < deadline) {
        co_await tokens.changed().wait_until(deadline);
        token = tokens.current();
    }
    co_return token;
}

Awaitable<Resolved<http::Response>> LoneResolver::ask(const InstanceName& name, std::string target) {
    const auto call = memorystore::describe_call(name);
    auto& tokens = iam_.tokens(std::string(memorystore::kScope));
    const auto token = co_await wait_for_token();
    if (!token) {
        const auto& error = tokens.last_error();
        co_return tl::unexpected(unavailable(error ? "there is no token: " + error->context : "there is no token yet"));
    }
    if (!client_) {
        tls::ClientOptions tls;
        tls.system_roots = source_.api.tls;
        client_ = std::make_unique<http::Client>(io_, source_.api, std::move(tls));
    }
    http::Request request;
    request.target = std::move(target);
    request.headers.set("Authorization", "Bearer " + std::string(token->value.reveal()));
    auto response = co_await client_->send(std::move(request), SteadyClock::now() + kCallTimeout);
    if (!response) co_return tl::unexpected(providers::interpret_transport_error(response.error(), call));
    if (response->status == 401) tokens.refresh_soon();
    co_return std::move(*response);
}

Resolved<LoneResolver::Caveat> LoneResolver::hand_over(const InstanceName& name,
                                                       const memorystore::InstanceFacts& facts) {
    providers::Wishes wishes;
    wishes.connection_name = connection_.name();
    auto outcome = memorystore::map(name, facts, ca_pem_, wishes);
    if (!outcome.document) {
        return tl::unexpected(outcome.refusal ? std::move(*outcome.refusal) : unavailable("nothing was resolved"));
    }
    carry_changed_at(last_good_ ? &*last_good_ : nullptr, *outcome.document, format_rfc3339(SystemClock::now()));
    last_good_ = *outcome.document;
    Document document;
    document.connection = std::move(*outcome.document);
    auto applied = connection_.apply(std::move(document));
    if (!applied) return tl::unexpected(unavailable(std::move(applied.error().context)));
    return outcome.refusal ? std::move(outcome.refusal->message) : Caveat();
}

Awaitable<void> LoneResolver::wait_until_due() {
    while (!stopped_) {
        if (is_resolve_due(SteadyClock::now(), last_try_, source_.refresh_interval, is_reached(connection_))) co_return;
        co_await wake_.wait_until(SteadyClock::now() + kLookEvery);
    }
}

Awaitable<void> LoneResolver::pause(SteadyClock::duration duration) {
    const auto end = SteadyClock::now() + duration;
    while (!stopped_ && SteadyClock::now() < end)
        co_await wake_.wait_until(end);
}

void LoneResolver::note_success(const Caveat& caveat) {
    ++view_.succeeded;
    view_.last_success_at = SystemClock::now();
    if (!caveat.empty()) return note_error(providers::to_string(Reason::cluster_mode_not_supported), caveat);
    if (!view_.last_error.empty()) log::info("the instance is resolved again", {{"instance", source_.instance}});
    view_.last_error.clear();
}

void LoneResolver::note_failure(const Refusal& refusal) {
    ++view_.failed;
    connection_.explain_unresolved(refusal.message);
    note_error(providers::to_string(refusal.reason), refusal.message);
}

/// The same again is not news.
void LoneResolver::note_error(std::string_view reason, const std::string& message) {
    if (view_.last_error == message) return;
    view_.last_error = message;
    view_.last_reason = reason;
    log::warn("the instance cannot be resolved",
              {{"instance", source_.instance}, {"reason", reason}, {"error", message}});
}

}  // namespace cvp::proxy
