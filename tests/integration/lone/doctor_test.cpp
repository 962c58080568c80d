// cloud-valkey-proxy doctor: faults staged in the emulated cloud; its first line names each and the next one mends it.

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/integration/lone/fixture.hpp"
#include "tests/support/silent_port.hpp"
#include "tests/support/value_or_throw.hpp"

namespace cvp::test {
namespace {

using Json = nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class DoctorTest : public LoneProxy {
protected:
    /// What it prints. @param status expected exit code
    std::string doctor(int status = 1, std::vector<std::string> arguments = {"--instance=my-valkey"}) {
        arguments.insert(arguments.begin(), {"doctor", "--wait=3s"});
        const auto ended = run_proxy(arguments);
        EXPECT_EQ(ended.status, status) << ended.out << ended.err;
        return ended.out;
    }
    void stage(const char* method, const std::string& path, const Json& body) {
        const auto done = cloud().admin(method, path, body);
        ASSERT_TRUE(done) << to_string(done.error());
    }
    std::string instance(const std::string& verb) const { return std::string("instances/") + kName + verb; }
    std::string front(const std::string& verb) const { return std::string("fronts/") + kName + verb; }

    /// A document beside which there may be other files.
    std::filesystem::path write_document(const std::string& host, std::uint16_t port, const std::string& rest) {
        return files_.write("connection.yaml",
                            "apiVersion: cloudvalkey.dev/v1alpha1\nkind: ResolvedConnection\n"
                            "name: sessions\ntopology: Standalone\nendpoints: [{role: primary, host: " +
                                host + ", port: " + std::to_string(port) + "}]\n" + rest);
    }
    std::string examine(const std::filesystem::path& document) { return doctor(1, {"--config=" + document.string()}); }

    TempDir files_{"cvp-doctor"};
};

auto finding(const std::string& id, const std::string& remedy) {
    return AllOf(StartsWith("✗ my-valkey: " + id + ": "), HasSubstr("\n  → " + remedy));
}
auto finding_of_document(const std::string& id, const std::string& remedy) {
    return AllOf(StartsWith("✗ sessions: " + id + ": "), HasSubstr("\n  → " + remedy));
}

TEST_F(DoctorTest, finds_a_healthy_instance_healthy_beside_a_proxy_that_serves_it) {
    start_cloud(":valkey,replica");
    start_proxy({"--instance=my-valkey"});
    EXPECT_THAT(doctor(0), AllOf(StartsWith("✓ my-valkey: primary 127.0.0.1:"), HasSubstr("; reader 127.0.0.2:"),
                                 HasSubstr("verified ip:127.0.0.1"), HasSubstr("logged in as valkey-client@")));
    EXPECT_EQ(Json::parse(doctor(0, {"--instance=my-valkey", "--output=json"}))["connections"][0]["ok"], true);
    expect_answer(kPort, {"PING"}, "+PONG");
}

TEST_F(DoctorTest, names_what_the_clouds_api_says) {
    start_cloud(":valkey");
    stage("POST", "faults/rest", {{"status", 403}, {"reason", "SERVICE_DISABLED"}});
    EXPECT_THAT(doctor(), finding("resolve", "gcloud services enable memorystore.googleapis.com --project my-project"));
    stage("DELETE", "faults", {});
    stage("POST", "faults/rest", {{"status", 403}});
    EXPECT_THAT(doctor(), finding("resolve",
                                  "gcloud projects add-iam-policy-binding my-project --role roles/memorystore.viewer "
                                  "--member serviceAccount:valkey-client@my-project.iam.gserviceaccount.com"));
    stage("DELETE", "faults", {});
    stage("POST", "faults/rest", {{"status", 429}});
    EXPECT_THAT(doctor(),
                AllOf(finding("resolve", "gcloud memorystore instances describe my-valkey"), HasSubstr("quota")));
    stage("DELETE", "faults", {});
    stage("POST", "faults/rest", {{"status", 503}});
    EXPECT_THAT(doctor(), finding("resolve", "curl -sS -o /dev/null https://memorystore.googleapis.com"));
    stage("DELETE", "faults", {});
    EXPECT_THAT(doctor(1, {"--instance=my-valkey", "--location=europe-west1"}),
                finding("resolve", "gcloud memorystore instances list --project my-project --location europe-west1"));
}

TEST_F(DoctorTest, names_an_instance_that_cannot_be_used) {
    start_cloud(":valkey,mode=cluster");
    EXPECT_THAT(doctor(), finding("topology", "gcloud memorystore instances describe my-valkey"));
}

TEST_F(DoctorTest, names_an_instance_that_is_not_ready) {
    start_cloud(":state=CREATING");
    EXPECT_THAT(doctor(), AllOf(finding("resolve", "gcloud memorystore instances describe my-valkey"),
                                HasSubstr("is being created")));
}

TEST_F(DoctorTest, names_a_metadata_server_that_is_late) {
    start_cloud(":valkey");
    stage("PATCH", "metadata", {{"down", true}});
    EXPECT_THAT(doctor(1, {"--instance=my-valkey", "--project=my-project", "--location=us-central1"}),
                finding("token", "curl -H 'Metadata-Flavor: Google'"));
}

TEST_F(DoctorTest, names_an_identity_that_may_not_connect) {
    start_cloud(":valkey,front");
    stage("POST", front(":fault"), {{"answer", "WRONGPASS"}});
    EXPECT_THAT(doctor(), finding("login",
                                  "gcloud projects add-iam-policy-binding my-project --role "
                                  "roles/memorystore.dbConnectionUser --member "
                                  "serviceAccount:valkey-client@my-project.iam.gserviceaccount.com"));
    stage("PATCH", "metadata", {{"email", "my-project.svc.id.goog"}});
    EXPECT_THAT(doctor(), finding("identity", "kubectl annotate serviceaccount"));
    stage("POST", front(":heal"), {});
    stage("POST", front(":fault"), {{"answer", "ERR_IAM_EXHAUSTED"}});
    EXPECT_THAT(doctor(), AllOf(finding("login", "wait"), HasSubstr("quota")));
}

TEST_F(DoctorTest, names_what_is_wrong_with_the_servers_certificate) {
    start_cloud(":valkey");
    stage("POST", instance(":certificate"), {{"leaf", "expired"}});
    EXPECT_THAT(doctor(), finding("tls-chain", "date -u"));
    stage("POST", instance(":certificate"), {{"leaf", "good"}, {"foreignCa", true}});
    EXPECT_THAT(doctor(), finding("tls-chain", "gcloud memorystore instances describe my-valkey"));
    stage("POST", instance(":certificate"), {{"leaf", "other-identity"}});
    EXPECT_THAT(doctor(), finding("tls-identity", "gcloud memorystore instances describe my-valkey"));
}

TEST_F(DoctorTest, names_a_server_that_does_not_answer) {
    start_cloud(":valkey,front");
    stage("POST", instance(":kill"), {});
    // The front accepts, and its own way to the server is gone.
    EXPECT_THAT(doctor(), StartsWith("✗ my-valkey: "));
    const auto closed = write_document("127.0.0.1", 1, "auth: {mode: None}\ntls: {mode: Disabled}\n");
    EXPECT_THAT(examine(closed), AllOf(finding_of_document("network", "gcloud compute firewall-rules list"),
                                       HasSubstr("nc -vz 127.0.0.1 1")));
    const auto nowhere = write_document("nowhere.invalid", 6379, "auth: {mode: None}\ntls: {mode: Disabled}\n");
    EXPECT_THAT(examine(nowhere), finding_of_document("name", "getent hosts nowhere.invalid"));
}

TEST_F(DoctorTest, names_an_instance_in_another_network) {
    start_cloud(":valkey");
    auto record = cloud().admin("GET", instance("")).value();
    for (auto& connection : record["endpoints"][0]["connections"])
        connection["pscAutoConnection"]["ipAddress"] = "10.99.0.1";  // no route leads there
    stage("PATCH", instance(""), {{"endpoints", record["endpoints"]}});
    EXPECT_THAT(doctor(),
                AllOf(finding("network", "gcloud memorystore instances describe my-valkey --project my-project"),
                      HasSubstr("its network is not this machine's"),
                      HasSubstr("gcloud network-connectivity service-connection-policies create valkey")));
}

TEST_F(DoctorTest, names_a_firewall_that_drops_the_servers_port) {
    start_cloud(":valkey");
    const auto silent = value_or_throw(SilentPort::open());
    const auto document = write_document("127.0.0.1", silent.port(), "auth: {mode: None}\ntls: {mode: Disabled}\n");
    EXPECT_THAT(examine(document),
                AllOf(finding_of_document("network", "gcloud compute firewall-rules list"),
                      HasSubstr("a firewall on the way drops TCP " + std::to_string(silent.port()))));
}

TEST_F(DoctorTest, names_what_is_wrong_with_a_document_and_the_files_beside_it) {
    start_cloud(":valkey");
    const auto port = cloud().instance(kName).port;
    const std::string tls = "tls: {mode: Required, verify: ChainOnly, caFile: ca.crt}\n";
    const auto document = write_document("127.0.0.1", port, "auth: {mode: Password, passwordFile: password}\n" + tls);
    EXPECT_THAT(examine(document), StartsWith("✗ sessions: tls-chain: "));  // the CA's file is missing
    std::filesystem::copy_file(cloud().instance(kName).ca_file, files_.path() / "ca.crt");
    EXPECT_THAT(examine(document), AllOf(finding_of_document("login", "write the right password into the file"),
                                         HasSubstr("the password is missing")));
    files_.write("password", "wrong");
    EXPECT_THAT(examine(document), AllOf(finding_of_document("login", "write the right password into the file"),
                                         HasSubstr("does not take the login")));
    files_.write("password", cloud().mint().value());
    EXPECT_THAT(doctor(0, {"--config=" + document.string()}), HasSubstr("logged in with the password"));
    files_.write("connection.yaml", "kind: ResolvedConnection\ntopologie: x\n");
    EXPECT_THAT(examine(document), AllOf(StartsWith("✗ configuration: config: "), HasSubstr("connection.yaml")));
}

TEST_F(DoctorTest, refuses_flags_that_it_does_not_know) {
    const auto ended = run_proxy({"doctor", "--instance=x", "--output=xml"});
    EXPECT_EQ(ended.status, 64);
    EXPECT_THAT(ended.err, HasSubstr("--output"));
}

}  // namespace
}  // namespace cvp::test
