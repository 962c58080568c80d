#pragma once

#include <optional>
#include <string>

#include "common/credentials/token_cache.hpp"
#include "proxy/upstream/target.hpp"

namespace cvp::proxy {

/// Logs in with the token that a background task keeps fresh.
///
/// Owner: shared by the targets of a connection; the cache must outlive it. Main loop.
class TokenLogin final : public LoginSource {
public:
    explicit TokenLogin(TokenCache& cache) : cache_(cache) {}

    std::optional<Secret> password() override;
    LocalError why_not() override;
    void refused() override { cache_.refresh_soon(); }

private:
    TokenCache& cache_;
};

/// Logs in with a password from a file; a changed file makes a new PasswordLogin.
class PasswordLogin final : public LoginSource {
public:
    /// @param remedy what to say while there is none
    PasswordLogin(std::optional<Secret> password, std::string remedy)
        : password_(std::move(password)), remedy_(std::move(remedy)) {}

    std::optional<Secret> password() override { return password_; }
    LocalError why_not() override { return make_local_error(Cause::no_token, remedy_); }
    void refused() override {}

private:
    std::optional<Secret> password_;
    std::string remedy_;
};

}  // namespace cvp::proxy
