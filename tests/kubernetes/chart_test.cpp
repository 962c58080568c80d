// The chart: rendered by helm, understood by a real API server.

#include "tests/kubernetes/chart.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kubernetes/api_session.hpp"
#include "tests/kubernetes/chart_objects.hpp"
#include "tests/kubernetes/environment.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/source_tree.hpp"

namespace cvp::test {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kCrd = "cloudvalkey.dev_valkeyconnections.yaml";

/// What `kubectl apply --dry-run=server` says to a manifest.
std::string dry_run(const std::string& manifest) {
    const auto result =
        control_plane().kubectl({"apply", "--server-side", "--dry-run=server", "--filename=-"}, manifest);
    EXPECT_TRUE(result) << result.error().context;
    return result ? *result : "";
}

/// Why helm cannot render the chart with a policy.
std::string refusal(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"template", "--set=injection.mode=Policy"});
    arguments.emplace_back("release");
    int status = 0;
    auto text = run_helm(std::move(arguments), status);
    EXPECT_NE(status, 0) << text;
    return text;
}

class Chart : public testing::Test {
protected:
    static void SetUpTestSuite() {
        ensure_release_namespace();
        for (const auto* name : {"team-a", "team-b"})
            ASSERT_TRUE(control_plane().make_namespace(name));
    }
    static void TearDownTestSuite() {
        EXPECT_TRUE(control_plane().kubectl(
            {"delete", "--ignore-not-found", "clusterrole,clusterrolebinding", "cloud-valkey-operator"}));
    }
};

TEST_F(Chart, carries_the_crd_byte_for_byte) {
    EXPECT_EQ(read_source("charts/cloud-valkey-proxy/files/crds/" + kCrd), read_source("crds/" + kCrd))
        << "cp crds/*.yaml charts/cloud-valkey-proxy/files/crds/";
}

TEST_F(Chart, has_nothing_that_helm_lint_minds) {
    int status = -1;
    const auto text = run_helm({"lint", "--strict"}, status);
    EXPECT_EQ(status, 0) << text;
}

TEST_F(Chart, is_accepted_by_the_api_server) {
    const auto answer = dry_run(render_chart());
    for (const auto* object :
         {"customresourcedefinition.apiextensions.k8s.io/valkeyconnections.cloudvalkey.dev",
          "serviceaccount/cloud-valkey-operator", "clusterrole.rbac.authorization.k8s.io/cloud-valkey-operator",
          "clusterrolebinding.rbac.authorization.k8s.io/cloud-valkey-operator",
          "role.rbac.authorization.k8s.io/cloud-valkey-operator",
          "rolebinding.rbac.authorization.k8s.io/cloud-valkey-operator", "service/cloud-valkey-operator",
          "deployment.apps/cloud-valkey-operator", "poddisruptionbudget.policy/cloud-valkey-operator",
          "mutatingwebhookconfiguration.admissionregistration.k8s.io/cloud-valkey-operator",
          "validatingadmissionpolicy.admissionregistration.k8s.io/cloudvalkey-guard",
          "validatingadmissionpolicybinding.admissionregistration.k8s.io/cloudvalkey-guard",
          "validatingadmissionpolicy.admissionregistration.k8s.io/cloudvalkey-hint",
          "validatingadmissionpolicybinding.admissionregistration.k8s.io/cloudvalkey-hint"}) {
        EXPECT_THAT(answer, HasSubstr(std::string(object) + " serverside-applied (server dry run)"));
    }
}

TEST_F(Chart, leaves_the_ca_bundle_to_the_operator) {
    EXPECT_THAT(render_chart(), Not(HasSubstr("caBundle:")));
}

TEST_F(Chart, keeps_the_crd_unless_told_otherwise) {
    const std::string keep = "helm.sh/resource-policy: keep";
    EXPECT_THAT(render_chart(), HasSubstr(keep));
    EXPECT_THAT(render_chart({"--set", "crds.keep=false"}), Not(HasSubstr(keep)));
    EXPECT_THAT(render_chart({"--set", "crds.enabled=false"}), Not(HasSubstr("CustomResourceDefinition")));
}

TEST_F(Chart, confines_itself_to_listed_namespaces) {
    const auto manifest = render_chart({"--set", "watchNamespaces={team-a,team-b}"});
    const auto answer = dry_run(manifest);
    EXPECT_THAT(answer, HasSubstr("role.rbac.authorization.k8s.io/cloud-valkey-operator-work"));
    EXPECT_THAT(manifest, HasSubstr("--watch-namespaces=team-a,team-b"));
    const auto cluster_role = render_chart({"--set", "watchNamespaces={team-a}", "--show-only", "templates/rbac.yaml"});
    EXPECT_THAT(cluster_role.substr(0, cluster_role.find("kind: ClusterRoleBinding")), Not(HasSubstr("configmaps")));
}

TEST_F(Chart, serves_an_operator_outside_the_cluster) {
    const auto manifest = render_chart({"--set", "webhook.url=https://127.0.0.1:10250/mutate-pods"});
    EXPECT_THAT(dry_run(manifest), HasSubstr("mutatingwebhookconfiguration"));
    EXPECT_THAT(manifest, HasSubstr(R"(url: "https://127.0.0.1:10250/mutate-pods")"));
    EXPECT_THAT(manifest, Not(HasSubstr("kind: Deployment")));
    EXPECT_THAT(manifest, Not(HasSubstr("kind: Service\n")));
}

TEST_F(Chart, puts_one_registry_before_both_images) {
    const auto digest = "sha256:" + std::string(64, 'a');
    const auto manifest =
        render_chart({"--set", "image.registry=registry.example/team,image.tag=2.0,proxy.image.digest=" + digest});
    EXPECT_THAT(manifest, HasSubstr(R"(image: "registry.example/team/cloud-valkey-operator:2.0")"));
    EXPECT_THAT(manifest, HasSubstr("--proxy-image=registry.example/team/cloud-valkey-proxy@" + digest));
}

TEST_F(Chart, refuses_values_that_it_does_not_know) {
    for (const auto* value : {"webhook.prot=1", "webhook.port=0", "webhook.url=http://x/mutate-pods", "image.tag=a b",
                              "watchNamespaces={Bad}", "proxy.digest=x", "injection.mode=webhook", "guard=true",
                              "injection.imagePullSecrets={A_B}", "webhook.certificate.mode=vault",
                              "webhook.certificate.caBundle=-----BEGIN", "terminationGracePeriodSeconds=10",
                              "podDisruptionBudget.minAvailable=1", "replicas=two"}) {
        int status = 0;
        const auto text = run_helm({"template", "--set", value, "release"}, status);
        EXPECT_NE(status, 0) << value;
        EXPECT_THAT(text, HasSubstr("values don't meet the specifications of the schema")) << value;
    }
}

TEST_F(Chart, passes_pod_security_restricted) {
    const std::string label = "pod-security.kubernetes.io/warn";
    ASSERT_TRUE(control_plane().kubectl({"label", "namespace", "cloud-valkey", label + "=restricted"}));
    const auto is_warned_about = [](const std::string& manifest) {
        return !control_plane().kubectl(
            {"apply", "--server-side", "--dry-run=server", "--warnings-as-errors", "--filename=-"}, manifest);
    };
    const auto deployment = render_chart({"--show-only", "templates/deployment.yaml"});
    auto lax = deployment;
    const std::string wish = "runAsNonRoot: true";
    ASSERT_THAT(lax, HasSubstr(wish));
    lax.replace(lax.find(wish), wish.size(), "runAsNonRoot: false");
    EXPECT_TRUE(eventually([&] { return is_warned_about(lax); })) << "the label is in force";
    EXPECT_FALSE(is_warned_about(deployment));
    EXPECT_TRUE(control_plane().kubectl({"label", "namespace", "cloud-valkey", label + "-"}));
}

TEST_F(Chart, runs_images_that_name_a_numeric_user) {
    for (const auto* file : {"Dockerfile.operator", "Dockerfile.proxy"}) {
        const auto text = read_source(file);
        const auto user = text.rfind("\nUSER ");
        ASSERT_NE(user, std::string::npos) << file;
        EXPECT_EQ(text.substr(user + 1, text.find('\n', user + 1) - user - 1), "USER 65532:65532") << file;
        EXPECT_GT(user, text.rfind("\nFROM ")) << file << ": in the last stage";
    }
}

TEST_F(Chart, runs_two_replicas_that_neither_drain_nor_rollout_stops_at_once) {
    const auto manifest = render_chart();
    for (const auto* line : {"replicas: 2", "maxUnavailable: 0", "maxUnavailable: 1", "AlwaysAllow",
                             "topologyKey: kubernetes.io/hostname", "topologyKey: topology.kubernetes.io/zone",
                             "whenUnsatisfiable: ScheduleAnyway", "terminationGracePeriodSeconds: 30"}) {
        EXPECT_THAT(manifest, HasSubstr(line));
    }
    EXPECT_THAT(manifest, Not(HasSubstr("priorityClassName")));
    const auto other = render_chart({"--set", "replicas=3,podDisruptionBudget.enabled=false,priorityClassName=vital"});
    EXPECT_THAT(other, HasSubstr("replicas: 3"));
    EXPECT_THAT(other, HasSubstr("priorityClassName: vital"));
    EXPECT_THAT(other, Not(HasSubstr("PodDisruptionBudget")));
}

TEST_F(Chart, hands_what_concerns_scheduling_to_the_operators_pods) {
    const auto manifest = render_chart(
        {"--set-json",
         R"(nodeSelector={"pool":"system"},tolerations=[{"key":"system","operator":"Exists"}],)"
         R"(affinity={"nodeAffinity":{}},priorityClassName="system-cluster-critical",terminationGracePeriodSeconds=45,)"
         R"(resources={"requests":{"cpu":"77m"}},replicas=3,)"
         R"(topologySpreadConstraints=[{"maxSkew":2,"topologyKey":"rack","whenUnsatisfiable":"ScheduleAnyway"}])"});
    for (const auto* text :
         {"pool: system", "key: system", "nodeAffinity: {}", "priorityClassName: system-cluster-critical",
          "terminationGracePeriodSeconds: 45", "cpu: 77m", "replicas: 3", "topologyKey: rack"})
        EXPECT_THAT(manifest, HasSubstr(text));
    EXPECT_THAT(manifest, Not(HasSubstr("topologyKey: kubernetes.io/hostname"))) << "the user's own win";
    EXPECT_THAT(dry_run(manifest), HasSubstr("deployment.apps/cloud-valkey-operator serverside-applied"));
}

TEST_F(Chart, hands_pull_secrets_to_the_operator_in_either_form) {
    for (const auto* values : {"injection.imagePullSecrets={a,b.c}",
                               "injection.imagePullSecrets[0].name=a,injection.imagePullSecrets[1].name=b.c"}) {
        EXPECT_THAT(render_chart({"--set", values}), HasSubstr("--image-pull-secrets=a,b.c\n")) << values;
    }
    EXPECT_THAT(render_chart(), Not(HasSubstr("--image-pull-secrets")));
}

TEST_F(Chart, turns_guard_and_hint_off) {
    EXPECT_THAT(render_chart({"--set", "guard.enabled=false"}), Not(HasSubstr("cloudvalkey-guard\n  labels")));
    EXPECT_THAT(render_chart({"--set", "hint.enabled=false"}), Not(HasSubstr("cloudvalkey-hint\n  labels")));
}

TEST_F(Chart, injects_by_policy_without_webhook_and_service) {
    const auto manifest = render_chart({"--set", "injection.mode=Policy"});
    EXPECT_THAT(manifest, HasSubstr("--injection-mode=Policy"));
    EXPECT_THAT(manifest, Not(HasSubstr("--proxy-image=")));
    EXPECT_THAT(manifest, HasSubstr("reinvocationPolicy: Never"));
    ApiSession api;
    if (!has_mutating_policies(api)) return;  // PolicyMode.is_refused_by_the_chart_where_the_api_server_is_too_old
    const auto answer = dry_run(manifest);
    EXPECT_THAT(answer, HasSubstr("mutatingadmissionpolicy.admissionregistration.k8s.io/cloudvalkey-inject "));
    EXPECT_THAT(answer, HasSubstr("mutatingadmissionpolicybinding.admissionregistration.k8s.io/cloudvalkey-inject "));
    EXPECT_THAT(answer, HasSubstr("validatingadmissionpolicy.admissionregistration.k8s.io/cloudvalkey-guard "));
    EXPECT_THAT(answer, HasSubstr("deployment.apps/cloud-valkey-operator "));
    EXPECT_THAT(answer, Not(HasSubstr("service/")));
    EXPECT_THAT(answer, Not(HasSubstr("mutatingwebhookconfiguration")));
}

TEST_F(Chart, says_why_it_cannot_inject_by_policy) {
    EXPECT_THAT(refusal({"--kube-version=1.35.9"}), HasSubstr("injection.mode Policy needs Kubernetes 1.36 or later"));
    EXPECT_THAT(refusal({"--kube-version=1.30.4-gke.1"}), HasSubstr("this is v1.30.4: use injection.mode Webhook"));
    EXPECT_THAT(refusal({"--set=guard.enabled=false"}), HasSubstr("needs guard.enabled"));
    EXPECT_THAT(refusal({"--set=webhook.url=https://127.0.0.1:1/mutate-pods"}), HasSubstr("leave webhook.url empty"));
    const auto early = render_chart({"--set=injection.mode=Policy", "--kube-version=1.35.0",
                                     "--api-versions=admissionregistration.k8s.io/v1/MutatingAdmissionPolicy"});
    EXPECT_THAT(early, HasSubstr("kind: MutatingAdmissionPolicy\n")) << "the API server says that it has the kind";
    EXPECT_THAT(render_chart({"--kube-version=1.30.4"}), Not(HasSubstr("kind: MutatingAdmissionPolicy")));
}

TEST_F(Chart, lets_cert_manager_make_the_certificate) {
    const LaxCrd certificates("cert-manager.io", "certificates", "Certificate");
    const auto manifest = render_chart({"--set",
                                        "webhook.certificate.mode=certManager,"
                                        "webhook.certificate.issuerRef.name=ca"});
    EXPECT_THAT(dry_run(manifest), HasSubstr("certificate.cert-manager.io/cloud-valkey-operator serverside-applied"));
    EXPECT_THAT(manifest, HasSubstr("cert-manager.io/inject-ca-from: cloud-valkey/cloud-valkey-operator\n"));
    EXPECT_THAT(manifest, HasSubstr("- cloud-valkey-operator.cloud-valkey.svc\n"));
    EXPECT_THAT(manifest, HasSubstr("secretName: cloud-valkey-operator-cert-manager\n"));
    EXPECT_THAT(manifest, HasSubstr("--webhook-tls-dir=/etc/webhook-tls\n"));
    EXPECT_THAT(manifest, Not(HasSubstr("caBundle:"))) << "cert-manager owns it";
}

TEST_F(Chart, serves_a_given_certificate) {
    const auto manifest = render_chart({"--set",
                                        "webhook.certificate.mode=given,webhook.certificate.secretName=team-tls,"
                                        "webhook.certificate.caBundle=TUlJ"});
    EXPECT_THAT(manifest, HasSubstr("caBundle: TUlJ\n"));
    EXPECT_THAT(manifest, HasSubstr("secretName: team-tls\n"));
    EXPECT_THAT(manifest, HasSubstr("--webhook-tls-dir=/etc/webhook-tls\n"));
    EXPECT_THAT(manifest, HasSubstr("{name: webhook-tls, mountPath: /etc/webhook-tls, readOnly: true}"));
}

TEST_F(Chart, asks_for_what_a_certificate_needs) {
    for (const auto& [values, why] : std::vector<std::pair<std::string, std::string>>{
             {"mode=certManager", "needs webhook.certificate.issuerRef.name"},
             {"mode=given", "needs webhook.certificate.secretName"},
             {"mode=given,webhook.certificate.secretName=x", "and webhook.certificate.caBundle"},
             {"secretName=x", "are for the modes certManager and given"}}) {
        int status = 0;
        const auto text = run_helm({"template", "--set", "webhook.certificate." + values, "release"}, status);
        EXPECT_NE(status, 0) << values;
        EXPECT_THAT(text, HasSubstr(why));
    }
}

TEST_F(Chart, gives_the_operator_what_it_needs_and_no_secret_of_others) {
    const auto applied = control_plane().kubectl(
        {"apply", "--server-side", "--filename=-"},
        render_chart({"--show-only", "templates/rbac.yaml", "--show-only", "templates/serviceaccount.yaml"}));
    ASSERT_TRUE(applied) << applied.error().context;
    const auto can = [](const std::string& verb, const std::string& resource, const std::string& name_space) {
        const auto answer = control_plane().kubectl({"auth", "can-i", verb, resource, "--namespace=" + name_space,
                                                     "--as=system:serviceaccount:cloud-valkey:cloud-valkey-operator"});
        return answer && answer->starts_with("yes");
    };
    EXPECT_TRUE(can("watch", "valkeyconnections.cloudvalkey.dev", "team-a"));
    EXPECT_TRUE(can("patch", "configmaps", "team-a"));
    EXPECT_TRUE(can("patch", "secrets/cloud-valkey-operator-tls", "cloud-valkey"));
    EXPECT_TRUE(can("patch", "mutatingwebhookconfigurations/cloud-valkey-operator", "cloud-valkey"));
    EXPECT_FALSE(can("get", "secrets", "team-a"));
    EXPECT_FALSE(can("create", "secrets", "team-a"));
    EXPECT_FALSE(can("patch", "secrets/cloud-valkey-operator-tls", "team-a"));
    EXPECT_FALSE(can("get", "secrets/other", "cloud-valkey"));
    EXPECT_FALSE(can("patch", "mutatingwebhookconfigurations/other", "cloud-valkey"));
    EXPECT_FALSE(can("delete", "configmaps", "team-a"));
    EXPECT_FALSE(can("create", "pods", "team-a"));
}

}  // namespace
}  // namespace cvp::test
