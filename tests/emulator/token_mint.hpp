#pragma once

#include <chrono>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/async/asio.hpp"
#include "common/secret.hpp"

namespace cvp::emulator {

/// An access token that this emulator gave out.
struct MintedToken {
    Secret value;
    SystemClock::time_point issued_at;
    SystemClock::time_point expires_at;
    std::vector<std::string> scopes;  ///< OAuth scope URLs

    bool is_live(SystemClock::time_point now) const { return now < expires_at; }
};

/// Mints access tokens and knows which are still good: for the REST API's bearers and for the logins of its Valkeys.
///
/// As the metadata servers do, it hands out the same token again while a good part of its life is left. Every mint
/// starts from the system's randomness: a token in a log is found by a search for its text.
class TokenMint {
public:
    explicit TokenMint(SystemClock::duration lifetime = std::chrono::hours(1)) : lifetime_(lifetime) {}

    /// A new token of the usual or of the given lifetime.
    const MintedToken& mint(SystemClock::time_point now, std::vector<std::string> scopes,
                            std::optional<SystemClock::duration> lifetime = std::nullopt);

    /// The newest minted token with these scopes, if more than 4 minutes and more than a quarter of its life are left;
    /// else a new one. (4 minutes: the shortest cache of a metadata server.)
    const MintedToken& current(SystemClock::time_point now, const std::vector<std::string>& scopes);

    /// The token of that text, live or not; nullptr if it was never minted.
    const MintedToken* find(std::string_view value) const;

    /// Ends the life of every token at `now`.
    void expire_all(SystemClock::time_point now);

    /// When the next live token expires.
    std::optional<SystemClock::time_point> next_expiry(SystemClock::time_point now) const;

    std::vector<Secret> live(SystemClock::time_point now) const;
    const std::list<MintedToken>& all() const { return tokens_; }

    SystemClock::duration lifetime() const { return lifetime_; }
    void set_lifetime(SystemClock::duration lifetime) { lifetime_ = lifetime; }

private:
    SystemClock::duration lifetime_;
    std::list<MintedToken> tokens_;  ///< oldest first
};

}  // namespace cvp::emulator
