#include "proxy/connection_watcher.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/proxy/fake_ports.hpp"
#include "tests/unit/proxy/sample_document.hpp"

namespace cvp::proxy {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

std::string yaml_at(const std::string& host) {
    auto connection = sample_connection();
    connection.endpoints[0].host = host;
    return write_resolved_connection(connection);
}

/// A watcher of `directory`/connection.yaml at work.
class Watching {
public:
    explicit Watching(const fs::path& directory)
        : connection("sessions", {7000, {}, false}, ports.context()),
          watcher(io, {"sessions", directory / "connection.yaml", {7000, {}, false}}, connection) {
        EXPECT_TRUE(connection.open_ports());
        watcher.start(tasks);
    }
    ~Watching() {
        watcher.stop();
        io.run();
    }

    /// Runs the loop until `condition` holds: well within the time at which it would look without an event.
    template <class Condition>
    bool until(Condition condition) {
        return until_for(5s, condition);
    }
    template <class Condition>
    bool until_for(SteadyClock::duration patience, Condition condition) {
        const auto deadline = SteadyClock::now() + patience;
        while (!condition() && SteadyClock::now() < deadline)
            io.run_one_until(deadline);
        return condition();
    }
    bool until_host(const std::string& host) {
        return until([&] { return !ports.opened[0].destinations.empty() && ports.opened[0].host() == host; });
    }

    asio::io_context io{1};
    TaskGroup tasks{io};
    FakePorts ports;
    Connection connection;
    ConnectionWatcher watcher;
};

TEST(ConnectionWatcher, follows_a_file_that_is_written_in_place) {
    const test::TempDir dir;
    dir.write("connection.yaml", yaml_at("10.0.0.3"));
    Watching watching(dir.path());
    EXPECT_TRUE(watching.until_host("10.0.0.3"));
    dir.write("connection.yaml", yaml_at("10.0.0.9"));
    EXPECT_TRUE(watching.until_host("10.0.0.9"));
}

TEST(ConnectionWatcher, follows_a_file_that_is_renamed_over) {
    const test::TempDir dir;
    dir.write("connection.yaml", yaml_at("10.0.0.3"));
    Watching watching(dir.path());
    EXPECT_TRUE(watching.until_host("10.0.0.3"));
    const test::TempDir elsewhere;
    const auto staged = elsewhere.write("staged", yaml_at("10.0.0.9"));
    fs::rename(staged, dir.path() / "connection.yaml");
    EXPECT_TRUE(watching.until_host("10.0.0.9"));
}

/// The kubelet's way: ..data is a symlink to a dated directory and is swapped as a whole.
TEST(ConnectionWatcher, follows_the_swap_of_a_mounted_volume) {
    const test::TempDir dir;
    dir.write("..1/connection.yaml", yaml_at("10.0.0.3"));
    fs::create_symlink("..1", dir.path() / "..data");
    fs::create_symlink("..data/connection.yaml", dir.path() / "connection.yaml");
    Watching watching(dir.path());
    EXPECT_TRUE(watching.until_host("10.0.0.3"));

    dir.write("..2/connection.yaml", yaml_at("10.0.0.9"));
    EXPECT_EQ(watching.connection.rejected(), 0u);
    fs::create_symlink("..2", dir.path() / "..data_tmp");
    fs::rename(dir.path() / "..data_tmp", dir.path() / "..data");
    fs::remove_all(dir.path() / "..1");
    EXPECT_TRUE(watching.until_host("10.0.0.9"));
}

TEST(ConnectionWatcher, keeps_the_last_good_document_and_says_what_is_wrong_with_the_new_one) {
    const test::TempDir dir;
    dir.write("connection.yaml", yaml_at("10.0.0.3"));
    Watching watching(dir.path());
    EXPECT_TRUE(watching.until_host("10.0.0.3"));
    dir.write("connection.yaml", "apiVersion: cloudvalkey.dev/v9\nkind: ResolvedConnection\n");
    EXPECT_TRUE(watching.until([&] { return watching.connection.rejected() == 1; }));
    EXPECT_THAT(watching.connection.last_rejection(), HasSubstr("apiVersion"));
    EXPECT_EQ(watching.ports.opened[0].host(), "10.0.0.3");

    fs::remove(dir.path() / "connection.yaml");
    EXPECT_TRUE(watching.until([&] { return watching.connection.rejected() == 2; }));
    EXPECT_THAT(watching.connection.last_rejection(), HasSubstr("No such file"));

    dir.write("connection.yaml", yaml_at("10.0.0.3"));
    EXPECT_TRUE(watching.until([&] { return watching.connection.last_rejection().empty(); }));
    EXPECT_EQ(watching.ports.opened[0].destinations.size(), 1u) << "nothing changed after all";
}

TEST(ConnectionWatcher, takes_over_a_password_that_appears_and_changes) {
    const test::TempDir dir;
    auto connection = sample_connection();
    connection.auth = {AuthMode::password, "", "", {}, "username", "password"};
    dir.write("connection.yaml", write_resolved_connection(connection));
    Watching watching(dir.path());
    EXPECT_TRUE(watching.until_host("10.0.0.3"));
    EXPECT_FALSE(watching.connection.document()->password);
    for (const auto* password : {"one", "two"}) {
        dir.write("password", password);
        EXPECT_TRUE(watching.until([&] { return watching.connection.document()->password == Secret(password); }));
    }
}

/// A key that a Secret gains: the kubelet swaps ..data first and makes the file's symlink afterwards.
TEST(ConnectionWatcher, takes_over_a_file_that_appears_as_a_symlink) {
    const test::TempDir dir;
    auto connection = sample_connection();
    connection.auth = {AuthMode::password, "", "", {}, "username", "password"};
    dir.write("connection.yaml", write_resolved_connection(connection));
    dir.write("..1/password", "one");
    Watching watching(dir.path());
    EXPECT_TRUE(watching.until_host("10.0.0.3"));
    fs::create_symlink("..1/password", dir.path() / "password");
    EXPECT_TRUE(watching.until([&] { return watching.connection.document()->password == Secret("one"); }));
}

TEST(ConnectionWatcher, waits_for_the_end_of_a_file_that_is_being_written) {
    const test::TempDir dir;
    dir.write("connection.yaml", yaml_at("10.0.0.3"));
    Watching watching(dir.path());
    EXPECT_TRUE(watching.until_host("10.0.0.3"));
    fs::remove(dir.path() / "connection.yaml");
    EXPECT_TRUE(watching.until([&] { return watching.connection.rejected() == 1; }));
    std::ofstream file(dir.path() / "connection.yaml");
    EXPECT_FALSE(watching.until_for(100ms, [&] { return watching.connection.rejected() == 2; }));
    file << yaml_at("10.0.0.9");
    file.close();
    EXPECT_TRUE(watching.until_host("10.0.0.9"));
}

TEST(ConnectionWatcher, survives_the_loss_of_its_directory) {
    const test::TempDir parent;
    parent.write("mount/connection.yaml", yaml_at("10.0.0.3"));
    const auto directory = parent.path() / "mount";
    Watching watching(directory);
    EXPECT_TRUE(watching.until_host("10.0.0.3"));
    fs::rename(directory, parent.path() / "moved");
    EXPECT_TRUE(watching.until([&] { return watching.connection.rejected() == 1; }));
    EXPECT_EQ(watching.ports.opened[0].host(), "10.0.0.3");
}

TEST(DirectoryWatch, knows_when_there_is_nothing_to_watch_and_when_there_is_again) {
    const test::TempDir parent;
    asio::io_context io;
    DirectoryWatch watch(io, parent.path() / "mount");
    EXPECT_FALSE(watch.ensure());
    fs::create_directory(parent.path() / "mount");
    EXPECT_TRUE(watch.ensure());
}

}  // namespace
}  // namespace cvp::proxy
