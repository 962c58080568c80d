#include "operator/cli/resolve.hpp"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/async.hpp"
#include "tests/support/fake_cloud.hpp"
#include "tests/support/temp_dir.hpp"

namespace cvp::op {
namespace {

using providers::Reason;
using testing::HasSubstr;

constexpr auto kTarget = "/v1/projects/my-project/locations/us-central1/instances/my-valkey";

class ResolveOnce : public testing::Test {
protected:
    ResolveOnce() {
        connection.name = "sessions";
        connection.spec.instance = MemorystoreValkeySpec{"my-valkey", ""};
    }
    providers::Outcome resolve() {
        InstanceLookup lookup(cloud, place);
        return cvp::test::run(io, resolve_once(lookup, connection));
    }

    asio::io_context io{1};
    cvp::test::FakeCloud cloud;
    cvp::test::FakePlace place;
    ValkeyConnection connection;
};

TEST_F(ResolveOnce, an_instance_without_tls_needs_one_call) {
    cloud.answers[kTarget] = {
        200, {}, cvp::test::read_source("tests/golden/memorystore/instance-standalone-open.json")};
    const auto outcome = resolve();
    ASSERT_TRUE(outcome.document);
    EXPECT_FALSE(outcome.refusal);
    EXPECT_EQ(outcome.document->name, "sessions");
    EXPECT_EQ(outcome.document->endpoints.at(0).host, "10.128.0.8");
}

TEST_F(ResolveOnce, a_missing_ca_is_a_refusal) {
    cloud.answers[kTarget] = {
        200, {}, cvp::test::read_source("tests/golden/memorystore/instance-cluster-iam-tls.json")};
    const auto outcome = resolve();
    EXPECT_FALSE(outcome.document);
    ASSERT_TRUE(outcome.refusal);
    EXPECT_EQ(outcome.refusal->reason, Reason::instance_not_found);
    EXPECT_THAT(outcome.refusal->message, HasSubstr("certificate authority"));
}

class RunResolve : public testing::Test {
protected:
    int run(const std::string& file) {
        ResolveOptions options;
        options.file = file;
        options.api = {false, "127.0.0.1", 1};
        options.metadata_server = {false, "127.0.0.1", 1};
        return run_resolve(options, out, err);
    }

    cvp::test::TempDir dir;
    std::ostringstream out;
    std::ostringstream err;
};

TEST_F(RunResolve, a_file_that_is_missing_or_wrong_is_a_usage_error) {
    EXPECT_EQ(run("/nonexistent/file.yaml"), 64);
    EXPECT_THAT(err.str(), HasSubstr("/nonexistent/file.yaml"));
    err.str("");
    const auto file = dir.write("c.yaml", "kind: ValkeyConnection\nspec: {instance: {}, typo: 1}\n").string();
    EXPECT_EQ(run(file), 64);
    EXPECT_EQ(err.str(), file + ": spec.typo: unknown key, ignored\n" +  //
                             file + ": apiVersion: is missing; expected cloudvalkey.dev/v1alpha1\n" + file +
                             ": metadata.name: is missing; expected the name of the connection\n" + file +
                             ": spec.instance.memorystoreValkey: is missing; expected the instance, as "
                             "memorystoreValkey: {name: my-valkey}\n");
    EXPECT_EQ(out.str(), "");
}

TEST_F(RunResolve, what_cannot_be_resolved_prints_nothing_but_why) {
    const auto file = dir.write("c.yaml",
                                "apiVersion: cloudvalkey.dev/v1alpha1\nkind: ValkeyConnection\nmetadata: {name: a}\n"
                                "spec: {instance: {memorystoreValkey: {name: my-valkey}}}\n");
    EXPECT_EQ(run(file.string()), 1);
    EXPECT_EQ(out.str(), "");
    EXPECT_THAT(err.str(), testing::StartsWith("CloudUnavailable: \"my-valkey\" is a short name"));
}

TEST_F(RunResolve, a_self_hosted_server_needs_no_cloud) {
    const auto file = dir.write("c.yaml",
                                "apiVersion: cloudvalkey.dev/v1alpha1\nkind: ValkeyConnection\nmetadata: {name: a}\n"
                                "spec: {instance: {endpoints: {addresses: ['10.1.2.3:6379']}}}\n");
    EXPECT_EQ(run(file.string()), 0) << err.str();
    EXPECT_EQ(err.str(), "");
    const auto parsed = parse_resolved_connection(out.str());
    EXPECT_EQ(describe_faults("out", parsed.faults), "");
    EXPECT_EQ(parsed.connection.instance.provider, "endpoints");
    EXPECT_EQ(parsed.connection.endpoints.at(0).host, "10.1.2.3");
}

}  // namespace
}  // namespace cvp::op
