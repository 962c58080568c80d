// The client on a real API server: what it writes is understood, and what it reads is what servers say.

#include <fstream>

#include <gmock/gmock.h>

#include "common/json_access.hpp"
#include "operator/runtime/list_decoder.hpp"
#include "tests/kubernetes/real_client.hpp"
#include "tests/support/temp_dir.hpp"

namespace cvp::test {
namespace {

using op::ApplyOptions;
using op::config_maps;
using op::ListOptions;
using testing::HasSubstr;
using Json = nlohmann::json;

class RealKubeClient : public RealClientTest {
protected:
    RealKubeClient() : RealClientTest("client") {}

    std::string read_all(http::BodyStream& stream) {
        std::string body;
        while (true) {
            const auto piece = call(stream.read_some(SteadyClock::now() + std::chrono::seconds(20)));
            EXPECT_TRUE(piece) << piece.error().context;
            if (!piece || piece->empty()) return body;
            body += *piece;
        }
    }

    /// The number of ConfigMaps on a page, and what it says besides.
    std::pair<std::size_t, op::ListEnd> read_page(const ListOptions& options) {
        const auto stream = call(api_->list(config_maps(name_space_), options));
        EXPECT_TRUE(stream) << stream.error().error.context;
        op::ListDecoder decoder;
        decoder.feed(read_all(**stream));
        std::size_t items = 0;
        for (auto item = decoder.next(); item && *item; item = decoder.next())
            ++items;
        return {items, decoder.finish().value()};
    }
};

TEST_F(RealKubeClient, makes_reads_changes_and_deletes_an_object) {
    const auto path = config_maps(name_space_, "x");
    EXPECT_EQ(call(api_->get(path)).error().error.code, ErrorCode::not_found);
    const auto made = call(api_->create(path, config_map("x", "1")));
    ASSERT_TRUE(made) << made.error().error.context;
    EXPECT_EQ(call(api_->create(path, config_map("x", "1"))).error().reason, "AlreadyExists");
    const auto patched = call(api_->patch(path, op::PatchType::merge, Json{{"data", {{"k", "2"}}}}));
    ASSERT_TRUE(patched) << patched.error().error.context;
    EXPECT_EQ(call(api_->get(path))->at("data").at("k"), "2");
    EXPECT_TRUE(call(api_->remove(path)));
    EXPECT_EQ(call(api_->remove(path)).error().error.code, ErrorCode::not_found);
}

TEST_F(RealKubeClient, applies_with_uid_and_version_as_preconditions) {
    const auto path = config_maps(name_space_, "x");
    const auto first = call(api_->apply(path, config_map("x", "1"), ApplyOptions("me")));
    ASSERT_TRUE(first) << first.error().error.context;

    auto next = config_map("x", "2");
    next["metadata"]["uid"] = first->at("metadata").at("uid");
    next["metadata"]["resourceVersion"] = first->at("metadata").at("resourceVersion");
    const auto second = call(api_->apply(path, next, ApplyOptions("me")));
    ASSERT_TRUE(second) << second.error().error.context;
    EXPECT_EQ(second->at("data").at("k"), "2");
    EXPECT_EQ(find_string(second->at("metadata").at("managedFields").at(0), {"manager"}), "me");

    EXPECT_EQ(call(api_->apply(path, next, ApplyOptions("me"))).error().error.code, ErrorCode::conflict) << "stale";
    next["metadata"].erase("resourceVersion");
    next["metadata"]["uid"] = "11111111-1111-1111-1111-111111111111";
    const auto foreign = call(api_->apply(path, next, ApplyOptions("me")));
    ASSERT_FALSE(foreign);
    EXPECT_EQ(foreign.error().http_status, 422u);
    EXPECT_EQ(foreign.error().causes.at(0).field, "metadata.uid");
}

TEST_F(RealKubeClient, applies_what_changes_nothing_without_a_new_version) {
    const auto path = config_maps(name_space_, "x");
    const auto first = call(api_->apply(path, config_map("x", "1"), ApplyOptions("me")));
    const auto again = call(api_->apply(path, config_map("x", "1"), ApplyOptions("me")));
    ASSERT_TRUE(again);
    EXPECT_EQ(first->at("metadata").at("resourceVersion"), again->at("metadata").at("resourceVersion"));
}

TEST_F(RealKubeClient, applies_a_status_and_reads_which_field_was_wrong) {
    const auto path = op::valkey_connections(name_space_, "sessions");
    Json connection = {{"apiVersion", "cloudvalkey.dev/v1alpha1"},
                       {"kind", "ValkeyConnection"},
                       {"metadata", {{"name", "sessions"}}},
                       {"spec", {{"instance", {{"memorystoreValkey", {{"name", "my-valkey"}}}}}}}};
    ASSERT_TRUE(call(api_->create(path, connection)));
    const Json status = {{"apiVersion", "cloudvalkey.dev/v1alpha1"},
                         {"kind", "ValkeyConnection"},
                         {"metadata", {{"name", "sessions"}}},
                         {"status", {{"observedGeneration", 1}}}};
    const auto written = call(api_->apply(path.with_subresource("status"), status, ApplyOptions("me-status")));
    ASSERT_TRUE(written) << written.error().error.context;
    EXPECT_EQ(written->at("status").at("observedGeneration"), 1);
    EXPECT_EQ(written->at("metadata").at("generation"), 1);

    connection["metadata"]["name"] = "other";
    connection["spec"]["refreshInterval"] = "never";
    const auto refused = call(api_->create(path, connection));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error.code, ErrorCode::invalid_argument);
    EXPECT_EQ(refused.error().causes.at(0).field, "spec.refreshInterval");
    EXPECT_TRUE(call(api_->remove(path)));
}

TEST_F(RealKubeClient, lists_page_by_page_what_is_selected) {
    for (const auto* name : {"a", "b", "c", "d", "e"}) {
        auto object = config_map(name, "1");
        object["metadata"]["labels"] = {{"ours", std::string(name) == "d" ? "no" : "yes"}};
        ASSERT_TRUE(call(api_->create(config_maps(name_space_), object)));
    }
    ListOptions options;
    options.label_selector = "ours=yes";
    options.limit = 3;
    const auto [first_items, first] = read_page(options);
    EXPECT_EQ(first_items, 3u);
    ASSERT_NE(first.continue_token, "");
    options.continue_token = first.continue_token;
    const auto [second_items, second] = read_page(options);
    EXPECT_EQ(second_items, 1u);
    EXPECT_EQ(second.continue_token, "");
    EXPECT_EQ(second.resource_version, first.resource_version);
}

TEST_F(RealKubeClient, tells_a_terminating_namespace_by_its_cause) {
    auto held = config_map("held", "1");
    held["metadata"] = {{"name", "held"}, {"namespace", name_space_}, {"finalizers", {"tests.cloudvalkey.dev/hold"}}};
    ASSERT_TRUE(call(api_->create(config_maps(name_space_), held)));
    ASSERT_TRUE(control_plane().kubectl({"delete", "namespace", name_space_, "--wait=false"}));
    const auto made = call(api_->create(config_maps(name_space_), config_map("late", "1")));
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().error.code, ErrorCode::permission_denied);
    EXPECT_TRUE(made.error().has_cause("NamespaceTerminating")) << made.error().error.context;
    EXPECT_TRUE(call(api_->patch(config_maps(name_space_, "held"), op::PatchType::merge,
                                 Json{{"metadata", {{"finalizers", nullptr}}}})));
}

TEST_F(RealKubeClient, watches_from_a_version_on) {
    const auto first = call(api_->create(config_maps(name_space_), config_map("x", "1")));
    ASSERT_TRUE(first);
    op::WatchOptions options;
    options.resource_version = find_string(*first, {"metadata", "resourceVersion"});
    options.timeout = std::chrono::seconds(1);
    auto stream = call(api_->watch(config_maps(name_space_), options));
    ASSERT_TRUE(stream) << stream.error().error.context;
    ASSERT_TRUE(call(api_->apply(config_maps(name_space_, "x"), config_map("x", "2"), ApplyOptions("me"))));
    const auto body = read_all(**stream);
    EXPECT_THAT(body, HasSubstr(R"({"type":"MODIFIED")")) << "and it ended when it was asked to";
    EXPECT_THAT(body, testing::Not(HasSubstr("ADDED")));
}

TEST_F(RealKubeClient, logs_in_with_a_service_accounts_token_and_has_its_rights_only) {
    ASSERT_TRUE(control_plane().kubectl({"create", "serviceaccount", "robot", "--namespace=" + name_space_}));
    const auto kubeconfig = control_plane().write_kubeconfig_of_service_account(name_space_, "robot");
    ASSERT_TRUE(kubeconfig) << kubeconfig.error().context;
    auto robot = connect(*kubeconfig);
    const auto refused = call(robot->get(config_maps(name_space_, "x")));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error.code, ErrorCode::permission_denied);
    EXPECT_THAT(refused.error().error.context, HasSubstr("system:serviceaccount:" + name_space_ + ":robot"));
}

TEST_F(RealKubeClient, is_refused_with_a_token_that_is_none) {
    auto config = op::load_kubeconfig(control_plane().admin_kubeconfig());
    ASSERT_TRUE(config);
    config->certificate_pem.clear();
    config->certificate_file.clear();
    config->key_pem = Secret();
    config->key_file.clear();
    config->token = Secret("canary-9c1d");
    const auto refused = call(connect(*config)->get(config_maps(name_space_, "x")));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error.code, ErrorCode::unauthenticated);
    EXPECT_EQ(refused.error().error.context.find("canary"), std::string::npos);
}

TEST_F(RealKubeClient, speaks_to_no_server_of_another_ca) {
    auto config = op::load_kubeconfig(control_plane().admin_kubeconfig());
    ASSERT_TRUE(config);
    config->ca_pem =
        crypto::issue_ca({"foreign", crypto::Validity::from_now(std::chrono::hours(1))}).value().certificate_pem;
    config->ca_file.clear();
    const auto refused = call(connect(*config)->get(config_maps(name_space_, "x")));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error.code, ErrorCode::tls_failed) << refused.error().error.context;
}

}  // namespace
}  // namespace cvp::test
