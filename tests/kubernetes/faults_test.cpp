// Watches and the lease through an API server that commits faults, with a real one behind it.

#include <gmock/gmock.h>

#include "common/json_access.hpp"
#include "operator/runtime/leader_elector.hpp"
#include "operator/runtime/watcher.hpp"
#include "tests/kubernetes/real_client.hpp"
#include "tests/support/faulty_api_server.hpp"
#include "tests/support/temp_dir.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using op::config_maps;
using Json = nlohmann::json;
using Line = FaultyApiServer::Line;
using Rule = FaultyApiServer::Rule;

constexpr auto kWatch = "watch=true";
constexpr auto kWatchList = "sendInitialEvents";

/// Servers before 1.32 answer a WatchList with 422.
bool streams_lists() {
    return ControlPlane::minor_version() >= 32;
}

/// In the target of the watch that follows a list, which may be the same request.
const char* first_watch() {
    return streams_lists() ? kWatchList : "resourceVersion=";
}

Rule rule(const std::string& method, const std::string& target_part) {
    Rule made;
    made.method = method;
    made.target_part = target_part;
    return made;
}

Rule answering(Rule made, unsigned status, const std::string& reason, const std::string& retry_after = {}) {
    const Json body = {
        {"kind", "Status"}, {"apiVersion", "v1"}, {"code", status}, {"reason", reason}, {"message", "scripted"}};
    made.answer = http::make_response(status, "application/json", body.dump());
    if (!retry_after.empty()) made.answer->headers.set("Retry-After", retry_after);
    return made;
}

Rule editing(Rule made, FaultyApiServer::Edit edit) {
    made.edit = std::move(edit);
    return made;
}

std::string as_line(const Json& event) {
    return event.dump() + "\n";
}

/// A ServiceAccount's client of the faulty server, and a watcher of the labelled ConfigMaps of the namespace.
class FaultyApi : public RealClientTest {
protected:
    FaultyApi() : RealClientTest("faults") {
        const std::string account = "system:serviceaccount:" + name_space_ + ":robot";
        EXPECT_TRUE(control_plane().kubectl({"create", "serviceaccount", "robot", "--namespace=" + name_space_}));
        EXPECT_TRUE(
            control_plane().kubectl({"create", "rolebinding", "robot", "--clusterrole=cluster-admin",
                                     "--serviceaccount=" + name_space_ + ":robot", "--namespace=" + name_space_}));
        auto robot =
            op::load_kubeconfig(control_plane().write_kubeconfig_of_service_account(name_space_, "robot").value());
        EXPECT_TRUE(robot);
        server_ = std::make_unique<FaultyApiServer>(io_, *robot);
        auto config = server_->config(ca_file());
        config.token = robot->token;
        config.token_file = robot->token_file;
        faulty_ = connect(std::move(config));
        watcher_ = std::make_unique<op::Watcher>(
            *faulty_, config_maps(name_space_), op::WatchFsm::Selection{"ours=yes", ""}, store_,
            [this](const op::StoreChange& change) {
                changes_.push_back(change.key.name + (!change.before ? "+" : change.after ? "*" : "-"));
            });
    }

    ~FaultyApi() override {
        watcher_->stop();
        EXPECT_TRUE(run_until(io_, [this] { return ended_; }));
    }

    std::filesystem::path ca_file() const { return dir_.path() / "ca.crt"; }

    void start() {
        ended_ = false;
        asio::co_spawn(io_, watcher_->run(), [this](std::exception_ptr) { ended_ = true; });
    }
    void start_and_sync() {
        start();
        ASSERT_TRUE(run_until(io_, [this] { return store_.is_synced(); }));
    }
    /// Writes past the faulty server.
    Json write(const std::string& name, const std::string& value) {
        auto object = config_map(name, value);
        object["metadata"]["labels"] = {{"ours", "yes"}};
        const auto written = call(api_->apply(config_maps(name_space_, name), object, op::ApplyOptions("test")));
        EXPECT_TRUE(written) << written.error().error.context;
        return written.value_or(Json());
    }
    void erase(const std::string& name) { EXPECT_TRUE(call(api_->remove(config_maps(name_space_, name)))); }
    std::string value_of(const std::string& name) {
        const auto object = store_.find({name_space_, name});
        return object ? object->at("data").at("k").get<std::string>() : "absent";
    }
    bool becomes(const std::string& name, const std::string& value, SteadyClock::duration limit = 10s) {
        return run_until(
            io_, [&] { return value_of(name) == value; }, limit);
    }
    bool asked(const std::string& part, std::size_t times, SteadyClock::duration limit = 10s) {
        return run_until(
            io_, [&] { return server_->count(part) >= times; }, limit);
    }

    TempDir dir_;
    std::unique_ptr<FaultyApiServer> server_;
    std::unique_ptr<op::KubeClient> faulty_;
    op::Store store_;
    std::vector<std::string> changes_;
    bool ended_ = true;
    std::unique_ptr<op::Watcher> watcher_;
};

TEST_F(FaultyApi, passes_through_what_no_rule_speaks_of) {
    write("a", "1");
    const auto direct = call(api_->get(config_maps(name_space_, "a")));
    const auto through = call(faulty_->get(config_maps(name_space_, "a")));
    ASSERT_TRUE(direct && through);
    EXPECT_EQ(*direct, *through);
    const auto refused = call(faulty_->get(config_maps(name_space_, "none")));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error, call(api_->get(config_maps(name_space_, "none"))).error().error);
    start_and_sync();
    write("a", "2");
    EXPECT_TRUE(becomes("a", "2"));
    erase("a");
    EXPECT_TRUE(becomes("a", "absent"));
    EXPECT_EQ(changes_, (std::vector<std::string>{"a+", "a*", "a-"}));
}

TEST_F(FaultyApi, lists_again_after_a_410_inside_the_stream_and_tells_what_went_unseen) {
    write("gone", "1");
    write("stays", "1");
    server_->add(editing(rule("GET", first_watch()), [](std::string line, std::size_t) -> Line {
        if (line.find("last-seen") == std::string::npos) return {std::move(line)};
        const Json gone = {{"type", "ERROR"}, {"object", {{"kind", "Status"}, {"code", 410}, {"reason", "Expired"}}}};
        return {as_line(gone), Line::Then::freeze};
    }));
    start_and_sync();
    ASSERT_TRUE(becomes("gone", "1"));
    const auto lists = server_->count(kWatchList) + server_->count("limit=500");
    erase("gone");  // told as usual, so that it is certain that the stream is open
    ASSERT_TRUE(becomes("gone", "absent"));
    write("last-seen", "1");
    EXPECT_TRUE(becomes("last-seen", "1")) << "only a new list can tell it";
    EXPECT_GT(server_->count(kWatchList) + server_->count("limit=500"), lists);
}

TEST_F(FaultyApi, lists_again_after_a_410_over_http) {
    watcher_->set_times({1s, 0s, 5s});
    write("a", "1");
    start_and_sync();
    server_->add(answering(rule("GET", "resourceVersion="), 410, "Expired"));
    ASSERT_TRUE(run_until(io_, [this] { return !server_->has_rules(); })) << "the watch of a second ended";
    write("a", "2");
    EXPECT_TRUE(becomes("a", "2"));
}

TEST_F(FaultyApi, leaves_a_watch_that_has_gone_silent) {
    watcher_->set_times({1s, 0s, 1s});
    write("a", "1");
    server_->add(editing(rule("GET", first_watch()), [](std::string line, std::size_t) -> Line {
        if (line.find("\"k\":\"2\"") == std::string::npos) return {std::move(line)};
        return {"", Line::Then::freeze};
    }));
    start_and_sync();
    write("a", "2");
    EXPECT_TRUE(becomes("a", "2", 6s)) << "half-open: nothing comes, not even an end";
}

TEST_F(FaultyApi, goes_on_from_the_version_of_a_bookmark) {
    watcher_->set_times({2s, 0s, 5s});
    std::string version;
    server_->add(editing(rule("GET", first_watch()), [&](std::string line, std::size_t) -> Line {
        if (line.find("\"k\":\"2\"") == std::string::npos) return {std::move(line)};
        version = find_string(Json::parse(line), {"object", "metadata", "resourceVersion"});
        const Json bookmark = {{"type", "BOOKMARK"},
                               {"object", {{"kind", "ConfigMap"}, {"metadata", {{"resourceVersion", version}}}}}};
        return {as_line(bookmark), Line::Then::cut};
    }));
    write("a", "1");
    start_and_sync();
    write("a", "2");
    ASSERT_TRUE(run_until(io_, [&] { return !version.empty(); }));
    ASSERT_TRUE(asked("resourceVersion=" + version, 1)) << "not from the version before";
    write("b", "1");
    EXPECT_TRUE(becomes("b", "1"));
}

TEST_F(FaultyApi, is_not_set_back_by_events_out_of_order) {
    std::string held;
    server_->add(editing(rule("GET", first_watch()), [&](std::string line, std::size_t) -> Line {
        if (line.find("\"k\":\"2\"") != std::string::npos) {
            held = std::move(line);
            return {""};
        }
        if (line.find("\"k\":\"3\"") != std::string::npos) return {line + held};
        return {std::move(line)};
    }));
    write("a", "1");
    start_and_sync();
    write("a", "2");
    write("a", "3");
    write("z", "1");
    ASSERT_TRUE(becomes("z", "1"));
    EXPECT_EQ(value_of("a"), "3");
}

TEST_F(FaultyApi, begins_anew_when_a_list_breaks_off) {
    write("a", "1");
    write("b", "1");
    const auto* list = streams_lists() ? kWatchList : "limit=500";
    server_->add(editing(rule("GET", list), [](std::string line, std::size_t number) -> Line {
        if (number == 0 && streams_lists()) return {std::move(line)};
        return {line.substr(0, line.size() / 2), Line::Then::cut};
    }));
    start();
    ASSERT_TRUE(asked(kWatch, 1));
    EXPECT_FALSE(store_.is_synced());
    EXPECT_TRUE(run_until(io_, [this] { return store_.is_synced(); }));
    EXPECT_EQ(value_of("a"), "1");
    EXPECT_EQ(value_of("b"), "1");
}

TEST_F(FaultyApi, shows_nothing_of_a_slow_list_before_it_is_complete) {
    for (int i = 0; i < 20; ++i)
        write("m" + std::to_string(i), "1");
    server_->add(answering(rule("GET", kWatchList), 422, "Invalid"));
    auto slow = rule("GET", "limit=500");
    slow.between_pieces = 2ms;
    server_->add(std::move(slow));
    start();
    ASSERT_TRUE(asked("limit=500", 1));
    while (!store_.is_synced()) {
        ASSERT_EQ(store_.size(), 0u);
        io_.restart();
        io_.run_one_for(10ms);
    }
    EXPECT_EQ(store_.size(), 20u);
}

TEST_F(FaultyApi, keeps_still_as_long_as_a_429_asks) {
    server_->add(answering(rule("GET", kWatch), 429, "TooManyRequests", "2"));
    const auto begun = SteadyClock::now();
    start_and_sync();
    EXPECT_GE(SteadyClock::now() - begun, 1900ms);
    EXPECT_EQ(server_->count("GET"), streams_lists() ? 2u : 3u) << "nothing was asked meanwhile";
}

TEST_F(FaultyApi, tries_again_when_connections_break) {
    for (int i = 0; i < 2; ++i) {
        auto broken = rule("GET", kWatch);
        broken.drops = true;
        server_->add(std::move(broken));
    }
    write("a", "1");
    start();
    EXPECT_TRUE(becomes("a", "1"));
}

TEST_F(FaultyApi, follows_a_new_certificate_authority_of_the_server) {
    watcher_->set_times({1s, 0s, 5s});
    write("a", "1");
    start_and_sync();
    server_->rotate_ca(ca_file());
    const auto watches = server_->count(kWatch);
    ASSERT_TRUE(asked(kWatch, watches + 1)) << "with the new certificate; the old connection lived on";
    write("a", "2");
    EXPECT_TRUE(becomes("a", "2"));
    EXPECT_TRUE(call(faulty_->get(config_maps(name_space_, "a"))));
}

TEST_F(FaultyApi, a_leader_survives_a_conflict_and_a_broken_renewal) {
    int lost = 0;
    op::LeaderElector elector(io_, *faulty_, name_space_, "l", "me", {[] {}, [&] { ++lost; }});
    TaskGroup tasks(io_);
    tasks.spawn("elector", elector.run());
    ASSERT_TRUE(run_until(io_, [&] { return elector.is_leader(); }));
    server_->add(answering(rule("PUT", "/leases/l"), 409, "Conflict"));
    auto broken = rule("PUT", "/leases/l");
    broken.drops = true;
    server_->add(std::move(broken));
    EXPECT_TRUE(run_until(
        io_, [&] { return !server_->has_rules() && server_->count("PUT") >= 4; }, 15s));
    EXPECT_TRUE(elector.is_leader());
    EXPECT_EQ(lost, 0);
    EXPECT_GE(elector.slow_paths(), 1u);
    elector.stop();
    EXPECT_TRUE(run_until(io_, [&] { return tasks.running() == 0; }));
}

TEST_F(FaultyApi, a_leader_ends_in_time_when_the_server_answers_no_more) {
    int lost = 0;
    op::LeaderElector elector(io_, *faulty_, name_space_, "l", "me", {[] {}, [&] { ++lost; }});
    TaskGroup tasks(io_);
    tasks.spawn("elector", elector.run());
    ASSERT_TRUE(run_until(io_, [&] { return elector.is_leader(); }));
    auto silent = rule("PUT", "/leases/l");
    silent.hangs = true;
    server_->add(std::move(silent));
    const auto begun = SteadyClock::now();
    EXPECT_TRUE(run_until(
        io_, [&] { return lost == 1; }, 14s))
        << "the call itself may hang for longer";
    EXPECT_GE(SteadyClock::now() - begun, 7s);
    faulty_->close();
    EXPECT_TRUE(run_until(io_, [&] { return tasks.running() == 0; }));
}

}  // namespace
}  // namespace cvp::test
