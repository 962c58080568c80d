#include "operator/runtime/event_recorder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/async/task_group.hpp"
#include "tests/support/async.hpp"
#include "tests/support/fake_kube_api.hpp"

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

const EventSubject kSubject{"cloudvalkey.dev/v1alpha1", "ValkeyConnection", "shop", "sessions", "u-1"};
const EventText kText{true, "PermissionDenied", "Resolve", "grant roles/memorystore.viewer"};
const SystemClock::time_point kNow{1'795'176'000s};

TEST(BuildEvent, has_every_field_that_the_api_wants) {
    EXPECT_EQ(build_event(kSubject, kText, "sessions.1", "operator-0", kNow), json::parse(R"({
        "apiVersion": "events.k8s.io/v1", "kind": "Event",
        "metadata": {"name": "sessions.1", "namespace": "shop"},
        "eventTime": "2026-11-20T12:00:00.000000Z",
        "reportingController": "cloud-valkey-operator", "reportingInstance": "operator-0",
        "action": "Resolve", "reason": "PermissionDenied", "type": "Warning",
        "note": "grant roles/memorystore.viewer",
        "regarding": {"apiVersion": "cloudvalkey.dev/v1alpha1", "kind": "ValkeyConnection", "namespace": "shop",
                      "name": "sessions", "uid": "u-1"}})"));
}

TEST(BuildEvent, a_long_note_is_cut_between_characters) {
    auto text = kText;
    text.is_warning = false;
    text.note = std::string(1020, 'a') + "äöü";
    const auto event = build_event(kSubject, text, "n", "i", kNow);
    EXPECT_EQ(event["note"], std::string(1020, 'a') + "…");
    EXPECT_EQ(event["type"], "Normal");
    text.note = std::string(1024, 'a');
    EXPECT_EQ(build_event(kSubject, text, "n", "i", kNow)["note"], text.note);
}

class EventRecorderTest : public testing::Test {
protected:
    EventRecorderTest() { tasks.spawn("events", recorder.run()); }
    ~EventRecorderTest() override {
        recorder.stop();
        EXPECT_TRUE(cvp::test::run(io, tasks.join(SteadyClock::now() + 5s)));
    }

    bool settled() {
        return cvp::test::run_until(io, [&] {
            const auto& c = recorder.counters();
            return c.written + c.dropped + c.failed == recorded;
        });
    }
    void record(const EventText& text) {
        ++recorded;
        recorder.record(kSubject, text);
    }

    asio::io_context io{1};
    cvp::test::FakeKubeApi api;
    EventRecorder recorder{api, "operator-0", [] { return kNow; }};
    TaskGroup tasks{io};
    std::uint64_t recorded = 0;
};

TEST_F(EventRecorderTest, the_first_is_created_and_the_next_counted) {
    record(kText);
    record(kText);
    ASSERT_TRUE(settled());
    ASSERT_EQ(api.calls().size(), 2u);
    EXPECT_EQ(api.calls()[0].verb, "create");
    EXPECT_EQ(api.calls()[0].path.target(), "/apis/events.k8s.io/v1/namespaces/shop/events");
    const auto name = api.calls()[0].body["metadata"]["name"].get<std::string>();
    EXPECT_TRUE(name.starts_with("sessions.")) << name;
    EXPECT_EQ(api.calls()[1].verb, "patch");
    EXPECT_EQ(api.calls()[1].path.name, name);
    EXPECT_EQ(api.calls()[1].body,
              json::parse(R"({"series": {"count": 2, "lastObservedTime": "2026-11-20T12:00:00.000000Z"}})"));
    EXPECT_EQ(recorder.counters().written, 2u);
}

TEST_F(EventRecorderTest, one_that_is_gone_is_created_anew) {
    record(kText);
    ASSERT_TRUE(settled());
    api.fail_next("patch", ErrorCode::not_found);
    record(kText);
    ASSERT_TRUE(settled());
    EXPECT_EQ(api.count("create"), 2u);
    record(kText);
    ASSERT_TRUE(settled());
    EXPECT_EQ(api.calls().back().path.name, api.calls()[2].body["metadata"]["name"]) << "counted in the new one";
}

TEST_F(EventRecorderTest, a_failure_ends_nothing) {
    api.fail_next("create", ErrorCode::permission_denied);
    record(kText);
    ASSERT_TRUE(settled());
    EXPECT_EQ(recorder.counters().failed, 1u);
    record(kText);
    ASSERT_TRUE(settled());
    EXPECT_EQ(recorder.counters().written, 1u);
}

TEST_F(EventRecorderTest, names_are_unique_though_the_clock_stands) {
    record(kText);
    record({false, "Resolved", "Resolve", "found"});
    ASSERT_TRUE(settled());
    EXPECT_EQ(recorder.counters().written, 2u);
    EXPECT_NE(api.calls()[0].body["metadata"]["name"], api.calls()[1].body["metadata"]["name"]);
}

TEST_F(EventRecorderTest, what_waits_is_bounded) {
    for (int i = 0; i < 1100; ++i)
        record(kText);
    EXPECT_EQ(recorder.counters().dropped, 100u);
    ASSERT_TRUE(settled());
    EXPECT_EQ(recorder.counters().written, 25u);
}

}  // namespace
}  // namespace cvp::op
