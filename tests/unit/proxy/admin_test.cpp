#include "proxy/admin.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/proxy/sample_view.hpp"

namespace cvp::proxy {
namespace {

using ::testing::HasSubstr;

const http::Peer kLocal{"127.0.0.1", true};
const http::Peer kRemote{"10.1.2.3", false};
const http::Peer kIstio{"127.0.0.6", true};

class AdminServer : public ::testing::Test {
protected:
    http::Response get(const std::string& target, const http::Peer& peer = kLocal) {
        http::Request request;
        request.target = target;
        return admin_.answer(request, peer);
    }
    http::Response post(const std::string& target, const http::Peer& peer = kLocal, http::Headers headers = {}) {
        http::Request request;
        request.method = "POST";
        request.target = target;
        request.headers = std::move(headers);
        return admin_.answer(request, peer);
    }

    View view_ = sample_view();
    int quits_ = 0;
    Admin admin_{[this] { return view_; }, [this] { ++quits_; }};
};

TEST_F(AdminServer, answers_probes_to_everyone) {
    for (const auto* path : {"/startup", "/livez", "/readyz", "/readyz?verbose", "/metrics"}) {
        EXPECT_EQ(get(path, kRemote).status, 200u) << path;
    }
    view_.connections[0].ports[0].upstream.last_success.reset();
    EXPECT_EQ(get("/startup").status, 503u);
    EXPECT_EQ(get("/readyz").body, "sessions: not reached yet\n");
    view_.last_turn = {};
    EXPECT_EQ(get("/livez").status, 503u);
}

TEST_F(AdminServer, shows_its_status_to_this_machine_only) {
    EXPECT_EQ(get("/status").status, 200u);
    EXPECT_EQ(get("/status").headers.find("Content-Type"), "application/json");
    EXPECT_EQ(get("/status", kRemote).status, 403u);
    EXPECT_EQ(get("/status", kIstio).status, 403u) << "a mesh hands on requests from outside";
}

TEST_F(AdminServer, quits_when_this_machine_posts) {
    EXPECT_EQ(post("/quitquitquit", kRemote).status, 403u);
    EXPECT_EQ(post("/quitquitquit", kIstio).status, 403u);
    EXPECT_EQ(post("/quitquitquit", kLocal, {{"Origin", "https://evil.example"}}).status, 403u);
    EXPECT_EQ(get("/quitquitquit").status, 405u);
    EXPECT_EQ(quits_, 0);
    EXPECT_EQ(post("/quitquitquit").status, 200u);
    EXPECT_EQ(quits_, 1);
}

TEST_F(AdminServer, says_what_there_is) {
    EXPECT_EQ(get("/").status, 404u);
    EXPECT_THAT(get("/healthz").body, HasSubstr("/livez"));
    EXPECT_EQ(post("/metrics").headers.find("Allow"), "GET");
    EXPECT_THAT(get("/metrics").body, HasSubstr("cloudvalkey_proxy_info{version="));
}

}  // namespace
}  // namespace cvp::proxy
