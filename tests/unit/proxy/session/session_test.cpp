#include "proxy/session/session.hpp"

#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;
using State = Session::State;

const SteadyClock::time_point kStart{1h};
constexpr auto kHold = 1500ms;

const LocalError kRefused = make_local_error(Cause::upstream_unreachable, "connection refused");
const LocalError kWrongPeer = make_local_error(Cause::tls_identity, "somebody else's certificate");

/// A session whose client has just spoken and whose first dial is under way.
Session held() {
    Session session(kStart);
    EXPECT_EQ(session.on_first_bytes(kStart, kHold), Do::dial);
    return session;
}

Session relaying() {
    auto session = held();
    EXPECT_EQ(session.on_dialled(kStart + 5ms), Do::send_held);
    return session;
}

TEST(Session, dials_nothing_for_a_client_that_says_nothing) {
    Session session(kStart);
    EXPECT_EQ(session.state(), State::silent);
    EXPECT_EQ(session.deadline(), std::nullopt);
    EXPECT_EQ(session.on_client_eof(kStart + 1h), Do::close);
}

TEST(Session, holds_the_first_bytes_while_it_dials_and_then_sends_them) {
    auto session = held();
    EXPECT_EQ(session.state(), State::holding);
    EXPECT_EQ(session.deadline(), kStart + kHold);
    EXPECT_FALSE(session.wants_upstream(0));
    EXPECT_EQ(session.on_dialled(kStart + 5ms), Do::send_held);
    EXPECT_EQ(session.state(), State::relaying);
    EXPECT_EQ(session.deadline(), std::nullopt);
    EXPECT_TRUE(session.wants_upstream(0));
}

TEST(Session, dials_again_after_50_100_200_and_then_every_250_ms) {
    auto session = held();
    auto now = kStart;
    for (const auto spacing : {50ms, 100ms, 200ms, 250ms, 250ms}) {
        EXPECT_EQ(session.on_dial_failed(now, kRefused), Do::nothing);
        EXPECT_EQ(session.deadline(), now + spacing);
        EXPECT_EQ(session.on_time(now + spacing - 1ms, 0), Do::nothing);
        now += spacing;
        EXPECT_EQ(session.on_time(now, 0), Do::dial);
    }
    EXPECT_EQ(session.on_dialled(now), Do::send_held);
}

TEST(Session, answers_when_the_hold_is_over_and_says_that_it_was_in_vain) {
    auto session = held();
    EXPECT_EQ(session.on_dial_failed(kStart + kHold - 10ms, kRefused), Do::nothing);
    EXPECT_EQ(session.deadline(), kStart + kHold);
    EXPECT_EQ(session.on_time(kStart + kHold, 0), Do::report_vain_hold | Do::answer | Do::finish_client);
    EXPECT_EQ(session.state(), State::ending);
    EXPECT_EQ(session.error(), kRefused);
}

TEST(Session, a_dial_that_hangs_is_dropped_when_the_hold_is_over) {
    auto session = held();
    EXPECT_EQ(session.on_time(kStart + kHold, 0),
              Do::report_vain_hold | Do::drop_upstream | Do::answer | Do::finish_client);
    EXPECT_EQ(session.error().cause, Cause::upstream_unreachable);
    EXPECT_TRUE(session.error().transient);
}

TEST(Session, does_not_wait_for_what_time_will_not_heal) {
    auto session = held();
    EXPECT_EQ(session.on_dial_failed(kStart + 5ms, kWrongPeer), Do::report_vain_hold | Do::answer | Do::finish_client);
    EXPECT_EQ(session.error(), kWrongPeer);
}

TEST(Session, waits_for_a_fresh_token_although_the_login_was_refused) {
    auto session = held();
    EXPECT_EQ(session.on_dial_failed(kStart + 5ms, make_local_error(Cause::login_refused, "")), Do::nothing);
    EXPECT_EQ(session.on_time(kStart + 55ms, 0), Do::dial);
    EXPECT_EQ(session.on_dialled(kStart + 60ms), Do::send_held);
}

TEST(Session, holds_64_KiB_and_no_more) {
    auto session = held();
    EXPECT_EQ(session.client_window(0), 64u * 1024);
    EXPECT_EQ(session.client_window(64 * 1024 - 1), 1u);
    EXPECT_EQ(session.client_window(64 * 1024), 0u);
}

TEST(Session, drops_the_bytes_of_a_client_that_resets_while_held) {
    auto session = held();
    EXPECT_EQ(session.on_client_broken(), Do::close);
    EXPECT_EQ(session.state(), State::over);
}

TEST(Session, serves_a_client_that_half_closes_while_the_first_dial_runs) {
    auto session = held();
    EXPECT_EQ(session.on_client_eof(kStart + 1ms), Do::nothing);
    EXPECT_EQ(session.on_dialled(kStart + 8ms), Do::send_held);
    EXPECT_EQ(session.deadline(), kStart + 8ms + 1s);
}

TEST(Session, does_not_dial_again_for_a_client_that_half_closed) {
    auto session = held();
    EXPECT_EQ(session.on_client_eof(kStart + 1ms), Do::nothing);
    EXPECT_EQ(session.on_dial_failed(kStart + 2ms, kRefused), Do::answer | Do::finish_client);

    auto slow = held();
    EXPECT_EQ(slow.on_client_eof(kStart + 1ms), Do::nothing);
    EXPECT_EQ(slow.deadline(), kStart + 250ms);
    EXPECT_EQ(slow.on_time(kStart + 250ms, 0), Do::drop_upstream | Do::answer | Do::finish_client);
}

TEST(Session, drops_the_bytes_of_a_client_that_leaves_after_a_failed_dial_or_late) {
    auto failed = held();
    EXPECT_EQ(failed.on_dial_failed(kStart + 2ms, kRefused), Do::nothing);
    EXPECT_EQ(failed.on_client_eof(kStart + 3ms), Do::close);

    auto late = held();
    EXPECT_EQ(late.on_client_eof(kStart + 500ms), Do::close);
}

TEST(Session, answers_at_once_where_the_destination_says_so) {
    Session session(kStart);
    EXPECT_EQ(session.refuse(kWrongPeer), Do::answer | Do::finish_client);
    EXPECT_EQ(session.error(), kWrongPeer);
    EXPECT_GT(session.client_window(0), 0u) << "what it still sends is read, or our words would be lost in a reset";
}

TEST(Session, after_an_answer_it_reads_on_for_a_second_or_until_the_client_ends) {
    Session session(kStart);
    session.refuse(kWrongPeer);
    EXPECT_EQ(session.on_client_sent(kStart, 0, true), Do::nothing);
    EXPECT_EQ(session.on_time(kStart + 999ms, 0), Do::nothing);
    EXPECT_EQ(session.on_time(kStart + 1s, 0), Do::close);

    Session other(kStart);
    other.refuse(kWrongPeer);
    EXPECT_EQ(other.on_client_sent(kStart, 0, true), Do::nothing);
    EXPECT_EQ(other.on_client_eof(kStart + 1ms), Do::nothing);
    EXPECT_EQ(other.on_client_sent(kStart + 1ms, 0, true), Do::close);
}

TEST(Session, each_direction_stops_at_256_KiB_of_its_own) {
    const auto session = relaying();
    EXPECT_GT(session.client_window(256 * 1024 - 1), 0u);
    EXPECT_EQ(session.client_window(256 * 1024), 0u);
    EXPECT_TRUE(session.wants_upstream(256 * 1024 - 1));
    EXPECT_FALSE(session.wants_upstream(256 * 1024));
}

TEST(Session,
     tells_a_server_at_once_of_a_half_close_that_it_could_act_on_and_gives_the_server_a_second_from_its_last_byte) {
    auto session = relaying();
    EXPECT_EQ(session.on_client_eof(kStart + 1s), Do::finish_upstream);
    EXPECT_EQ(session.client_window(0), 0u);
    EXPECT_EQ(session.deadline(), kStart + 2s);
    session.on_upstream_bytes(kStart + 1500ms);
    EXPECT_EQ(session.on_time(kStart + 2s, 0), Do::nothing);
    EXPECT_EQ(session.on_time(kStart + 2500ms, 0), Do::drop_upstream | Do::finish_client);
    EXPECT_EQ(session.on_client_sent(kStart + 2500ms, 0, true), Do::close);
}

TEST(Session, waits_for_owed_replies_of_a_client_that_half_closed_and_then_ends) {
    auto session = relaying();
    EXPECT_EQ(session.on_client_eof(kStart, Session::ClientEnd::owed), Do::nothing);
    EXPECT_EQ(session.deadline(), kStart + 1s);
    EXPECT_EQ(session.on_idle(), Do::drop_upstream | Do::finish_client);
    EXPECT_EQ(session.on_client_sent(kStart, 0, true), Do::close);
}

TEST(Session, ends_with_a_client_to_whom_nothing_is_owed) {
    auto session = relaying();
    EXPECT_EQ(session.on_client_eof(kStart, Session::ClientEnd::nothing), Do::drop_upstream | Do::finish_client);
}

TEST(Session, holds_the_client_again_when_its_server_ended_and_its_state_can_be_repeated) {
    auto session = relaying();
    EXPECT_EQ(session.on_upstream_end(kStart + 1s, kHold), Do::drop_upstream | Do::dial);
    EXPECT_EQ(session.state(), State::holding);
    EXPECT_TRUE(session.is_resuming());
    EXPECT_EQ(session.deadline(), kStart + 1s + kHold);
    EXPECT_EQ(session.on_dial_failed(kStart + 1s, kRefused), Do::nothing);
    EXPECT_EQ(session.on_time(kStart + 1050ms, 0), Do::dial);
    EXPECT_EQ(session.on_dialled(kStart + 1100ms), Do::send_held);
    EXPECT_FALSE(session.is_resuming());
}

TEST(Session, a_client_that_had_replies_sees_the_end_and_no_error_when_nothing_could_be_repeated) {
    auto session = relaying();
    session.on_upstream_end(kStart, kHold);
    session.on_dial_failed(kStart, kRefused);
    EXPECT_EQ(session.on_time(kStart + kHold, 0), Do::report_vain_hold | Do::drop_upstream | Do::finish_client);
    EXPECT_EQ(session.state(), State::ending);
}

TEST(Session, a_client_that_leaves_while_it_is_held_again_is_closed) {
    auto session = relaying();
    session.on_upstream_end(kStart, kHold);
    EXPECT_EQ(session.on_client_eof(kStart + 1ms), Do::close);
}

TEST(Session, a_slow_reader_that_half_closed_is_not_cut) {
    auto session = relaying();
    session.on_client_eof(kStart);
    EXPECT_EQ(session.on_time(kStart + 1s, 100'000), Do::nothing);
    EXPECT_EQ(session.deadline(), kStart + 2s);
}

TEST(Session, delivers_the_last_bytes_of_a_server_that_ended_before_the_fin) {
    auto session = relaying();
    EXPECT_EQ(session.on_upstream_end(kStart, 0ms), Do::drop_upstream | Do::finish_client);
    EXPECT_EQ(session.on_client_sent(kStart, 70'000, false), Do::nothing);
    EXPECT_EQ(session.on_time(kStart + 59s, 70'000), Do::nothing) << "a reader may stall";
    EXPECT_EQ(session.on_client_sent(kStart + 59s, 10, false), Do::nothing);
    EXPECT_EQ(session.on_time(kStart + 118s, 10), Do::nothing);
    EXPECT_EQ(session.on_client_sent(kStart + 118s, 0, true), Do::nothing);
    EXPECT_EQ(session.on_time(kStart + 119s, 0), Do::close);
}

TEST(Session, gives_up_a_reader_that_takes_nothing_of_the_last_bytes_for_a_minute) {
    auto session = relaying();
    session.on_upstream_end(kStart, 0ms);
    session.on_client_sent(kStart, 70'000, false);
    EXPECT_EQ(session.on_time(kStart + 60s, 70'000), Do::close);
}

TEST(Session, never_invents_an_error_once_it_relayed) {
    auto session = relaying();
    EXPECT_FALSE(session.on_upstream_end(kStart, 0ms) & Do::answer);
    auto reset = relaying();
    EXPECT_EQ(reset.on_client_broken(), Do::close);
}

}  // namespace
}  // namespace cvp::proxy
