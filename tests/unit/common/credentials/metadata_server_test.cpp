#include "common/credentials/metadata_server.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/http/server.hpp"
#include "tests/support/async.hpp"

namespace cvp {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A metadata server with the answers that a test gives it.
class FakeMetadata {
public:
    explicit FakeMetadata(asio::io_context& io)
        : server_(io, [this](http::Request request, http::Peer) { return answer(std::move(request)); }) {
        if (auto listening = server_.listen("127.0.0.1:0"); !listening) throw std::runtime_error("cannot listen");
    }

    http::Origin origin() const { return {false, "127.0.0.1", server_.port()}; }

    std::map<std::string, http::Response> answers;
    std::vector<std::string> asked;

    void say(const std::string& path, const std::string& body, unsigned status = 200) {
        http::Response response{status, {}, body};
        response.headers.set("Metadata-Flavor", "Google");
        answers["/computeMetadata/v1/" + path] = std::move(response);
    }

private:
    Awaitable<http::Response> answer(http::Request request) {
        asked.push_back(request.target);
        if (request.headers.find("Metadata-Flavor") != "Google") co_return http::Response{403, {}, "no flavor"};
        const auto known = answers.find(request.target);
        co_return known == answers.end() ? http::Response{404, {}, "<html>"} : known->second;
    }

    http::Server server_;
};

class MetadataServerTest : public ::testing::Test {
protected:
    template <class T>
    Result<T> run(Awaitable<Result<T>> call) {
        return test::run(io_, std::move(call));
    }

    asio::io_context io_{1};
    FakeMetadata fake_{io_};
    MetadataServer server_{io_, fake_.origin()};
};

TEST_F(MetadataServerTest, tells_where_and_who_we_are) {
    fake_.say("project/project-id", "my-project");
    fake_.say("instance/attributes/cluster-location", "us-central1-a");
    fake_.say("instance/service-accounts/default/email", "a@p.iam.gserviceaccount.com\n");
    EXPECT_EQ(run(server_.fetch_project_id()), "my-project");
    EXPECT_EQ(run(server_.fetch_region()), "us-central1");
    EXPECT_EQ(run(server_.fetch_email()), "a@p.iam.gserviceaccount.com");
}

TEST_F(MetadataServerTest, of_a_plain_vm_has_a_zone_instead_of_a_cluster) {
    fake_.say("instance/zone", "projects/123/zones/europe-west1-b");
    EXPECT_EQ(run(server_.fetch_region()), "europe-west1");
    EXPECT_EQ(fake_.asked.size(), 2u);
}

TEST_F(MetadataServerTest, mints_tokens_of_a_scope) {
    const std::string path = "instance/service-accounts/default/token";
    fake_.say(path + "?scopes=https%3A%2F%2Fa%2Fb", R"({"access_token":"t1","expires_in":3599})");
    fake_.say(path, R"({"access_token":"t2","expires_in":0})");
    MetadataTokenSource source(server_, "https://a/b");
    const auto token = run(source.fetch());
    ASSERT_TRUE(token);
    EXPECT_EQ(token->value, Secret("t1"));
    EXPECT_GT(token->expires_at, SystemClock::now() + 3590s);
    EXPECT_EQ(run(server_.fetch_token("")).error().code, ErrorCode::protocol_error) << "it has expired already";
    EXPECT_THAT(fake_.asked, ElementsAre(HasSubstr("?scopes="), HasSubstr("/token")));
}

TEST_F(MetadataServerTest, is_given_up_when_nobody_is_there) {
    MetadataServer nobody(io_, {false, "127.0.0.1", 1});
    const auto error = run(nobody.fetch_token("")).error();
    EXPECT_EQ(error.code, ErrorCode::unavailable);
    EXPECT_THAT(error.context, HasSubstr("asking the metadata server for a token: "));
}

}  // namespace
}  // namespace cvp
