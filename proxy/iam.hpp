#pragma once

#include <map>
#include <memory>
#include <string>

#include "common/async/task_group.hpp"
#include "common/credentials/metadata_server.hpp"
#include "common/credentials/token_cache.hpp"
#include "proxy/upstream/target.hpp"

namespace cvp::proxy {

/// The proxy's Google identity: one token cache per OAuth scope, however many connections log in with it, and whose
/// tokens they are. Nothing is asked of the metadata server before the first connection needs a token.
///
/// Owner: the App; it must outlive every target that logs in. stop() ends its tasks. Main loop only.
class Iam {
public:
    Iam(asio::io_context& io, TaskGroup& tasks, http::Origin metadata_server);
    Iam(const Iam&) = delete;
    Iam& operator=(const Iam&) = delete;

    /// A login with tokens of `scope`, or of the metadata server's default scopes where it is empty.
    std::shared_ptr<LoginSource> make_login(const std::string& scope);
    /// The cache of that scope; its first use starts fetching.
    TokenCache& tokens(const std::string& scope);
    void stop();

    MetadataServer& metadata_server() { return metadata_server_; }

    /// One cache with its source, by scope.
    struct ScopedTokens {
        ScopedTokens(MetadataServer& server, const std::string& scope);
        MetadataTokenSource source;
        TokenCache cache;
    };
    const std::map<std::string, std::unique_ptr<ScopedTokens>>& scopes() const { return scopes_; }

    /// Email of the identity; empty while unknown.
    const std::string& email() const { return email_; }
    /// Why that identity cannot log in and the remedy; empty if it can.
    const std::string& warning() const { return warning_; }

private:
    Awaitable<void> watch_identity();

    TaskGroup& tasks_;
    MetadataServer metadata_server_;
    std::map<std::string, std::unique_ptr<ScopedTokens>> scopes_;
    std::string email_;
    std::string warning_;
    Event wake_;
    bool stopped_ = false;
};

}  // namespace cvp::proxy
