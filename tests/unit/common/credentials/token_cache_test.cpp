#include "common/credentials/token_cache.hpp"

#include <deque>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

namespace cvp {
namespace {

using namespace std::chrono_literals;

TEST(RefreshAfter, leaves_a_metadata_token_alone_until_225_s_remain) {
    const auto now = SystemClock::now();
    EXPECT_EQ(refresh_after(now, now + 3600s), 3375s);
    EXPECT_EQ(refresh_after(now, now + 240s), 15s);
}

TEST(RefreshAfter, halves_the_rest_of_a_token_handed_out_late) {
    const auto now = SystemClock::now();
    EXPECT_EQ(refresh_after(now, now + 225s), 112500ms);
    EXPECT_EQ(refresh_after(now, now + 10s), 5s);
}

TEST(RefreshAfter, never_spins) {
    const auto now = SystemClock::now();
    EXPECT_EQ(refresh_after(now, now + 1s), 1s);
    EXPECT_EQ(refresh_after(now, now - 5s), 1s);
}

/// Hands out what the test queued; the last one again and again.
class ScriptedSource final : public TokenSource {
public:
    explicit ScriptedSource(std::deque<Result<Token>> answers) : answers_(std::move(answers)) {}

    Awaitable<Result<Token>> fetch() override {
        calls.push_back(SteadyClock::now());
        auto answer = answers_.front();
        if (answers_.size() > 1) answers_.pop_front();
        co_return answer;
    }

    std::vector<SteadyClock::time_point> calls;

private:
    std::deque<Result<Token>> answers_;
};

Token token(const std::string& value, SystemClock::duration lifetime) {
    return Token{Secret(value), SystemClock::now() + lifetime};
}

/// Runs the cache until `until()` holds after one of its changes, or 5 s have gone.
template <class Condition>
void run_until(asio::io_context& io, TokenCache& cache, Condition until) {
    asio::co_spawn(io, cache.run(), asio::detached);
    const auto deadline = SteadyClock::now() + 5s;
    while (!until() && SteadyClock::now() < deadline)
        io.run_one_until(deadline);
    EXPECT_TRUE(until());
    cache.stop();
    io.run();
}

TEST(TokenCache, has_nothing_before_the_first_fetch_and_the_token_after_it) {
    asio::io_context io;
    ScriptedSource source({token("t1", 1h)});
    TokenCache cache("sessions", source);
    EXPECT_FALSE(cache.current());
    run_until(io, cache, [&] { return cache.refreshes() == 1; });
    EXPECT_EQ(cache.current()->value, Secret("t1"));
    EXPECT_FALSE(cache.last_error());
    EXPECT_EQ(source.calls.size(), 1u);
}

TEST(TokenCache, retries_with_a_doubling_delay_and_says_why_there_is_none) {
    asio::io_context io;
    const Error down{ErrorCode::unavailable, "refused"};
    ScriptedSource source({fail(down), fail(down), fail(down), token("t1", 1h)});
    TokenCache cache("sessions", source);
    std::optional<Error> seen;
    run_until(io, cache, [&] {
        if (cache.last_error()) seen = cache.last_error();
        return cache.refreshes() == 1;
    });
    EXPECT_EQ(seen, down);
    EXPECT_FALSE(cache.last_error());
    EXPECT_EQ(cache.failures(), 3u);
    ASSERT_EQ(source.calls.size(), 4u);
    EXPECT_GE(source.calls[1] - source.calls[0], 100ms);
    EXPECT_GE(source.calls[2] - source.calls[1], 200ms);
    EXPECT_GE(source.calls[3] - source.calls[2], 400ms);
}

TEST(TokenCache, never_hands_out_an_expired_token) {
    asio::io_context io;
    ScriptedSource source({token("old", -1s)});
    TokenCache cache("sessions", source);
    run_until(io, cache, [&] { return cache.refreshes() == 1; });
    EXPECT_FALSE(cache.current());
}

TEST(TokenCache, keeps_the_last_good_token_while_the_source_fails) {
    asio::io_context io;
    ScriptedSource source({token("t1", 1h), fail(ErrorCode::unavailable, "refused")});
    TokenCache cache("sessions", source);
    bool asked = false;
    run_until(io, cache, [&] {
        if (!std::exchange(asked, cache.refreshes() == 1) && cache.refreshes() == 1) cache.refresh_soon();
        return cache.failures() == 1;
    });
    EXPECT_EQ(cache.current()->value, Secret("t1"));
    EXPECT_EQ(cache.last_error()->context, "refused");
}

TEST(TokenCache, fetches_again_when_asked_but_not_more_than_once_a_second) {
    asio::io_context io;
    ScriptedSource source({token("t1", 1h), token("t2", 1h)});
    TokenCache cache("sessions", source);
    bool asked = false;
    run_until(io, cache, [&] {
        if (!std::exchange(asked, cache.refreshes() == 1) && cache.refreshes() == 1) cache.refresh_soon();
        return cache.refreshes() == 2;
    });
    EXPECT_EQ(cache.current()->value, Secret("t2"));
    EXPECT_GE(source.calls[1] - source.calls[0], 1s);
}

}  // namespace
}  // namespace cvp
