#include "operator/runtime/watcher.hpp"

#include <algorithm>

#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

#include "tests/support/async.hpp"
#include "tests/support/fake_kube_api.hpp"

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
using test::FakeKubeApi;
using test::run_until;
using Json = nlohmann::json;

class WatcherTest : public testing::Test {
protected:
    ~WatcherTest() override {
        watcher_.stop();
        run_until(io_, [this] { return ended_; });
        EXPECT_TRUE(ended_) << "stop() must end run()";
    }

    void start() {
        asio::co_spawn(io_, watcher_.run(), [this](std::exception_ptr) { ended_ = true; });
        ended_ = false;
    }

    bool watching() {
        return run_until(io_, [this] { return api_.open_watches() == 1; });
    }

    /// Waits until so many changes were told; returns "a+ a* a-" for new, changed, gone.
    std::string told(std::size_t count) {
        run_until(io_, [&] { return changes_.size() >= count; });
        std::string text;
        for (const auto& change : changes_) {
            text += text.empty() ? "" : " ";
            text += change.key.name + (!change.before ? "+" : !change.after ? "-" : "*");
        }
        changes_.clear();
        return text;
    }

    Json labelled(const std::string& value = "yes") { return {{"metadata", {{"labels", {{"ours", value}}}}}}; }

    asio::io_context io_;
    FakeKubeApi api_;
    Store store_;
    std::vector<StoreChange> changes_;
    bool ended_ = true;
    Watcher watcher_{api_, config_maps(""), WatchFsm::Selection{"ours=yes", ""}, store_,
                     [this](const StoreChange& change) { changes_.push_back(change); }};
};

TEST_F(WatcherTest, tells_what_is_there_and_then_what_happens) {
    api_.put(config_maps("shop", "a"), labelled());
    api_.put(config_maps("shop", "foreign"), labelled("no"));
    start();
    EXPECT_EQ(told(1), "a+");
    ASSERT_TRUE(watching());
    EXPECT_TRUE(store_.is_synced());
    api_.put(config_maps("other", "b"), labelled());
    EXPECT_EQ(told(1), "b+");
    auto changed = labelled();
    changed["data"] = {{"k", "v"}};
    api_.put(config_maps("shop", "a"), changed);
    EXPECT_EQ(told(1), "a*");
    api_.erase(config_maps("shop", "a"));
    EXPECT_EQ(told(1), "a-");
    EXPECT_EQ(store_.size(), 1u);
    EXPECT_EQ(api_.count("list"), 1u);
    EXPECT_EQ(api_.count("watch"), 1u);
}

TEST_F(WatcherTest, takes_the_list_from_a_watch_where_the_server_can) {
    api_.stream_lists();
    api_.put(config_maps("shop", "a"), labelled());
    api_.put(config_maps("shop", "foreign"), labelled("no"));
    start();
    EXPECT_EQ(told(1), "a+");
    EXPECT_TRUE(run_until(io_, [this] { return store_.is_synced(); }));
    api_.put(config_maps("shop", "b"), labelled());
    EXPECT_EQ(told(1), "b+");
    api_.end_watches(410);
    api_.erase(config_maps("shop", "a"));
    EXPECT_EQ(told(1), "a-");
    EXPECT_EQ(api_.count("list"), 0u);
    EXPECT_EQ(api_.count("watchlist"), 2u);
    EXPECT_EQ(api_.count("watch"), 0u) << "it goes on in the same stream";
}

TEST_F(WatcherTest, misses_nothing_between_two_watches) {
    start();
    ASSERT_TRUE(watching());
    api_.put(config_maps("shop", "a"), labelled());
    EXPECT_EQ(told(1), "a+");
    api_.end_watches();
    api_.put(config_maps("shop", "b"), labelled());
    EXPECT_EQ(told(1), "b+");
    EXPECT_EQ(api_.count("list"), 1u) << "an ended watch is no reason to list";
}

TEST_F(WatcherTest, lists_again_after_410_and_tells_what_went_unseen) {
    api_.put(config_maps("shop", "a"), labelled());
    api_.put(config_maps("shop", "b"), labelled());
    start();
    EXPECT_EQ(told(2), "a+ b+");
    ASSERT_TRUE(watching());
    api_.end_watches(410);
    api_.erase(config_maps("shop", "a"));
    EXPECT_EQ(told(1), "a-");
    EXPECT_EQ(api_.count("list"), 2u);
}

TEST_F(WatcherTest, follows_bookmarks) {
    api_.put(config_maps("shop", "a"), labelled());
    start();
    ASSERT_TRUE(watching());
    api_.put(config_maps("shop", "foreign"), labelled("no"));
    api_.send_bookmark();
    ASSERT_TRUE(run_until(io_, [this] { return !changes_.empty(); }));
    api_.end_watches();
    ASSERT_TRUE(run_until(io_, [this] { return api_.count("watch") == 2; }));
    EXPECT_EQ(api_.calls().back().body, "102") << "the version of the foreign object that only the bookmark told";
}

TEST_F(WatcherTest, tries_again_when_a_list_fails) {
    api_.put(config_maps("shop", "a"), labelled());
    api_.fail_next("list", ErrorCode::unavailable);
    start();
    EXPECT_EQ(told(1), "a+");
    EXPECT_EQ(api_.count("list"), 2u);
}

TEST_F(WatcherTest, ends_at_once_when_it_is_stopped_while_it_waits) {
    api_.fail_next("list", ErrorCode::unavailable);
    start();
    ASSERT_TRUE(run_until(io_, [this] { return api_.count("list") == 1; }));
    const auto before = SteadyClock::now();
    watcher_.stop();
    ASSERT_TRUE(run_until(io_, [this] { return ended_; }));
    EXPECT_LT(SteadyClock::now() - before, 500ms) << "the backoff would be 800 ms at least";
}

TEST_F(WatcherTest, ends_at_once_when_it_is_stopped_while_it_watches) {
    start();
    ASSERT_TRUE(watching());
    watcher_.stop();
    ASSERT_TRUE(run_until(io_, [this] { return ended_; }));
}

}  // namespace
}  // namespace cvp::op
