#include "operator/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cvp::op {
namespace {

using testing::Contains;
using testing::HasSubstr;

Command parsed(const std::vector<std::string>& arguments, const Environment& environment = {}) {
    auto command = parse_command(arguments, environment);
    EXPECT_TRUE(command) << command.error().front();
    return command.value_or(Command());
}

Faults faults_of(const std::vector<std::string>& arguments, const Environment& environment = {}) {
    const auto command = parse_command(arguments, environment);
    EXPECT_FALSE(command);
    return command ? Faults() : command.error();
}

TEST(OperatorConfig, has_the_defaults_of_the_contract) {
    const auto config = parsed({"--proxy-image=proxy:1"}).config;
    EXPECT_EQ(config.proxy_image, "proxy:1");
    EXPECT_EQ(config.webhook_port, 10250);
    EXPECT_EQ(config.metrics_port, 8080);
    EXPECT_EQ(config.probe_port, 8081);
    EXPECT_EQ(config.watch_namespaces, std::vector<std::string>{});
    EXPECT_EQ(config.kubeconfig, "");
    EXPECT_EQ(config.api, (http::Origin{true, "memorystore.googleapis.com", 443}));
    EXPECT_FALSE(config.api_is_overridden);
    EXPECT_EQ(config.metadata_server.host, "169.254.169.254");
}

TEST(OperatorConfig, takes_flags_and_variables) {
    const auto config = parsed({"--webhook-port", "9443", "--watch-namespaces=shop,blog,shop", "--log-level=debug"},
                               {{"CVP_PROXY_IMAGE", "proxy:2"},
                                {"CVP_WEBHOOK_PORT", "1"},
                                {"CVP_METRICS_PORT", "9090"},
                                {"KUBECONFIG", "/k"},
                                {"CVP_GOOGLE_API_BASE", "http://127.0.0.1:99"},
                                {"GCE_METADATA_HOST", "127.0.0.1:98"}})
                            .config;
    EXPECT_EQ(config.proxy_image, "proxy:2");
    EXPECT_EQ(config.webhook_port, 9443) << "a flag wins";
    EXPECT_EQ(config.metrics_port, 9090);
    EXPECT_EQ(config.watch_namespaces, (std::vector<std::string>{"shop", "blog"}));
    EXPECT_EQ(config.kubeconfig, "/k");
    EXPECT_EQ(config.log_level, log::Level::debug);
    EXPECT_TRUE(config.api_is_overridden);
    EXPECT_EQ(config.api.port, 99);
    EXPECT_EQ(config.metadata_server.port, 98);
}

TEST(OperatorConfig, reads_how_pods_are_injected) {
    const auto defaults = parsed({"--proxy-image=p"}).config;
    EXPECT_EQ(defaults.injection_mode, InjectionMode::webhook);
    EXPECT_EQ(defaults.ca_settle, std::chrono::seconds(60));
    EXPECT_EQ(defaults.ca_overlap, std::chrono::hours(1));
    EXPECT_EQ(defaults.webhook_tls_dir, "");
    EXPECT_EQ(defaults.image_pull_secrets, std::vector<std::string>{});

    const auto config = parsed({"--injection-mode=Policy", "--ca-settle=2s", "--ca-overlap=10s", "--webhook-tls-dir=/t",
                                "--image-pull-secrets=a,b.c"})
                            .config;
    EXPECT_EQ(config.injection_mode, InjectionMode::policy);
    EXPECT_EQ(config.proxy_image, "") << "the policy names the image";
    EXPECT_EQ(config.ca_settle, std::chrono::seconds(2));
    EXPECT_EQ(config.ca_overlap, std::chrono::seconds(10));
    EXPECT_EQ(config.webhook_tls_dir, "/t");
    EXPECT_EQ(config.image_pull_secrets, (std::vector<std::string>{"a", "b.c"}));

    EXPECT_THAT(faults_of({"--proxy-image=p", "--injection-mode=Magic"}),
                Contains("--injection-mode: \"Magic\" must be Webhook or Policy"));
    EXPECT_THAT(faults_of({"--proxy-image=p", "--image-pull-secrets=a,,b"}), Contains(HasSubstr("names of Secrets")));
}

TEST(OperatorConfig, prefers_its_own_flag_to_kubeconfig_of_the_environment) {
    EXPECT_EQ(parsed({"--proxy-image=p", "--kubeconfig=/mine"}, {{"KUBECONFIG", "/k"}}).config.kubeconfig, "/mine");
    EXPECT_EQ(parsed({"--proxy-image=p"}, {{"KUBECONFIG", "/k"}, {"CVP_KUBECONFIG", "/c"}}).config.kubeconfig, "/c");
}

TEST(OperatorConfig, names_everything_that_is_wrong_at_once) {
    const auto faults = faults_of({"--webhook-port=x", "--nonsense", "word"}, {{"CVP_WATCH_NAMESPACES", "a, b"}});
    EXPECT_THAT(faults, Contains(HasSubstr("--proxy-image is missing")));
    EXPECT_THAT(faults, Contains("--webhook-port: \"x\" must be a port from 1 to 65535"));
    EXPECT_THAT(faults, Contains(HasSubstr("--nonsense: unknown flag")));
    EXPECT_THAT(faults, Contains(HasSubstr("word: unknown word")));
    EXPECT_THAT(faults, Contains(HasSubstr("CVP_WATCH_NAMESPACES: \"a, b\" must be names of namespaces")));
}

TEST(OperatorConfig, refuses_ports_that_are_the_same) {
    EXPECT_THAT(faults_of({"--proxy-image=p", "--metrics-port=8081"}), Contains(HasSubstr("must differ")));
}

TEST(OperatorConfig, refuses_an_api_to_which_tokens_would_go_unprotected) {
    EXPECT_THAT(faults_of({"--proxy-image=p"}, {{"CVP_GOOGLE_API_BASE", "http://example.com"}}),
                Contains(HasSubstr("CVP_GOOGLE_API_BASE")));
}

TEST(OperatorConfig, knows_its_subcommands) {
    EXPECT_EQ(parsed({"version"}).action, Action::version);
    EXPECT_EQ(parsed({"--version"}).action, Action::version);
    const auto help = parsed({"--help"});
    EXPECT_EQ(help.action, Action::help);
    EXPECT_THAT(help.help_text, HasSubstr("--webhook-port"));
    const auto selftest = parsed({"selftest", "--namespace=shop", "--excluded-namespace=ops", "--wait=5s"});
    EXPECT_EQ(selftest.action, Action::selftest);
    EXPECT_EQ(selftest.config.selftest_namespace, "shop");
    EXPECT_EQ(selftest.config.excluded_namespace, "ops");
    EXPECT_EQ(selftest.config.selftest_wait, std::chrono::seconds(5));
    EXPECT_THAT(faults_of({"selftest", "--namespace=Shop"}), Contains(HasSubstr("must be the name of a namespace")));
    const auto resolve = parsed({"resolve", "-f", "sessions.yaml"});
    EXPECT_EQ(resolve.action, Action::resolve);
    EXPECT_EQ(resolve.config.manifest, "sessions.yaml");
    EXPECT_THAT(faults_of({"resolve"}), Contains(HasSubstr("-f FILE is missing")));
}

}  // namespace
}  // namespace cvp::op
