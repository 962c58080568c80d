#include "operator/kube/client.hpp"

#include <deque>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/http/server.hpp"
#include "tests/support/async.hpp"
#include "tests/support/temp_dir.hpp"

namespace cvp::op {
namespace {

using test::run;
using test::TempDir;
using Json = nlohmann::json;

http::Response json_response(unsigned status, const Json& body) {
    return http::make_response(status, "application/json", body.dump());
}

/// A client against a server of ours that answers as scripted and keeps what it was asked.
class KubeClientTest : public testing::Test {
protected:
    KubeClientTest() {
        EXPECT_TRUE(server_.listen("127.0.0.1:0"));
        config_.server.origin = http::Origin{false, "127.0.0.1", server_.port()};
    }

    Awaitable<http::Response> answer(http::Request request) {
        requests_.push_back(std::move(request));
        auto response = answers_.empty() ? json_response(200, {{"kind", "Thing"}}) : std::move(answers_.front());
        if (!answers_.empty()) answers_.pop_front();
        co_return response;
    }

    KubeClient& client() {
        if (!client_) client_.emplace(io_, config_, load_kube_credentials(config_).value(), "test/1", limits_);
        return *client_;
    }
    std::string header(std::size_t index, std::string_view name) {
        return std::string(requests_.at(index).headers.find(name).value_or("absent"));
    }

    asio::io_context io_;
    TempDir dir_;
    KubeConfig config_;
    KubeLimits limits_;
    std::deque<http::Response> answers_;
    std::vector<http::Request> requests_;
    http::Server server_{io_, [this](http::Request request, http::Peer) { return answer(std::move(request)); }};
    std::optional<KubeClient> client_;
};

TEST_F(KubeClientTest, gets_an_object_and_says_who_it_is) {
    config_.token = Secret("t-0");
    answers_ = {json_response(200, {{"kind", "ConfigMap"}})};
    const auto object = run(io_, client().get(config_maps("shop", "x")));
    ASSERT_TRUE(object) << object.error().error.context;
    EXPECT_EQ(object->at("kind"), "ConfigMap");
    EXPECT_EQ(requests_.at(0).method, "GET");
    EXPECT_EQ(requests_.at(0).target, "/api/v1/namespaces/shop/configmaps/x");
    EXPECT_EQ(header(0, "Authorization"), "Bearer t-0");
    EXPECT_EQ(header(0, "User-Agent"), "test/1");
    EXPECT_EQ(header(0, "Accept"), "application/json");
}

TEST_F(KubeClientTest, puts_the_servers_path_before_each_request) {
    config_.server.target = "/k8s/clusters/c-1/";
    run(io_, client().get(namespaces("shop")));
    EXPECT_EQ(requests_.at(0).target, "/k8s/clusters/c-1/api/v1/namespaces/shop");
    EXPECT_EQ(header(0, "Authorization"), "absent");
}

TEST_F(KubeClientTest, applies_as_a_manager_by_force) {
    const Json object = {{"kind", "ConfigMap"}};
    run(io_, client().apply(config_maps("shop", "x"), object, ApplyOptions("me")));
    EXPECT_EQ(requests_.at(0).method, "PATCH");
    EXPECT_EQ(requests_.at(0).target, "/api/v1/namespaces/shop/configmaps/x?fieldManager=me&force=true");
    EXPECT_EQ(header(0, "Content-Type"), "application/apply-patch+yaml");
    EXPECT_EQ(Json::parse(requests_.at(0).body), object);
    const auto status = valkey_connections("shop", "x").with_subresource("status");
    run(io_, client().apply(status, object, ApplyOptions("me-status", false)));
    EXPECT_EQ(requests_.at(1).target,
              "/apis/cloudvalkey.dev/v1alpha1/namespaces/shop/valkeyconnections/x/status?fieldManager=me-status&"
              "force=false");
}

TEST_F(KubeClientTest, creates_patches_and_deletes) {
    run(io_, client().create(config_maps("shop", "x"), Json{{"kind", "ConfigMap"}}));
    run(io_, client().patch(pods("shop", "p"), PatchType::strategic, Json::object()));
    run(io_, client().patch(pods("shop", "p"), PatchType::merge, Json::object()));
    run(io_, client().patch(pods("shop", "p"), PatchType::json, Json::array()));
    EXPECT_TRUE(run(io_, client().remove(pods("shop", "p"))));
    EXPECT_EQ(requests_.at(0).method + requests_.at(0).target, "POST/api/v1/namespaces/shop/configmaps");
    EXPECT_EQ(header(0, "Content-Type"), "application/json");
    EXPECT_EQ(header(1, "Content-Type"), "application/strategic-merge-patch+json");
    EXPECT_EQ(header(2, "Content-Type"), "application/merge-patch+json");
    EXPECT_EQ(header(3, "Content-Type"), "application/json-patch+json");
    EXPECT_EQ(requests_.at(4).method + requests_.at(4).target, "DELETE/api/v1/namespaces/shop/pods/p");
}

TEST_F(KubeClientTest, hands_on_what_the_servers_status_says) {
    answers_ = {json_response(409, {{"kind", "Status"}, {"reason", "AlreadyExists"}, {"message", "it is there"}})};
    const auto made = run(io_, client().create(config_maps("shop", "x"), Json::object()));
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().reason, "AlreadyExists");
    EXPECT_EQ(made.error().error, (Error{ErrorCode::conflict, "create configmaps shop/x: it is there"}));
}

TEST_F(KubeClientTest, takes_an_answer_that_is_no_object_for_a_fault) {
    answers_ = {http::make_response(200, "text/html", "<html>"), http::make_response(302, "text/html", "")};
    EXPECT_EQ(run(io_, client().get(pods("shop", "p"))).error().error.code, ErrorCode::protocol_error);
    EXPECT_EQ(run(io_, client().get(pods("shop", "p"))).error().error.code, ErrorCode::protocol_error)
        << "a redirect is not followed: it could lead the token away";
    EXPECT_EQ(requests_.size(), 2u);
}

TEST_F(KubeClientTest, reads_its_token_again_after_a_401_and_tries_once_more) {
    config_.token_file = dir_.write("token", "old");
    answers_ = {json_response(200, {{"kind", "Pod"}}), json_response(401, {{"kind", "Status"}, {"code", 401}})};
    ASSERT_TRUE(run(io_, client().get(pods("shop", "p"))));
    dir_.write("token", "new");
    EXPECT_TRUE(run(io_, client().get(pods("shop", "p"))));
    ASSERT_EQ(requests_.size(), 3u);
    EXPECT_EQ(header(1, "Authorization"), "Bearer old");
    EXPECT_EQ(header(2, "Authorization"), "Bearer new");
}

TEST_F(KubeClientTest, hands_on_a_401_that_a_new_token_cannot_heal) {
    config_.token_file = dir_.write("token", "same");
    answers_ = {json_response(401, {{"kind", "Status"}, {"code", 401}})};
    EXPECT_EQ(run(io_, client().get(pods("shop", "p"))).error().error.code, ErrorCode::unauthenticated);
    EXPECT_EQ(requests_.size(), 1u);
}

TEST_F(KubeClientTest, keeps_its_token_when_the_file_is_gone) {
    config_.token_file = dir_.write("token", "kept");
    client();
    std::filesystem::remove(config_.token_file);
    answers_ = {json_response(401, {{"kind", "Status"}, {"code", 401}})};
    EXPECT_FALSE(run(io_, client().get(pods("shop", "p"))));
    EXPECT_TRUE(run(io_, client().get(pods("shop", "p"))));
    EXPECT_EQ(header(1, "Authorization"), "Bearer kept");
}

TEST_F(KubeClientTest, opens_a_watch) {
    config_.token = Secret("t-0");
    answers_ = {http::make_response(200, "application/json", "{\"type\":\"BOOKMARK\"}\n")};
    WatchOptions options;
    options.resource_version = "7";
    auto stream = run(io_, client().watch(pods("shop"), options));
    ASSERT_TRUE(stream) << stream.error().error.context;
    EXPECT_EQ(header(0, "Authorization"), "Bearer t-0");
    const auto deadline = SteadyClock::now() + std::chrono::seconds(5);
    EXPECT_EQ(run(io_, (*stream)->read_some(deadline)).value(), "{\"type\":\"BOOKMARK\"}\n");
    EXPECT_EQ(run(io_, (*stream)->read_some(deadline)).value(), "") << "the end";
}

TEST_F(KubeClientTest, reads_why_a_watch_was_refused) {
    answers_ = {json_response(410, {{"kind", "Status"}, {"code", 410}, {"message", "too old"}})};
    const auto stream = run(io_, client().watch(pods("shop"), WatchOptions()));
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().error, (Error{ErrorCode::gone, "watch pods in shop: too old"}));
}

TEST_F(KubeClientTest, opens_a_watch_with_a_new_token_after_a_401) {
    config_.token_file = dir_.write("token", "old");
    client();
    dir_.write("token", "new");
    answers_ = {json_response(401, {{"kind", "Status"}, {"code", 401}})};
    EXPECT_TRUE(run(io_, client().watch(pods("shop"), WatchOptions())));
    EXPECT_EQ(header(1, "Authorization"), "Bearer new");
}

TEST_F(KubeClientTest, replaces_an_object) {
    run(io_, client().replace(config_maps("shop", "x"), {{"kind", "ConfigMap"}}));
    EXPECT_EQ(requests_.at(0).method, "PUT");
    EXPECT_EQ(requests_.at(0).target, "/api/v1/namespaces/shop/configmaps/x");
    EXPECT_EQ(requests_.at(0).body, R"({"kind":"ConfigMap"})");
}

TEST_F(KubeClientTest, spreads_its_calls) {
    limits_.calls_per_second = 20;
    limits_.burst = 1;
    const auto begun = SteadyClock::now();
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(run(io_, client().get(pods("shop", "p"))));
    EXPECT_GE(SteadyClock::now() - begun, std::chrono::milliseconds(100)) << "one at once, one after 50 ms each";
}

TEST_F(KubeClientTest, makes_no_call_while_the_server_wants_none) {
    auto busy = json_response(429, {{"kind", "Status"}, {"code", 429}});
    busy.headers.set("Retry-After", "1");
    answers_ = {std::move(busy)};
    EXPECT_EQ(run(io_, client().get(pods("shop", "p"))).error().retry_after, std::chrono::seconds(1));
    const auto begun = SteadyClock::now();
    EXPECT_TRUE(run(io_, client().get(pods("shop", "other"))));
    EXPECT_GE(SteadyClock::now() - begun, std::chrono::milliseconds(900));
}

TEST_F(KubeClientTest, ends_calls_that_wait_their_turn) {
    limits_.calls_per_second = 0.001;
    limits_.burst = 1;
    EXPECT_TRUE(run(io_, client().get(pods("shop", "p"))));
    test::Started waiting(io_, client().get(pods("shop", "p")));
    client().close();
    EXPECT_EQ(waiting.get().error().error.code, ErrorCode::cancelled);
}

TEST_F(KubeClientTest, tells_of_every_answer) {
    std::vector<std::string> told;
    client().set_on_answer(
        [&](std::string_view method, std::string_view host, unsigned status, SteadyClock::duration latency) {
            EXPECT_GE(latency, SteadyClock::duration::zero());
            told.push_back(std::string(method) + " " + std::string(host) + " " + std::to_string(status));
        });
    answers_ = {json_response(404, Json::object())};
    run(io_, client().get(pods("shop", "p")));
    client().close();
    EXPECT_EQ(run(io_, client().get(pods("shop", "p"))).error().error.code, ErrorCode::cancelled);
    EXPECT_EQ(told, (std::vector<std::string>{"GET 127.0.0.1 404", "GET 127.0.0.1 0"}));
}

}  // namespace
}  // namespace cvp::op
