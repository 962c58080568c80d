// kubectl cloudvalkey: the same decisions as the webhook's, on files.
#include "operator/cli/plugin.hpp"

#include <filesystem>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "operator/cli/explain.hpp"
#include "operator/cli/iam.hpp"
#include "operator/cli/inject.hpp"
#include "operator/cli/manifest.hpp"
#include "tests/support/source_tree.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

struct Ended {
    int status = 0;
    std::string out;
    std::string err;
};

Ended run(std::vector<std::string> arguments, const std::string& input = "") {
    std::istringstream in(input);
    std::ostringstream out, err;
    const auto status = run_plugin(std::move(arguments), in, out, err);
    return {status, out.str(), err.str()};
}

Ended inject(const std::string& manifest) {
    return run({"inject", "-f", "-", "--proxy-image", "registry.example/cloud-valkey-proxy:1.2.3"}, manifest);
}

Ended explain_text(const std::string& manifest) {
    return run({"explain", "-f", "-"}, manifest);
}

constexpr auto kDeployment =
    "apiVersion: apps/v1\n"
    "kind: Deployment\n"
    "metadata: {name: shop}\n"
    "spec:\n"
    "  replicas: 2\n"
    "  template:\n"
    "    metadata:\n"
    "      labels: {app: shop, tier: \"1\"}\n"
    "      annotations: {cloudvalkey.dev/connections: \"sessions, orders:6390/6391\"}\n"
    "    spec:\n"
    "      containers: [{name: app, image: app, args: [\"--flag=yes\", on, '5']}]\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Service\n"
    "metadata: {name: shop}\n";

TEST(PluginInject, does_to_every_golden_pod_what_the_webhook_does) {
    std::size_t injected = 0, refused = 0;
    for (const auto& entry : std::filesystem::directory_iterator(test::source_path("tests/golden/pods"))) {
        const auto file = entry.path().string();
        if (!file.ends_with(".in.json")) continue;
        const auto base = file.substr(0, file.size() - std::string(".in.json").size());
        const auto pod = json::parse(test::read_source(file));
        const auto outcome = json::parse(test::read_source(base + ".out.json"));
        if (pod.value("kind", "") != "Pod") continue;
        const InjectionConfig config{"1.2.3", "registry.example/cloud-valkey-proxy:1.2.3", {}};
        const auto result = inject_manifest(pod.dump(), config);
        ASSERT_TRUE(result) << base;
        if (outcome.contains("refused")) {
            ++refused;
            EXPECT_TRUE(result->is_refused) << base;
            EXPECT_EQ(json::parse(result->manifest), pod) << base << ": it is printed as it was";
        } else if (outcome.contains("spec")) {
            ++injected;
            EXPECT_EQ(json::parse(result->manifest), outcome) << base;
            EXPECT_EQ(inject_manifest(result->manifest, config)->manifest, result->manifest) << base;
        }
    }
    EXPECT_GE(injected, 10u);
    EXPECT_GE(refused, 5u);
}

TEST(PluginInject, reaches_into_pod_templates_and_leaves_the_rest) {
    const auto ended = inject(kDeployment);
    EXPECT_EQ(ended.status, 0) << ended.err;
    EXPECT_EQ(ended.err, "Deployment/shop: injected\n");
    const auto list = json::parse(ended.out);
    ASSERT_EQ(list.at("kind"), "List");
    const auto& deployment = list.at("items").at(0);
    EXPECT_EQ(deployment.at("spec").at("replicas"), 2);
    const auto& pod = deployment.at("spec").at("template");
    EXPECT_FALSE(pod.contains("kind"));
    EXPECT_EQ(pod.at("metadata").at("labels").at("tier"), "1") << "what stood in quotes is no number";
    EXPECT_EQ(pod.at("spec").at("containers").at(0).at("args"), json({"--flag=yes", "on", "5"}));
    EXPECT_EQ(pod.at("spec").at("initContainers").at(0).at("args"),
              json({"--connection=sessions:6379", "--connection=orders:6390/6391"}));
    EXPECT_EQ(list.at("items").at(1).at("kind"), "Service");
    EXPECT_EQ(inject(ended.out).out, ended.out) << "once is enough";
    EXPECT_THAT(inject(ended.out).err, HasSubstr("it has its sidecar already"));
}

TEST(PluginInject, says_what_would_be_refused) {
    const auto ended = inject(R"({"kind": "Pod", "metadata": {"name": "a", "annotations":
        {"cloudvalkey.dev/connections": "Bad", "cloudvalkey.dev/typo": "x"}}, "spec": {"containers": []}})");
    EXPECT_EQ(ended.status, 1);
    EXPECT_THAT(ended.err, HasSubstr("Pod/a: refused: BadName: "));
    EXPECT_THAT(ended.err, HasSubstr("Pod/a: warning: "));
}

TEST(PluginInject, says_where_a_file_is_wrong) {
    EXPECT_EQ(inject("kind: Pod\n---\na: [\n").status, 64);
    EXPECT_THAT(inject("kind: Pod\n---\na: [\n").err, HasSubstr("document 2"));
    EXPECT_THAT(inject("just words").err, HasSubstr("it has no kind"));
    EXPECT_THAT(run({"inject", "-f", "/nowhere", "--proxy-image", "x"}).err, HasSubstr("/nowhere"));
    EXPECT_THAT(run({"inject", "--proxy-image", "x"}).err, HasSubstr("-f FILE"));
    EXPECT_THAT(run({"inject", "-f", "-"}).err, HasSubstr("--proxy-image"));
}

TEST(PluginExplain, names_the_commonest_mistake) {
    const auto ended = explain_text(
        "kind: Deployment\nmetadata: {name: a, annotations: {cloudvalkey.dev/connections: s}}\n"
        "spec: {template: {spec: {containers: []}}}\n");
    EXPECT_EQ(ended.status, 1);
    EXPECT_THAT(ended.out, HasSubstr("is on the Deployment and not on its pods"));
    EXPECT_THAT(ended.out, HasSubstr("→ move it to spec.template.metadata.annotations"));
}

TEST(PluginExplain, goes_through_the_rules_of_one_that_is_injected) {
    const auto ended = explain_text(kDeployment);
    EXPECT_EQ(ended.status, 1) << "the Service has no pod";
    EXPECT_THAT(ended.out,
                HasSubstr("✓ the pod asks: cloudvalkey.dev/connections: \"sessions, orders:6390/6391\"\n"
                          "✓ nothing speaks against a sidecar\n"
                          "· sessions is served on 127.0.0.1:6379; needs ConfigMap cloudvalkey-sessions, may "
                          "have Secret cloudvalkey-sessions\n"
                          "· orders is served on 127.0.0.1:6390, its readers on 6391; "));
    EXPECT_THAT(ended.out, HasSubstr("✓ it gets its sidecar when the pod is created\n"));
}

TEST(PluginExplain, tells_a_stored_pod_with_its_sidecar_from_one_without) {
    json pod = {{"kind", "Pod"},
                {"metadata",
                 {{"name", "a"},
                  {"namespace", "shop"},
                  {"uid", "1"},
                  {"annotations", {{"cloudvalkey.dev/connections", "sessions"}}}}},
                {"spec", {{"containers", json::array({{{"name", "app"}}})}}}};
    EXPECT_THAT(explain_text(pod.dump()).out, HasSubstr("✗ the pod was admitted without its sidecar"));
    EXPECT_EQ(explain_text(pod.dump()).status, 1);
    const auto injected = explain_text(inject(pod.dump()).out);
    EXPECT_THAT(injected.out, HasSubstr("✓ namespace shop is not excluded\n"));
    EXPECT_THAT(injected.out, HasSubstr("✓ the pod has its sidecar\n"));
    EXPECT_EQ(injected.status, 0);
    pod["metadata"]["namespace"] = "kube-system";
    EXPECT_THAT(explain_text(pod.dump()).out,
                HasSubstr("✗ namespace kube-system is one that nothing of ours looks at"));
}

TEST(PluginExplain, repeats_the_refusal_with_its_remedy) {
    const auto ended = explain_text(R"({"kind": "Pod", "metadata": {"annotations":
        {"cloudvalkey.dev/connections": "sessions"}}, "spec": {"hostNetwork": true}})");
    EXPECT_THAT(ended.out, HasSubstr("✗ such a pod is refused: HostNetwork\n  → with hostNetwork"));
    EXPECT_THAT(explain_text("kind: Pod\nmetadata: {name: a}\n").out, HasSubstr("✗ the pod does not ask"));
}

TEST(PluginExplain, excludes_the_namespaces_that_the_chart_excludes) {
    const auto chart = test::read_source("charts/cloud-valkey-proxy/templates/_helpers.tpl");
    for (const auto* name : {"kube-system", "kube-node-lease", "gke-gmp-system", "gke-managed-cim", "gmp-system"}) {
        EXPECT_THAT(chart, HasSubstr(std::string("      - ") + name + "\n"));
        const json pod = {
            {"kind", "Pod"},
            {"metadata", {{"namespace", name}, {"annotations", {{"cloudvalkey.dev/connections", "sessions"}}}}}};
        EXPECT_THAT(explain_text(pod.dump()).out, HasSubstr("nothing of ours looks at")) << name;
    }
}

TEST(PluginIam, prints_the_bindings_in_three_forms) {
    const std::vector<std::string> who = {
        "--instance", "projects/p-1/locations/r/instances/i", "--namespace", "shop", "--service-account", "web"};
    for (const auto* format : {"gcloud", "terraform", "config-connector"}) {
        std::vector<std::string> arguments = {"iam", "print", "--format", format};
        arguments.insert(arguments.end(), who.begin(), who.end());
        const auto ended = run(arguments);
        EXPECT_EQ(ended.status, 0) << ended.err;
        for (const auto* part :
             {"roles/memorystore.viewer", "roles/memorystore.dbConnectionUser", "roles/iam.workloadIdentityUser",
              "p-1.svc.id.goog[shop/web]", "p-1.svc.id.goog[cloud-valkey/cloud-valkey-operator]",
              "projects/p-1/locations/r/instances/i"})
            EXPECT_THAT(ended.out, HasSubstr(part)) << format;
        EXPECT_THAT(ended.out, Not(testing::ContainsRegex("\\{(project|account|short|who|role|ksa|condition)\\}")));
    }
    const auto objects = read_manifests(
        run({"iam", "print", "--format", "config-connector", "--instance", "projects/p/locations/r/instances/i"}).out);
    ASSERT_TRUE(objects);
    EXPECT_EQ(objects->size(), 6u) << "each is an object that can be applied";
}

TEST(PluginIam, gives_each_service_account_an_identity_of_its_own_that_google_takes) {
    std::set<std::string> accounts;
    for (const auto& [space, name] :
         std::vector<std::pair<std::string, std::string>>{{"shop", "default"},
                                                          {"bank", "default"},
                                                          {"a-b", "c"},
                                                          {"a", "b-c"},
                                                          {"1st", "2nd"},
                                                          {"a", "b.c"},
                                                          {std::string(63, 'n'), "a"},
                                                          {std::string(63, 'n'), "b"},
                                                          {"twenty-two-characters-", "x"}}) {
        const auto account = google_account_of(space, name);
        EXPECT_THAT(account, testing::MatchesRegex("[a-z][-a-z0-9]*[a-z0-9]"));
        EXPECT_LE(account.size(), 30u) << account;
        EXPECT_GE(account.size(), 6u) << account;
        EXPECT_TRUE(accounts.insert(account).second) << account << " twice";
    }
    const auto printed = run({"iam", "print", "--instance", "projects/p/locations/r/instances/i", "--namespace", "shop",
                              "--service-account", "web", "--cluster-project", "fleet"})
                             .out;
    EXPECT_THAT(printed, HasSubstr("fleet.svc.id.goog[shop/web]"));
    EXPECT_THAT(printed, HasSubstr("kubectl annotate serviceaccount web --namespace shop"));
    EXPECT_THAT(printed, HasSubstr("serviceAccount:" + google_account_of("shop", "web") + "@p.iam."));
    const auto refused = run({"iam", "print", "--instance", "projects/p/locations/r/instances/i", "--account", "web"});
    EXPECT_EQ(refused.status, 64);
    EXPECT_THAT(refused.err, HasSubstr("'web' is not one that Google takes: 6 to 30"));
}

TEST(PluginIam, takes_instance_and_namespace_from_a_connection) {
    const auto print = [](const std::string& connection) {
        const auto ended = run({"iam", "print", "-f", "-"}, connection);
        return ended.out + ended.err;
    };
    const std::string head =
        "kind: ValkeyConnection\nmetadata: {name: s, namespace: shop}\nspec: {instance: {memorystoreValkey: {name: ";
    EXPECT_THAT(print(head + "projects/p/locations/r/instances/i}}}\n"), HasSubstr("p.svc.id.goog[shop/default]"));
    EXPECT_THAT(print(head + "i}}}\nstatus: {resolved: {instance: projects/q/locations/r/instances/i}}\n"),
                HasSubstr("q.svc.id.goog[shop/default]"));
    EXPECT_THAT(print(head + "i}}}\n"), HasSubstr("and not 'i': give it with --instance"));
    EXPECT_THAT(print("kind: Pod\n"), HasSubstr("must hold one ValkeyConnection"));
    EXPECT_THAT(print("kind: ValkeyConnection\nspec: {instance: {endpoints: {addresses: ['a:1']}}}\n"),
                HasSubstr("Google has nothing to grant"));
}

TEST(PluginIam, wants_a_full_name_and_a_form_that_it_knows) {
    EXPECT_EQ(run({"iam", "print", "--instance", "sessions"}).status, 64);
    EXPECT_THAT(run({"iam", "print", "--instance", "sessions"}).err, HasSubstr("must be a full name"));
    EXPECT_THAT(run({"iam", "print", "--instance", "projects/p/locations/r/instances/i", "--format", "pulumi"}).err,
                HasSubstr("gcloud, terraform or config-connector"));
}

TEST(Plugin, explains_itself) {
    EXPECT_EQ(run({}).status, 64);
    EXPECT_THAT(run({}).err, HasSubstr("inject"));
    EXPECT_EQ(run({"--help"}).status, 0);
    EXPECT_THAT(run({"version"}).out, HasSubstr("kubectl-cloudvalkey "));
    EXPECT_EQ(run({"dance"}).status, 64);
    EXPECT_EQ(run({"doctor"}).status, 64);
    EXPECT_THAT(run({"doctor"}).err, HasSubstr("needs the name of a ValkeyConnection"));
    EXPECT_THAT(run({"check", "-o", "xml"}).err, HasSubstr("must be text or json"));
}

}  // namespace
}  // namespace cvp::op
