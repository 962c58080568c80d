// What the proxy that ships keeps in memory: at start, and after many clients came and went. Release build only: the
// sanitizers' own memory would be all that is seen.
#include <algorithm>
#include <cstdlib>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/integration/proxy/fixture.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMegabyte = 1024 * 1024;
constexpr std::size_t kClients = 9000;
constexpr std::size_t kClientsAtOnce = 50;
constexpr std::size_t kOtherDescriptors = 200;

std::filesystem::path release_binary() {
    const char* dir = std::getenv("CVP_RELEASE_DIR");
    return std::filesystem::path(dir != nullptr ? dir : CVP_RELEASE_DIR_DEFAULT) / "proxy/cloud-valkey-proxy";
}

/// Raises this process's limit of descriptors as far as it goes; the proxy inherits it.
std::size_t raise_descriptor_limit() {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return 0;
    files.rlim_cur = files.rlim_max;
    return ::setrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur : 0;
}

class ProxyMemoryTest : public ProxyFixture {
protected:
    void SetUp() override {
        descriptors_ = raise_descriptor_limit();
        auto patient = document();
        patient.proxy.connect_hold = 10s;  // a machine that does other things too is no matter of memory
        write(patient);
        ASSERT_TRUE(std::filesystem::exists(release_binary()))
            << release_binary() << " is missing: build the release preset first";
        start_proxy_from(release_binary());
        await_login();
    }

    std::size_t memory() { return proxy().memory("RssAnon"); }
    double clients() { return proxy().metric("cloudvalkey_proxy_clients_open"); }

    /// Opens `count` connections, a batch at a time, and has each answered.
    void open_and_use(std::vector<RespClient>& open, std::size_t count) {
        while (open.size() < count) {
            const auto begin = open.size();
            for (auto left = std::min(kClientsAtOnce, count - begin); left > 0; --left) {
                open.push_back(proxy().connect().value());
                ASSERT_TRUE(open.back().send(encode_command({"PING"})));
            }
            for (auto at = begin; at < open.size(); ++at) {
                const auto reply = open[at].read_reply();
                ASSERT_TRUE(reply) << to_string(reply.error());
                ASSERT_EQ(to_string(*reply), "+PONG") << "client " << at;
            }
        }
    }

    std::size_t descriptors_ = 0;
};

TEST_F(ProxyMemoryTest, a_proxy_that_has_started_holds_at_most_6_mb_2_of_them_its_own) {
    // Three seconds after the start it gives back what only starting needed; before that it may hold more, or not yet.
    const auto given_back = std::chrono::steady_clock::now() + 3s;
    EXPECT_TRUE(eventually(
        [&] { return std::chrono::steady_clock::now() > given_back && proxy().memory("VmRSS") <= 6 * kMegabyte; }, 10s))
        << "VmRSS " << proxy().memory("VmRSS");
    EXPECT_LE(memory(), 2 * kMegabyte);
    // Every 10 s it looks at its files, which must not bring back what reading them needs.
    EXPECT_FALSE(eventually([&] { return proxy().memory("VmRSS") > 6 * kMegabyte; }, 9s))
        << "VmRSS " << proxy().memory("VmRSS");
    RecordProperty("rss", static_cast<int>(proxy().memory("VmRSS")));
    RecordProperty("rss_anon", static_cast<int>(memory()));
}

TEST_F(ProxyMemoryTest, nine_thousand_connections_opened_used_and_dropped_leave_at_most_2_mb) {
    // Two descriptors a client in the proxy; where the machine grants fewer, fewer clients come.
    const auto count = std::min(kClients, (descriptors_ - kOtherDescriptors) / 2);
    ASSERT_GE(count, kClients / 9) << "this machine grants " << descriptors_ << " descriptors";
    const auto before = memory();
    ASSERT_GT(before, 0U);
    std::vector<RespClient> open;
    ASSERT_NO_FATAL_FAILURE(open_and_use(open, count));
    ASSERT_EQ(clients(), static_cast<double>(count));
    const auto most = memory();
    open.clear();
    ASSERT_TRUE(eventually([&] { return clients() == 0; }));
    const bool fell = eventually([&] { return memory() <= before + 2 * kMegabyte; }, 30s);
    EXPECT_TRUE(fell) << before << " before, " << most << " with all, " << memory() << " after";
    EXPECT_EQ(ask({"PING"}), "+PONG");
    RecordProperty("clients", static_cast<int>(count));
    RecordProperty("rss_anon_before", static_cast<int>(before));
    RecordProperty("rss_anon_most", static_cast<int>(most));
    RecordProperty("rss_anon_after", static_cast<int>(memory()));
}

}  // namespace
}  // namespace cvp::test
