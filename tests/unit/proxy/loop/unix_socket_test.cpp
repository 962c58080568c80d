#include "proxy/loop/unix_socket.hpp"

#include <filesystem>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "tests/support/byte_stream.hpp"
#include "tests/support/temp_dir.hpp"

namespace cvp::proxy {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class UnixSocketTest : public ::testing::Test {
protected:
    bool can_connect() const { return test::ByteStream::connect_unix(path, 5s).has_value(); }
    mode_t mode() const {
        struct stat status {};
        EXPECT_EQ(::lstat(path.c_str(), &status), 0);
        return status.st_mode & 07777;
    }
    std::string refusal() const {
        const auto listener = listen_unix({path.string(), 0600});
        if (listener) return "listens";
        EXPECT_EQ(listener.error().code, ErrorCode::unavailable);
        return listener.error().context;
    }
    /// What a process leaves behind that is killed: the file of a socket that nobody listens on.
    void leave_stale_socket() const {
        const Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.string().copy(address.sun_path, sizeof address.sun_path - 1);
        ASSERT_EQ(::bind(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    }

    test::TempDir dir;
    fs::path path = dir.path() / "v.sock";
};

TEST_F(UnixSocketTest, listens_with_the_mode_that_is_asked_for_whatever_the_umask) {
    const auto before = ::umask(0027);
    for (const mode_t wanted : {0600, 0660, 0666}) {
        const auto listener = listen_unix({path.string(), wanted});
        ASSERT_TRUE(listener) << to_string(listener.error());
        EXPECT_EQ(mode(), wanted);
        EXPECT_TRUE(can_connect());
    }
    EXPECT_EQ(::umask(before), 0027u) << "the umask is as it was";
}

TEST_F(UnixSocketTest, takes_its_file_along_when_it_ends) {
    {
        const auto listener = listen_unix({path.string(), 0600});
        ASSERT_TRUE(fs::exists(path));
    }
    EXPECT_FALSE(fs::exists(path));
}

TEST_F(UnixSocketTest, leaves_a_successors_file_alone) {
    auto first = listen_unix({path.string(), 0600});
    ASSERT_TRUE(first);
    fs::remove(path);
    const auto second = listen_unix({path.string(), 0600});
    ASSERT_TRUE(second) << to_string(second.error());
    first->file.remove();
    EXPECT_TRUE(can_connect());
}

TEST_F(UnixSocketTest, replaces_what_a_killed_process_left) {
    leave_stale_socket();
    ASSERT_FALSE(can_connect());
    const auto listener = listen_unix({path.string(), 0600});
    ASSERT_TRUE(listener) << to_string(listener.error());
    EXPECT_TRUE(can_connect());
}

TEST_F(UnixSocketTest, replaces_nothing_that_is_in_use_or_no_socket) {
    const auto listener = listen_unix({path.string(), 0600});
    ASSERT_TRUE(listener);
    EXPECT_EQ(refusal(), "cannot listen on " + path.string() + ": another process serves it");
    EXPECT_TRUE(can_connect());

    path = dir.write("file", "precious");
    EXPECT_EQ(refusal(), "cannot listen on " + path.string() + ": something else than a socket has that name");
    EXPECT_EQ(fs::file_size(path), 8u);
    path = dir.path();
    EXPECT_NE(refusal().find("something else than a socket"), std::string::npos);
    path = dir.path() / "link";
    fs::create_symlink(dir.path() / "v.sock", path);
    EXPECT_NE(refusal().find("something else than a socket"), std::string::npos) << "a link is not followed";
}

TEST_F(UnixSocketTest, names_a_directory_that_is_not_there) {
    path = dir.path() / "nowhere" / "v.sock";
    EXPECT_EQ(refusal(), "cannot listen on " + path.string() + ": No such file or directory");
}

TEST_F(UnixSocketTest, takes_a_path_of_107_bytes_and_no_longer_one) {
    path = dir.path() / std::string(106 - dir.path().string().size(), 'x');
    ASSERT_EQ(path.string().size(), 107u);
    EXPECT_EQ(refusal(), "listens");
    path += "x";
    EXPECT_EQ(refusal(), "cannot listen on " + path.string() + ": must be at most 107 bytes long");
}

TEST(SocketPath, is_in_the_file_system_and_short) {
    EXPECT_TRUE(check_socket_path("v.sock"));
    EXPECT_TRUE(check_socket_path("/run/@x"));
    for (const auto& bad : {std::string(), std::string("/run/"), std::string("@x"), std::string(108, 'x')}) {
        const auto checked = check_socket_path(bad);
        ASSERT_FALSE(checked) << bad;
        EXPECT_EQ(checked.error().code, ErrorCode::invalid_argument);
        EXPECT_EQ(checked.error().context.substr(0, 8), "must be ");
    }
}

}  // namespace
}  // namespace cvp::proxy
