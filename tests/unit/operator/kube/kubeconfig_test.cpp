#include "operator/kube/kubeconfig.hpp"

#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"

namespace cvp::op {
namespace {

using test::TempDir;

constexpr auto kTwoContexts = R"(
apiVersion: v1
kind: Config
preferences: {}
current-context: second
contexts:
- name: first
  context: {cluster: one, user: one}
- name: second
  context: {cluster: two, user: two, namespace: shop}
clusters:
- name: one
  cluster: {server: https://one.example}
- name: two
  cluster:
    server: https://10.0.0.1:6443/k8s/clusters/c-1/
    certificate-authority-data: Q0EgUEVN
    tls-server-name: kubernetes.default.svc
users:
- name: one
  user: {exec: {command: gke-gcloud-auth-plugin}}
- name: two
  user: {client-certificate: certs/me.crt, client-key: /abs/me.key, token: t-0}
)";

/// A config whose only user and cluster are given as flow maps.
std::string one(const std::string& cluster, const std::string& user) {
    return "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: " +
           cluster + "}]\nusers: [{name: u, user: " + user + "}]\n";
}

std::string fault_of(const std::string& yaml) {
    const auto config = parse_kubeconfig(yaml, "/dir");
    if (config) return "no fault";
    EXPECT_EQ(config.error().code, ErrorCode::invalid_argument);
    return config.error().context;
}

TEST(Kubeconfig, takes_cluster_and_user_of_the_current_context) {
    const auto config = parse_kubeconfig(kTwoContexts, "/home/me/.kube");
    ASSERT_TRUE(config) << config.error().context;
    EXPECT_EQ(config->server.origin, (http::Origin{true, "10.0.0.1", 6443}));
    EXPECT_EQ(config->server.target, "/k8s/clusters/c-1/");
    EXPECT_EQ(config->ca_pem, "CA PEM");
    EXPECT_EQ(config->tls_server_name, "kubernetes.default.svc");
    EXPECT_EQ(config->namespace_name, "shop");
    EXPECT_EQ(config->certificate_file, "/home/me/.kube/certs/me.crt") << "relative to the kubeconfig";
    EXPECT_EQ(config->key_file, "/abs/me.key");
    EXPECT_EQ(config->token.reveal(), "t-0");
    EXPECT_FALSE(config->skip_tls_verify);
}

TEST(Kubeconfig, reads_json_as_kubectl_does) {
    EXPECT_TRUE(parse_kubeconfig(R"({"current-context":"x","contexts":[{"name":"x","context":{"cluster":"c"}}],
        "clusters":[{"name":"c","cluster":{"server":"https://h:1"}}]})",
                                 "/"));
}

TEST(Kubeconfig, refuses_what_runs_another_program_and_says_what_to_use) {
    const auto fault = fault_of(one("{server: 'https://h'}", "{exec: {command: gke-gcloud-auth-plugin}}"));
    EXPECT_NE(fault.find("users[0].user.exec"), std::string::npos) << fault;
    EXPECT_NE(fault.find("kubectl create token"), std::string::npos) << fault;
    EXPECT_NE(fault_of(one("{server: 'https://h'}", "{auth-provider: {name: gcp}}")), "no fault");
    EXPECT_NE(fault_of(one("{server: 'https://h'}", "{username: a, password: b}")), "no fault");
    EXPECT_NE(fault_of(one("{server: 'https://h'}", "{as: somebody}")), "no fault");
    EXPECT_NE(fault_of(one("{server: 'https://h', proxy-url: 'http://p'}", "{}")), "no fault");
}

TEST(Kubeconfig, names_what_is_missing) {
    EXPECT_NE(fault_of("{}").find("current-context"), std::string::npos);
    EXPECT_NE(fault_of("current-context: x").find("not in contexts"), std::string::npos);
    EXPECT_NE(fault_of("current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]").find("clusters"),
              std::string::npos);
    EXPECT_NE(fault_of(one("{}", "{}")).find("clusters[0].cluster.server"), std::string::npos);
    EXPECT_NE(fault_of(one("{server: 'https://h'}", "{client-certificate-data: QQ==}")).find("both or neither"),
              std::string::npos);
    EXPECT_NE(fault_of("no: yaml: at all").find("kubeconfig"), std::string::npos);
}

TEST(Kubeconfig, refuses_a_server_without_tls_beyond_loopback) {
    EXPECT_NE(fault_of(one("{server: 'http://10.0.0.1:8080'}", "{}")).find("https"), std::string::npos);
    EXPECT_EQ(fault_of(one("{server: 'http://127.0.0.1:8001'}", "{}")), "no fault");
}

TEST(Kubeconfig, refuses_broken_base64) {
    EXPECT_NE(fault_of(one("{server: 'https://h', certificate-authority-data: '***'}", "{}")).find("base64"),
              std::string::npos);
}

TEST(Kubeconfig, repeats_no_secret_in_a_fault) {
    for (const auto* user : {"{client-key-data: 'canary-7f3a!'}", "{token: canary-7f3a, username: x}",
                             "{token: [canary-7f3a]}", "{token: 'canary-7f3a', client-key: k}"}) {
        const auto fault = fault_of(one("{server: 'https://h'}", user));
        EXPECT_NE(fault, "no fault") << user;
        EXPECT_EQ(fault.find("canary"), std::string::npos) << fault;
    }
}

TEST(Kubeconfig, names_a_file_that_cannot_be_read) {
    const auto config = load_kubeconfig("/no/such/file");
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(config.error().context.find("/no/such/file: No such file"), std::string::npos) << config.error().context;
}

TEST(KubeCredentials, come_from_files_or_inline) {
    TempDir dir;
    dir.write("ca.crt", "CA");
    dir.write("me.crt", "CERT");
    dir.write("me.key", "KEY");
    const auto token = dir.write("token", "t-1\n");
    const auto config =
        parse_kubeconfig(one("{server: 'https://h', certificate-authority: ca.crt, insecure-skip-tls-verify: true}",
                             "{client-certificate: me.crt, client-key: me.key, token: old, tokenFile: token}"),
                         dir.path());
    ASSERT_TRUE(config) << config.error().context;
    auto loaded = load_kube_credentials(*config);
    ASSERT_TRUE(loaded) << loaded.error().context;
    EXPECT_EQ(loaded->tls.ca_pem, "CA");
    EXPECT_EQ(loaded->tls.certificate_pem, "CERT");
    EXPECT_EQ(loaded->tls.key_pem.reveal(), "KEY");
    EXPECT_EQ(loaded->tls.verify, tls::Verify::none);
    EXPECT_FALSE(loaded->tls.system_roots);
    EXPECT_EQ(loaded->token.reveal(), "t-1") << "the file wins, without its newline";

    dir.write("token", "t-2");
    EXPECT_EQ(load_kube_credentials(*config)->token.reveal(), "t-2") << "it is read again";
    dir.write("token", "\n");
    EXPECT_EQ(load_kube_credentials(*config).error().context, token.string() + " is empty");
    std::filesystem::remove(dir.path() / "ca.crt");
    EXPECT_EQ(load_kube_credentials(*config).error().code, ErrorCode::invalid_argument);
}

TEST(KubeCredentials, trust_the_system_only_where_no_ca_is_named) {
    const auto config = parse_kubeconfig(one("{server: 'https://h'}", "{}"), "/");
    const auto loaded = load_kube_credentials(*config);
    ASSERT_TRUE(loaded);
    EXPECT_TRUE(loaded->tls.system_roots);
    EXPECT_EQ(loaded->tls.verify, tls::Verify::full);
}

TEST(InClusterConfig, is_the_pods_service_account) {
    TempDir dir;
    dir.write("namespace", "cloud-valkey\n");
    dir.write("token", "t");
    dir.write("ca.crt", "CA");
    const Environment environment = {{"KUBERNETES_SERVICE_HOST", "fd00::1"}, {"KUBERNETES_SERVICE_PORT", "443"}};
    const auto config = in_cluster_config(environment, dir.path());
    ASSERT_TRUE(config) << config.error().context;
    EXPECT_EQ(config->server.origin, (http::Origin{true, "fd00::1", 443}));
    EXPECT_EQ(config->namespace_name, "cloud-valkey");
    const auto loaded = load_kube_credentials(*config);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->token.reveal(), "t");
    EXPECT_EQ(loaded->tls.ca_pem, "CA");
}

TEST(InClusterConfig, says_that_we_are_in_no_pod) {
    const auto config = in_cluster_config({}, "/");
    ASSERT_FALSE(config);
    EXPECT_NE(config.error().context.find("--kubeconfig"), std::string::npos);
}

}  // namespace
}  // namespace cvp::op
