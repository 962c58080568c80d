#include "operator/runtime/watch_fsm.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;
using List = WatchFsm::List;
using Watch = WatchFsm::Watch;
using Sleep = WatchFsm::Sleep;

KubeError failure(ErrorCode code, std::optional<std::chrono::seconds> retry_after = std::nullopt) {
    KubeError error;
    error.error = {code, "scripted"};
    error.retry_after = retry_after;
    return error;
}

WatchFsm make_streaming_fsm(std::uint32_t seed = 1) {
    WatchFsm::Selection selection{"app=x", "metadata.name=y"};
    return WatchFsm(std::move(selection), seed);
}

/// One whose server knows no WatchList.
WatchFsm make_fsm(std::uint32_t seed = 1) {
    auto fsm = make_streaming_fsm(seed);
    EXPECT_TRUE(std::holds_alternative<Watch>(fsm.next()));
    fsm.on_failure(failure(ErrorCode::invalid_argument), {});
    return fsm;
}

/// Reports a whole page.
std::vector<WatchDelta> give_page(WatchFsm& fsm, const std::string& version, const std::vector<std::string>& names,
                                  const std::string& next = {}) {
    auto deltas = fsm.on_list_opened();
    const auto add = [&](std::vector<WatchDelta> more) {
        for (auto& delta : more)
            deltas.push_back(std::move(delta));
    };
    for (const auto& name : names)
        add(fsm.on_item({{"metadata", {{"name", name}}}}));
    add(fsm.on_list_end({version, next}));
    return deltas;
}

Json event(const std::string& type, const std::string& version, const std::string& name = "a") {
    return {{"type", type}, {"object", {{"metadata", {{"name", name}, {"resourceVersion", version}}}}}};
}

Json error_event(int code, const std::string& reason) {
    return {{"type", "ERROR"}, {"object", {{"kind", "Status"}, {"code", code}, {"reason", reason}}}};
}

std::string kinds(const std::vector<WatchDelta>& deltas) {
    std::string text;
    for (const auto& delta : deltas) {
        switch (delta.kind) {
            case WatchDelta::Kind::list_started:
                text += "start ";
                break;
            case WatchDelta::Kind::listed:
                text += "listed:";
                break;
            case WatchDelta::Kind::list_complete:
                text += "complete ";
                break;
            case WatchDelta::Kind::applied:
                text += "applied:";
                break;
            case WatchDelta::Kind::deleted:
                text += "deleted:";
                break;
        }
        if (delta.object) text += delta.object->at("metadata").at("name").get<std::string>() + " ";
    }
    return text;
}

template <class T>
T expect(WatchFsm& fsm) {
    auto action = fsm.next();
    EXPECT_TRUE(std::holds_alternative<T>(action)) << "got alternative " << action.index();
    return std::holds_alternative<T>(action) ? std::get<T>(action) : T{};
}

class WatchFsmTest : public testing::Test {
protected:
    /// As far as an open watch after resource version 10.
    void open_watch() {
        expect<List>(fsm);
        give_page(fsm, "10", {});
        expect<Watch>(fsm);
        fsm.on_opened(now);
    }

    WatchFsm fsm = make_fsm();
    WatchFsm::TimePoint now{1000s};
};

TEST_F(WatchFsmTest, lists_the_selection_from_storage_in_pages_then_watches_from_there) {
    auto list = expect<List>(fsm);
    EXPECT_EQ(list.options.label_selector, "app=x");
    EXPECT_EQ(list.options.field_selector, "metadata.name=y");
    EXPECT_EQ(list.options.resource_version, "") << "with limit, another version would mean: exactly that old state";
    EXPECT_EQ(list.options.limit, 500);
    EXPECT_EQ(list.options.continue_token, "");

    EXPECT_EQ(kinds(give_page(fsm, "10", {"a", "b"}, "more")), "start listed:a listed:b ");
    EXPECT_EQ(expect<List>(fsm).options.continue_token, "more");
    EXPECT_EQ(kinds(give_page(fsm, "10", {"c"})), "listed:c complete ");

    auto watch = expect<Watch>(fsm);
    EXPECT_EQ(watch.options.resource_version, "10");
    EXPECT_EQ(watch.options.label_selector, "app=x");
    EXPECT_EQ(watch.options.field_selector, "metadata.name=y");
}

Json initial_events_end(const std::string& version) {
    return {{"type", "BOOKMARK"},
            {"object",
             {{"metadata", {{"resourceVersion", version}, {"annotations", {{"k8s.io/initial-events-end", "true"}}}}}}}};
}

TEST_F(WatchFsmTest, takes_the_list_from_a_watch_where_the_server_can) {
    auto one = make_streaming_fsm();
    const auto watch = expect<Watch>(one);
    EXPECT_TRUE(watch.options.send_initial_events);
    EXPECT_EQ(watch.options.resource_version, "") << "the most recent";
    EXPECT_EQ(watch.options.label_selector, "app=x");
    EXPECT_EQ(kinds(one.on_opened(now)), "start ");
    EXPECT_EQ(kinds(one.on_event(event("ADDED", "3", "a"), now)), "listed:a ");
    EXPECT_EQ(kinds(one.on_event(event("ADDED", "9", "b"), now)), "listed:b ");
    EXPECT_EQ(kinds(one.on_event(event("MODIFIED", "10", "a"), now)), "listed:a ");
    EXPECT_EQ(kinds(one.on_event(event("DELETED", "11", "b"), now)), "deleted:b ");
    EXPECT_EQ(kinds(one.on_event(event("BOOKMARK", "12"), now)), "") << "any other bookmark does not end the list";
    EXPECT_EQ(one.resource_version(), "") << "a watch from one of these would miss the others";
    EXPECT_EQ(kinds(one.on_event(initial_events_end("15"), now)), "complete ");
    EXPECT_EQ(one.resource_version(), "15");
    EXPECT_EQ(kinds(one.on_event(event("ADDED", "16", "c"), now)), "applied:c ");

    one.on_closed(now + 5min);
    const auto next = expect<Watch>(one);
    EXPECT_FALSE(next.options.send_initial_events);
    EXPECT_EQ(next.options.resource_version, "16");
}

TEST_F(WatchFsmTest, begins_anew_with_a_delay_when_such_a_list_breaks_off) {
    for (const bool is_closed : {true, false}) {
        auto one = make_streaming_fsm();
        expect<Watch>(one);
        one.on_opened(now);
        one.on_event(event("ADDED", "3", "a"), now);
        if (is_closed) {
            one.on_closed(now + 5min);
        } else {
            one.on_failure(failure(ErrorCode::unavailable), now);
        }
        EXPECT_FALSE(one.is_watching());
        expect<Sleep>(one);
        EXPECT_TRUE(expect<Watch>(one).options.send_initial_events);
        EXPECT_EQ(kinds(one.on_opened(now)), "start ");
    }
}

TEST_F(WatchFsmTest, streams_the_list_again_after_410) {
    auto one = make_streaming_fsm();
    expect<Watch>(one);
    one.on_opened(now);
    one.on_event(initial_events_end("15"), now);
    one.on_event(error_event(410, "Expired"), now);
    EXPECT_FALSE(one.is_watching());
    EXPECT_TRUE(expect<Watch>(one).options.send_initial_events) << "at once";
    one.on_opened(now);
    one.on_event(error_event(410, "Expired"), now);
    expect<Sleep>(one);
    EXPECT_TRUE(expect<Watch>(one).options.send_initial_events);
}

TEST_F(WatchFsmTest, lists_in_pages_for_ever_where_the_server_knows_no_watch_list) {
    auto one = make_streaming_fsm();
    expect<Watch>(one);
    one.on_failure(failure(ErrorCode::invalid_argument), now);
    EXPECT_FALSE(one.last_failure()) << "an answer, no fault";
    expect<List>(one);
    give_page(one, "10", {});
    expect<Watch>(one);
    one.on_failure(failure(ErrorCode::gone), now);
    expect<List>(one);
}

TEST_F(WatchFsmTest, tells_events_and_takes_the_version_from_each_and_from_bookmarks) {
    open_watch();
    EXPECT_EQ(kinds(fsm.on_event(event("ADDED", "11"), now)), "applied:a ");
    EXPECT_EQ(kinds(fsm.on_event(event("MODIFIED", "12"), now)), "applied:a ");
    EXPECT_EQ(kinds(fsm.on_event(event("DELETED", "13"), now)), "deleted:a ");
    EXPECT_EQ(fsm.resource_version(), "13");
    EXPECT_EQ(kinds(fsm.on_event(event("BOOKMARK", "99"), now)), "");
    EXPECT_EQ(fsm.resource_version(), "99");
    EXPECT_EQ(kinds(fsm.on_event(event("SOMETHING_NEW", "100"), now)), "");
    EXPECT_EQ(fsm.resource_version(), "100");
    EXPECT_TRUE(fsm.is_watching());
}

TEST_F(WatchFsmTest, opens_an_ended_watch_again_where_it_was_and_without_delay) {
    open_watch();
    fsm.on_event(event("ADDED", "11"), now);
    fsm.on_closed(now);
    EXPECT_FALSE(fsm.is_watching());
    EXPECT_EQ(expect<Watch>(fsm).options.resource_version, "11");

    fsm.on_opened(now);
    fsm.on_closed(now + 5min);
    EXPECT_EQ(expect<Watch>(fsm).options.resource_version, "11") << "quiet for five minutes is no fault";
}

TEST_F(WatchFsmTest, backs_off_from_a_server_that_ends_watches_at_once) {
    open_watch();
    fsm.on_closed(now + 10ms);
    expect<Sleep>(fsm);
    expect<Watch>(fsm);
}

TEST_F(WatchFsmTest, lists_again_at_once_when_the_version_is_too_old_inside_the_stream) {
    open_watch();
    EXPECT_EQ(kinds(fsm.on_event(error_event(410, "Expired"), now)), "");
    EXPECT_FALSE(fsm.is_watching());
    EXPECT_EQ(expect<List>(fsm).options.continue_token, "");
    EXPECT_EQ(kinds(give_page(fsm, "20", {"b"})), "start listed:b complete ");
    EXPECT_EQ(expect<Watch>(fsm).options.resource_version, "20");
}

TEST_F(WatchFsmTest, lists_again_at_once_when_the_version_is_too_old_over_http) {
    open_watch();
    fsm.on_closed(now + 5min);
    expect<Watch>(fsm);
    fsm.on_failure(failure(ErrorCode::gone), now);
    expect<List>(fsm);
}

TEST_F(WatchFsmTest, backs_off_when_it_is_too_old_again_without_an_event_between) {
    open_watch();
    fsm.on_event(error_event(410, "Expired"), now);
    expect<List>(fsm);
    give_page(fsm, "20", {});
    expect<Watch>(fsm);
    fsm.on_failure(failure(ErrorCode::gone), now);
    expect<Sleep>(fsm);
    expect<List>(fsm);
    give_page(fsm, "21", {});
    expect<Watch>(fsm);
    fsm.on_opened(now);
    fsm.on_event(event("BOOKMARK", "30"), now);
    fsm.on_event(error_event(410, "Expired"), now);
    expect<List>(fsm);
}

TEST_F(WatchFsmTest, begins_the_list_anew_when_its_next_page_is_too_old) {
    expect<List>(fsm);
    give_page(fsm, "10", {"a"}, "more");
    fsm.on_failure(failure(ErrorCode::gone), now);
    EXPECT_EQ(expect<List>(fsm).options.continue_token, "");
    EXPECT_EQ(kinds(give_page(fsm, "11", {"b"})), "start listed:b complete ");
}

TEST_F(WatchFsmTest, asks_for_the_same_page_again_after_a_passing_fault) {
    expect<List>(fsm);
    give_page(fsm, "10", {"a"}, "more");
    fsm.on_failure(failure(ErrorCode::unavailable), now);
    expect<Sleep>(fsm);
    EXPECT_EQ(expect<List>(fsm).options.continue_token, "more");
}

TEST_F(WatchFsmTest, watches_again_from_the_same_version_after_a_passing_fault) {
    open_watch();
    fsm.on_event(event("ADDED", "11"), now);
    fsm.on_failure(failure(ErrorCode::unavailable), now);
    expect<Sleep>(fsm);
    EXPECT_EQ(expect<Watch>(fsm).options.resource_version, "11");
    fsm.on_opened(now);
    fsm.on_event(error_event(500, "InternalError"), now);
    EXPECT_FALSE(fsm.is_watching());
    expect<Sleep>(fsm);
    EXPECT_EQ(expect<Watch>(fsm).options.resource_version, "11");
}

TEST_F(WatchFsmTest, lists_again_when_the_watch_was_faulty_for_a_minute) {
    open_watch();
    fsm.on_failure(failure(ErrorCode::unavailable), now);
    expect<Sleep>(fsm);
    expect<Watch>(fsm);
    fsm.on_failure(failure(ErrorCode::unavailable), now + 59s);
    expect<Sleep>(fsm);
    expect<Watch>(fsm);
    fsm.on_failure(failure(ErrorCode::unavailable), now + 60s);
    expect<Sleep>(fsm);
    expect<List>(fsm);
}

TEST_F(WatchFsmTest, lists_again_when_the_kind_was_removed) {
    open_watch();
    fsm.on_failure(failure(ErrorCode::not_found), now);
    expect<Sleep>(fsm);
    expect<List>(fsm);
}

TEST_F(WatchFsmTest, waits_as_long_as_the_server_asks) {
    expect<List>(fsm);
    fsm.on_failure(failure(ErrorCode::resource_exhausted, 17s), now);
    EXPECT_EQ(expect<Sleep>(fsm).delay, 17s);
    expect<List>(fsm);
}

TEST_F(WatchFsmTest, doubles_its_delay_to_30_s_with_as_much_again_at_random) {
    std::chrono::milliseconds base = 800ms;
    for (int i = 0; i < 20; ++i) {
        expect<List>(fsm);
        fsm.on_failure(failure(ErrorCode::unavailable), now);
        const auto delay = expect<Sleep>(fsm).delay;
        EXPECT_GE(delay, base);
        EXPECT_LE(delay, base * 2);
        base = std::min<std::chrono::milliseconds>(base * 2, 30s);
        now += delay;
    }
    now += 2min + 1s;
    fsm.on_failure(failure(ErrorCode::unavailable), now);
    EXPECT_LE(expect<Sleep>(fsm).delay, 1600ms) << "it was quiet for two minutes";
}

TEST_F(WatchFsmTest, asks_for_an_end_after_290_s_and_more_and_gives_up_5_s_later) {
    std::set<std::chrono::seconds> seen;
    for (std::uint32_t seed = 1; seed <= 50; ++seed) {
        auto one = make_fsm(seed);
        expect<List>(one);
        give_page(one, "1", {});
        const auto watch = expect<Watch>(one);
        EXPECT_GE(watch.options.timeout, 290s);
        EXPECT_LE(watch.options.timeout, 350s);
        EXPECT_EQ(watch.time_limit, watch.options.timeout + 5s);
        seen.insert(watch.options.timeout);
    }
    EXPECT_GT(seen.size(), 10u) << "many watches must not end together";
}

TEST_F(WatchFsmTest, ends_a_watch_that_makes_no_sense) {
    for (const auto* text : {R"({"type":"ADDED"})", R"({"type":"ADDED","object":7})", R"([])", R"("x")",
                             R"({"type":"ADDED","object":{"metadata":{"name":"a"}}})"}) {
        auto one = make_fsm();
        expect<List>(one);
        give_page(one, "10", {});
        expect<Watch>(one);
        one.on_opened(now);
        EXPECT_EQ(kinds(one.on_event(Json::parse(text), now)), "") << text;
        EXPECT_FALSE(one.is_watching()) << text;
        expect<Sleep>(one);
        EXPECT_EQ(expect<Watch>(one).options.resource_version, "10") << text;
    }
}

}  // namespace
}  // namespace cvp::op
