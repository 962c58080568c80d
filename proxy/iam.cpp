#include "proxy/iam.hpp"

#include <utility>

#include "common/backoff.hpp"
#include "common/log/log.hpp"
#include "proxy/login.hpp"

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;

/// An annotation on the ServiceAccount changes the identity of a running pod.
constexpr auto kIdentityCheck = 60s;

}  // namespace

Iam::ScopedTokens::ScopedTokens(MetadataServer& server, const std::string& scope)
    : source(server, scope), cache(scope.empty() ? "default scopes" : scope, source) {}

Iam::Iam(asio::io_context& io, TaskGroup& tasks, http::Origin metadata_server)
    : tasks_(tasks), metadata_server_(io, std::move(metadata_server)) {}

std::shared_ptr<LoginSource> Iam::make_login(const std::string& scope) {
    return std::make_shared<TokenLogin>(tokens(scope));
}

TokenCache& Iam::tokens(const std::string& scope) {
    if (scopes_.empty()) tasks_.spawn("identity", watch_identity());
    auto& entry = scopes_[scope];
    if (!entry) {
        entry = std::make_unique<ScopedTokens>(metadata_server_, scope);
        tasks_.spawn("tokens", entry->cache.run());
    }
    return entry->cache;
}

void Iam::stop() {
    stopped_ = true;
    for (const auto& [scope, tokens] : scopes_)
        tokens->cache.stop();
    wake_.notify_all();
    metadata_server_.close();
}

/// Learns who we are; looks again only while the answer is one that cannot log in.
Awaitable<void> Iam::watch_identity() {
    Backoff backoff(100ms, 10s);
    while (!stopped_) {
        auto email = co_await metadata_server_.fetch_email();
        if (stopped_) break;
        SteadyClock::duration delay = backoff.next();
        if (email) {
            const bool is_new = *email != email_;
            email_ = std::move(*email);
            warning_ = metadata::identity_warning(email_);
            if (is_new && warning_.empty()) log::info("logins use this identity", {{"email", email_}});
            if (is_new && !warning_.empty()) log::error(warning_, {{"email", email_}});
            if (warning_.empty()) co_return;
            delay = kIdentityCheck;
        }
        const auto until = SteadyClock::now() + delay;
        while (!stopped_ && SteadyClock::now() < until)
            co_await wake_.wait_until(until);
    }
}

}  // namespace cvp::proxy
