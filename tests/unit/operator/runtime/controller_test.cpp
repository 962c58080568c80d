#include "operator/runtime/controller.hpp"

#include <deque>
#include <map>
#include <set>
#include <stdexcept>
#include <utility>

#include <gtest/gtest.h>

#include "tests/support/async.hpp"

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using test::run_until;

const ObjectKey kA{"shop", "a"};
const ObjectKey kB{"shop", "b"};

/// Answers as scripted, then done(); while `gate` is shut it waits inside.
class ScriptedReconciler final : public Reconciler {
public:
    Awaitable<Result<ReconcileResult>> reconcile(ReconcileRequest request) override {
        calls.push_back(request);
        ids.insert(request.id);
        const int now_running = ++running[request];
        overlapped = overlapped || now_running > 1;
        while (shut)
            co_await gate.wait();
        --running[request];
        if (std::exchange(throws, false)) throw std::runtime_error("odd object");
        if (answers.empty()) co_return done();
        auto answer = std::move(answers.front());
        answers.pop_front();
        co_return answer;
    }

    std::deque<Result<ReconcileResult>> answers;
    std::vector<ObjectKey> calls;
    std::set<std::string> ids;
    std::map<ObjectKey, int> running;
    bool overlapped = false;
    bool shut = false;
    bool throws = false;
    Event gate;
};

class ControllerTest : public testing::Test {
protected:
    ControllerTest() { controller_.start(tasks_, 2); }

    ~ControllerTest() override {
        controller_.stop();
        EXPECT_TRUE(run_until(io_, [this] { return tasks_.running() == 0; })) << "stop() must end the workers";
    }

    bool called(std::size_t times) {
        return run_until(io_, [&] { return reconciler_.calls.size() >= times; });
    }
    /// Runs what is ready and what becomes ready within `time`.
    void settle(SteadyClock::duration time = 30ms) {
        run_until(
            io_, [] { return false; }, time);
    }

    asio::io_context io_;
    TaskGroup tasks_{io_};
    ScriptedReconciler reconciler_;
    Controller controller_{"test", reconciler_};
};

TEST_F(ControllerTest, reconciles_what_is_added_once) {
    controller_.add(kA);
    controller_.add(kA);
    ASSERT_TRUE(called(1));
    settle();
    EXPECT_EQ(reconciler_.calls, std::vector<ObjectKey>{kA});
    EXPECT_EQ(controller_.counters().success, 1u);
    EXPECT_EQ(controller_.counters().adds, 2u);
}

TEST_F(ControllerTest, works_on_two_keys_at_a_time_but_never_twice_on_one) {
    reconciler_.shut = true;
    controller_.add(kA);
    controller_.add(kB);
    ASSERT_TRUE(called(2));
    controller_.add(kA);
    settle();
    EXPECT_EQ(reconciler_.calls.size(), 2u);
    reconciler_.shut = false;
    reconciler_.gate.notify_all();
    ASSERT_TRUE(called(3));
    settle();
    EXPECT_FALSE(reconciler_.overlapped);
    EXPECT_EQ(reconciler_.calls.size(), 3u);
}

TEST_F(ControllerTest, tries_again_after_an_error_that_may_pass) {
    reconciler_.answers = {fail(ErrorCode::unavailable, "x"), fail(ErrorCode::conflict, "y")};
    controller_.add(kA);
    ASSERT_TRUE(called(3));
    settle();
    EXPECT_EQ(reconciler_.calls.size(), 3u);
    EXPECT_EQ(controller_.counters().error, 2u);
    EXPECT_EQ(controller_.counters().retries, 2u);
    EXPECT_EQ(controller_.counters().success, 1u);
}

TEST_F(ControllerTest, waits_for_a_change_after_an_error_that_will_not_pass) {
    reconciler_.answers = {fail(ErrorCode::invalid_argument, "x")};
    controller_.add(kA);
    settle();
    EXPECT_EQ(reconciler_.calls.size(), 1u);
    EXPECT_EQ(controller_.counters().terminal_error, 1u);
    controller_.add(kA);
    settle();
    EXPECT_EQ(reconciler_.calls.size(), 2u);
}

TEST_F(ControllerTest, tries_again_when_a_right_is_missing) {
    reconciler_.answers = {fail(ErrorCode::permission_denied, "x")};
    controller_.add(kA);
    EXPECT_TRUE(called(2)) << "somebody may grant it, and nothing tells us";
}

TEST_F(ControllerTest, survives_an_exception_and_tries_again) {
    reconciler_.throws = true;
    controller_.add(kA);
    ASSERT_TRUE(called(2));
    settle();
    EXPECT_EQ(controller_.counters().panic, 1u);
    EXPECT_EQ(controller_.counters().error, 1u);
    EXPECT_EQ(controller_.counters().success, 1u);
}

TEST_F(ControllerTest, gives_each_pass_an_id_of_its_own) {
    for (const auto& key : {kA, kB}) {
        controller_.add(key);
        settle();
    }
    controller_.add(kA);
    ASSERT_TRUE(called(3));
    EXPECT_EQ(reconciler_.ids.size(), 3u);
    EXPECT_FALSE(reconciler_.ids.contains(""));
}

TEST_F(ControllerTest, measures_waiting_and_working) {
    reconciler_.shut = true;
    controller_.add(kA);
    ASSERT_TRUE(called(1));
    EXPECT_EQ(controller_.under_way(SteadyClock::now() + 1h).size(), 1u);
    EXPECT_GE(controller_.under_way(SteadyClock::now() + 1h).front(), 1h);
    EXPECT_EQ(controller_.counters().queue_seconds.count(), 1u);
    EXPECT_EQ(controller_.counters().reconcile_seconds.count(), 0u);
    reconciler_.shut = false;
    reconciler_.gate.notify_all();
    settle();
    EXPECT_EQ(controller_.counters().reconcile_seconds.count(), 1u);
    EXPECT_TRUE(controller_.under_way(SteadyClock::now()).empty());
}

TEST_F(ControllerTest, looks_again_when_it_was_asked_to) {
    reconciler_.answers = {requeue_after(20ms)};
    const auto before = SteadyClock::now();
    controller_.add(kA);
    ASSERT_TRUE(called(2));
    EXPECT_GE(SteadyClock::now() - before, 20ms);
    EXPECT_EQ(controller_.counters().requeue_after, 1u);
}

TEST_F(ControllerTest, lets_a_change_come_before_a_later_look) {
    reconciler_.answers = {requeue_after(1h)};
    controller_.add(kA);
    ASSERT_TRUE(called(1));
    settle();
    controller_.add(kA);
    ASSERT_TRUE(called(2));
}

}  // namespace
}  // namespace cvp::op
