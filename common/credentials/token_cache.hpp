#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/async/event.hpp"
#include "common/credentials/token.hpp"

namespace cvp {

/// When to fetch the next token: metadata tokens when 225 s remain (the server caches them until then). A token that
/// was handed out with less than that is fetched again at half its rest, but never sooner than 1 s from now.
/// @source golang.org/x/oauth2/google (3 min 45 s)
SystemClock::duration refresh_after(SystemClock::time_point now, SystemClock::time_point expires_at);

/// Keeps a token fresh in the background, so that nobody ever fetches one inline.
///
/// Lifecycle: run() is spawned once and ends after stop() (a fetch in flight must be ended by closing its source).
/// Readers take current(); a failed refresh keeps the last good token until it expires, and the reason is in
/// last_error(). Age is judged by the wall clock, so a stopped process or a paused VM wakes up to an expired token and
/// knows it. One thread.
class TokenCache {
public:
    /// @param name what logs call it, e.g. the connection
    TokenCache(std::string name, TokenSource& source);
    TokenCache(const TokenCache&) = delete;
    TokenCache& operator=(const TokenCache&) = delete;

    /// Fetches, waits, fetches again, with backoff (100 ms doubling to 10 s) on errors, until stop().
    Awaitable<void> run();
    void stop();

    /// The token to log in with now, or nothing while there is none that is still valid.
    std::optional<Token> current() const;
    /// Why there is no fresh token, or nothing.
    const std::optional<Error>& last_error() const { return last_error_; }
    /// Signalled on every change: new token or new error.
    Event& changed() { return changed_; }
    /// Asks for a fresh token soon (a server refused the current one). Collapses with a refresh in flight, and is held
    /// back to one fetch a second.
    void refresh_soon();

    std::uint64_t refreshes() const { return refreshes_; }
    std::uint64_t failures() const { return failures_; }

private:
    void accept(Token token);
    void reject(Error error);
    Awaitable<void> wait_until_due();
    Awaitable<void> pause(SteadyClock::duration duration);

    std::string name_;
    TokenSource& source_;
    std::optional<Token> token_;
    std::optional<Error> last_error_;
    SystemClock::time_point due_;
    Event changed_;
    Event wake_;
    bool stopped_ = false;
    bool refresh_wanted_ = false;
    std::uint64_t refreshes_ = 0;
    std::uint64_t failures_ = 0;
};

}  // namespace cvp
