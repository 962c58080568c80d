#pragma once

#include <string>

#include "common/async/asio.hpp"
#include "common/credentials/metadata_answer.hpp"
#include "common/credentials/token.hpp"
#include "common/http/client.hpp"

namespace cvp {

/// Client of the metadata server of GCE and GKE: where we run and who we are.
///
/// Every call is one round trip of at most 5 s and is never retried here: TokenCache and the callers' loops do that.
/// One request at a time is all the server likes, so the client keeps one connection. Owner: an App; one io_context.
class MetadataServer {
public:
    MetadataServer(asio::io_context& io, http::Origin origin);

    Awaitable<Result<std::string>> fetch_project_id();
    /// The cluster's region on GKE (attribute cluster-location), else the region of the machine's zone.
    Awaitable<Result<std::string>> fetch_region();
    /// Email of the default service account; a pool's name for an unlinked GKE identity (see metadata::identity_kind).
    Awaitable<Result<std::string>> fetch_email();
    /// @param scope an OAuth scope URL, or empty for the server's default
    /// @errors as TokenSource::fetch()
    Awaitable<Result<Token>> fetch_token(std::string scope);

    /// Ends calls in flight with `cancelled`.
    void close() { client_.close(); }

private:
    Awaitable<Result<http::Response>> get(std::string path);
    Awaitable<Result<std::string>> fetch_text(std::string what, std::string path);

    http::Client client_;
};

/// Tokens of the default service account.
class MetadataTokenSource final : public TokenSource {
public:
    MetadataTokenSource(MetadataServer& server, std::string scope) : server_(server), scope_(std::move(scope)) {}

    Awaitable<Result<Token>> fetch() override { return server_.fetch_token(scope_); }

private:
    MetadataServer& server_;
    std::string scope_;
};

}  // namespace cvp
