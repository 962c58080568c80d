#pragma once

#include <memory>
#include <string>

#include "common/credentials/token_cache.hpp"
#include "common/http/url.hpp"
#include "operator/cloud/cloud.hpp"

namespace cvp::op {

/// The Google API over cpprestsdk: the only place that knows that library.
///
/// cpprestsdk works on threads of its own; every result is posted back to the io_context, so callers see one thread.
/// Redirections are not followed: the token is for one host. At most 1 MiB of an answer is taken.
///
/// Owner: the App, with the io_context and `tokens` outliving it. After close() every call ends with `cancelled`.
class CloudClient final : public Cloud {
public:
    /// @param api https, or http to a loopback address (the emulator)
    CloudClient(asio::io_context& io, http::Origin api, TokenCache& tokens);
    /// Waits, a second at most, until the library has let go of the calls that it had.
    ~CloudClient() override;
    CloudClient(const CloudClient&) = delete;
    CloudClient& operator=(const CloudClient&) = delete;

    Awaitable<Result<http::Response>> get(std::string target) override;

    /// Ends calls in flight.
    void close();

private:
    struct Impl;
    Awaitable<Result<Token>> wait_for_token();
    Awaitable<Result<Token>> wait_for_other_token(Token refused);
    Awaitable<Result<http::Response>> call(std::string target, Token token);

    std::shared_ptr<Impl> impl_;
    TokenCache& tokens_;
};

}  // namespace cvp::op
