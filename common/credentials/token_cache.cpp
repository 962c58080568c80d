#include "common/credentials/token_cache.hpp"

#include <algorithm>
#include <utility>

#include "common/backoff.hpp"
#include "common/log/log.hpp"

namespace cvp {
namespace {

using namespace std::chrono_literals;

constexpr auto kRefreshMargin = 225s;
constexpr auto kFetchGap = 1s;
/// The steady clock stands still while a VM is paused, so the wall clock is looked at this often.
constexpr SystemClock::duration kLongestNap = 30s;

}  // namespace

SystemClock::duration refresh_after(SystemClock::time_point now, SystemClock::time_point expires_at) {
    const auto rest = expires_at - now;
    const auto delay = rest > kRefreshMargin ? rest - kRefreshMargin : rest / 2;
    return std::max<SystemClock::duration>(delay, kFetchGap);
}

TokenCache::TokenCache(std::string name, TokenSource& source) : name_(std::move(name)), source_(source) {}

Awaitable<void> TokenCache::run() {
    Backoff backoff(100ms, 10s);
    while (!stopped_) {
        refresh_wanted_ = false;
        auto fetched = co_await source_.fetch();
        if (stopped_) break;
        if (fetched) {
            accept(std::move(*fetched));
            backoff.reset();
            co_await pause(kFetchGap);
            co_await wait_until_due();
        } else {
            reject(std::move(fetched).error());
            co_await pause(backoff.next());
        }
    }
}

void TokenCache::stop() {
    stopped_ = true;
    wake_.notify_all();
    changed_.notify_all();
}

std::optional<Token> TokenCache::current() const {
    if (!token_ || token_->expires_at <= SystemClock::now()) return std::nullopt;
    return token_;
}

void TokenCache::refresh_soon() {
    refresh_wanted_ = true;
    wake_.notify_all();
}

void TokenCache::accept(Token token) {
    const auto now = SystemClock::now();
    due_ = now + refresh_after(now, token.expires_at);
    ++refreshes_;
    if (last_error_) log::info("tokens are fetched again", {{"token", name_}});
    last_error_.reset();
    token_ = std::move(token);
    changed_.notify_all();
}

void TokenCache::reject(Error error) {
    ++failures_;
    if (last_error_ != error) {
        log::warn("cannot fetch a token", {{"token", name_}, {"error", to_string(error)}});
    }
    last_error_ = std::move(error);
    changed_.notify_all();
}

Awaitable<void> TokenCache::wait_until_due() {
    while (!stopped_ && !refresh_wanted_) {
        const auto rest = due_ - SystemClock::now();
        if (rest <= SystemClock::duration::zero()) co_return;
        co_await wake_.wait_until(SteadyClock::now() + std::min(rest, kLongestNap));
    }
}

/// Waits the whole duration unless stopped: a caller that asks for a token meanwhile gets it afterwards.
Awaitable<void> TokenCache::pause(SteadyClock::duration duration) {
    const auto end = SteadyClock::now() + duration;
    while (!stopped_ && SteadyClock::now() < end)
        co_await wake_.wait_until(end);
}

}  // namespace cvp
