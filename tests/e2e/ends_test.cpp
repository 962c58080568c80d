// How pods and sidecars end: in order, by force, for want of memory.

#include <csignal>
#include <sstream>

#include <gmock/gmock.h>

#include "tests/e2e/fixture.hpp"
#include "tests/e2e/node.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/read_file.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/value_or_throw.hpp"

namespace cvp::test {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

class Ends : public NodeTest {
protected:
    void SetUp() override {
        NodeTest::SetUp();
        connect();
    }

    /// kubectl with what it prints in a file, for as long as it runs.
    Process follow(std::vector<std::string> arguments, const std::filesystem::path& file) {
        ProcessOptions options;
        options.argv = {cluster_tool("kubectl").string(), "--namespace", name_space()};
        options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
        options.log_file = file;
        return value_or_throw(Process::start(options));
    }

    /// The column PODS of `kubectl get vkc --watch`, each change once: "0/1 1/1".
    static std::string pods_column(const std::string& table) {
        std::istringstream lines(table);
        std::string column, last;
        for (std::string line; std::getline(lines, line);) {
            std::istringstream words(line);
            std::string name, instance, ready, reason, pods;
            if (!(words >> name >> instance >> ready >> reason >> pods) || pods == last) continue;
            column += (column.empty() ? "" : " ") + pods;
            last = pods;
        }
        return column;
    }
};

TEST_F(Ends, a_busy_application_finishes_its_work_before_its_sidecar_stops) {
    ApplicationOptions options;
    options.arguments = {"--farewell=3"};
    auto app = start_application(options);
    const TempDir dir("cvp-e2e");
    auto log = follow({"logs", "--follow", app.name(), "--container=app"}, dir.path() / "log");
    app.await_progress(50);
    const auto before = app.account().next;
    kubectl({"delete", "pod", app.name(), "--namespace", name_space()});
    ASSERT_TRUE(log.wait(20s));
    const auto told = json::parse(read_file(dir.path() / "log"));
    EXPECT_GT(told.at("next").get<std::size_t>(), before + 50) << "it worked on after SIGTERM";
    EXPECT_THAT(told.at("faults"), testing::IsEmpty());
    EXPECT_EQ(compare_with_server(app.name(), told), "");
}

TEST_F(Ends, a_killed_sidecar_is_started_again_and_the_application_reconnects) {
    auto app = start_application();
    const auto pid = process_of(app.pod(), "/cloud-valkey-proxy");
    ASSERT_GT(pid, 0);
    ASSERT_EQ(kill(pid, SIGKILL), 0);
    EXPECT_TRUE(eventually([&] { return app.restarts_of_sidecar() == 1; }));
    app.await_ready();
    app.await_progress(20);
    EXPECT_EQ(app.compare_with_server(), "");
    EXPECT_EQ(status_of(app.pod(), "app").at("restartCount"), 0);
}

TEST_F(Ends, a_sidecar_with_too_little_memory_is_named_in_the_connections_status) {
    ApplicationOptions options;
    options.arguments = {"--hoard=1000", "--times=3"};
    options.sidecar = {{"name", "cloud-valkey-proxy"}, {"resources", {{"limits", {{"memory", "16Mi"}}}}}};
    const TempDir dir("cvp-e2e");
    auto watch = follow({"get", "vkc", "sessions", "--watch", "--no-headers"}, dir.path() / "table");
    auto app = start_application(options);
    EXPECT_TRUE(eventually([&] { return pods_column(read_file(dir.path() / "table")).ends_with("1/1"); }));
    app.run({"python3", "-c", "import os, signal; os.kill(1, signal.SIGUSR1)"});
    // The third time kubelet waits for 20 s: the operator counts pods at most every 10 s.
    EXPECT_TRUE(eventually([&] { return app.restarts_of_sidecar() == 3; }, 120s));
    const auto last = status_of(app.pod(), "cloud-valkey-proxy").at("lastState").at("terminated");
    EXPECT_EQ(last.at("reason"), "OOMKilled");
    EXPECT_EQ(last.at("exitCode"), 137);
    json failure;
    EXPECT_TRUE(eventually([&] {
        const auto pods = find_object(name_space(), "vkc/sessions").at("status").value("pods", json::object());
        failure = pods.value("lastFailure", json::object());
        return !failure.empty();
    }));
    EXPECT_EQ(failure.value("pod", ""), app.name());
    EXPECT_EQ(failure.value("reason", ""), "OOMKilled");
    app.await_ready();
    app.await_progress(20);
    EXPECT_TRUE(eventually([&] {
        const auto pods = pods_column(read_file(dir.path() / "table"));
        return pods.ends_with("1/1") && pods.find("1/1 0/1") != std::string::npos;
    })) << read_file(dir.path() / "table");
}

}  // namespace
}  // namespace cvp::test
