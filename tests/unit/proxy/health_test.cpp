#include "proxy/health.hpp"

#include <gtest/gtest.h>

#include "tests/unit/proxy/sample_view.hpp"

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;

TEST(Startup, is_over_with_the_first_login_or_after_ten_seconds) {
    auto view = sample_view();
    EXPECT_EQ(judge_startup(view), Verdict{});
    primary(view).last_success.reset();
    primary(view).last_error = make_local_error(Cause::no_token, "being fetched");
    EXPECT_EQ(judge_startup(view), (Verdict{false, "sessions: NoToken: being fetched"}));
    view.started = view.now - 10s;
    EXPECT_EQ(judge_startup(view), Verdict{});
}

TEST(Startup, does_not_wait_for_a_cluster_which_is_never_dialled) {
    auto view = sample_view();
    primary(view).last_success.reset();
    view.connections[0].document->topology = Topology::cluster;
    EXPECT_TRUE(judge_startup(view).ok);
    EXPECT_EQ(judge_ready(view), (Verdict{false, "sessions: ClusterModeNotSupported"}));
}

TEST(Live, means_that_the_loop_turns) {
    auto view = sample_view();
    view.last_turn = view.now - 5s;
    EXPECT_TRUE(judge_live(view).ok);
    view.last_turn = view.now - 7s;
    EXPECT_EQ(judge_live(view), (Verdict{false, "the data path's loop has not turned for 7 s"}));
}

TEST(Ready, needs_a_proof_of_the_last_minute_for_every_connection) {
    auto view = sample_view();
    EXPECT_EQ(judge_ready(view), Verdict{});
    primary(view).last_success = view.now - 59s;
    EXPECT_TRUE(judge_ready(view).ok);
    primary(view).last_success = view.now - 60s;
    EXPECT_EQ(judge_ready(view), (Verdict{false, "sessions: not reached yet"}));

    view.connections.push_back(view.connections[0]);
    view.connections[1].name = "orders";
    view.connections[1].document.reset();
    EXPECT_EQ(judge_ready(view), (Verdict{false, "sessions: not reached yet; orders: NotResolved"}));
}

TEST(Ready, a_spare_connection_is_a_proof_that_does_not_age) {
    auto view = sample_view();
    primary(view).last_success = view.now - 5min;
    primary(view).spares = 1;
    EXPECT_TRUE(judge_ready(view).ok);
    primary(view).spares = 0;
    EXPECT_FALSE(judge_ready(view).ok);
}

TEST(Ready, ends_when_draining_begins) {
    auto view = sample_view();
    view.draining = true;
    EXPECT_EQ(judge_ready(view), (Verdict{false, "draining"}));
}

}  // namespace
}  // namespace cvp::proxy
