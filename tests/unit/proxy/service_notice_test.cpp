#include "proxy/service_notice.hpp"

#include <cstddef>
#include <cstring>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/temp_dir.hpp"

namespace cvp::proxy {
namespace {

using ::testing::HasSubstr;

/// What a service manager listens on.
class ManagerSocket {
public:
    /// @param name as in NOTIFY_SOCKET
    explicit ManagerSocket(const std::string& name) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, name.data(), name.size());
        if (name.front() == '@') address.sun_path[0] = '\0';
        const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        if (::bind(fd_, reinterpret_cast<const sockaddr*>(&address), length) != 0) ADD_FAILURE() << "bind " << name;
    }
    ~ManagerSocket() { ::close(fd_); }
    ManagerSocket(const ManagerSocket&) = delete;
    ManagerSocket& operator=(const ManagerSocket&) = delete;

    /// The next message that is there already; "" for none.
    std::string next() const {
        char buffer[256];
        const auto size = ::recv(fd_, buffer, sizeof(buffer), MSG_DONTWAIT);
        return size < 0 ? "" : std::string(buffer, static_cast<std::size_t>(size));
    }

private:
    int fd_;
};

TEST(ServiceNotice, reaches_a_socket_that_is_a_path) {
    const test::TempDir dir;
    const auto name = (dir.path() / "notify").string();
    const ManagerSocket manager(name);
    ASSERT_TRUE(notify_service_manager(name, "READY=1"));
    EXPECT_EQ(manager.next(), "READY=1");
    EXPECT_EQ(manager.next(), "");
}

TEST(ServiceNotice, reaches_an_abstract_socket) {
    const auto name = "@cvp-notify-" + std::to_string(::getpid());
    const ManagerSocket manager(name);
    ASSERT_TRUE(notify_service_manager(name, "STOPPING=1"));
    EXPECT_EQ(manager.next(), "STOPPING=1");
}

TEST(ServiceNotice, is_no_error_where_nobody_listens) {
    EXPECT_TRUE(notify_service_manager("", "READY=1"));
}

TEST(ServiceNotice, refuses_what_is_no_sockets_name) {
    for (const auto& name : {std::string("notify"), "/" + std::string(200, 'x')}) {
        const auto sent = notify_service_manager(name, "READY=1");
        ASSERT_FALSE(sent) << name;
        EXPECT_EQ(sent.error().code, ErrorCode::invalid_argument);
        EXPECT_THAT(sent.error().context, HasSubstr("NOTIFY_SOCKET"));
    }
}

TEST(ServiceNotice, says_why_it_could_not_be_sent) {
    const test::TempDir dir;
    const auto sent = notify_service_manager((dir.path() / "gone").string(), "READY=1");
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().code, ErrorCode::unavailable);
    EXPECT_THAT(sent.error().context, HasSubstr("No such file"));
}

}  // namespace
}  // namespace cvp::proxy
