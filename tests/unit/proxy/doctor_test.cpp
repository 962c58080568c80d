// What the doctor says: the first broken link, and the command that mends it.
#include "proxy/doctor/doctor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "proxy/config.hpp"
#include "proxy/doctor/diagnosis.hpp"

namespace cvp::proxy {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr auto kInstance = "projects/my-project/locations/us-central1/instances/my-valkey";

/// One connection that a login by IAM reaches.
View healthy() {
    View view;
    view.identity_email = "shop@my-project.iam.gserviceaccount.com";
    ConnectionView connection;
    connection.name = "sessions";
    connection.document.emplace();
    connection.document->instance.full_name = kInstance;
    connection.document->auth.mode = AuthMode::google_iam;
    connection.document->endpoints = {{EndpointRole::primary, "valkey.example.com", 6379}};
    PortView port;
    port.upstream.last_success_at = SystemClock::now();
    port.upstream.peer = "10.0.0.3:6379";
    port.upstream.tls_version = "TLSv1.3";
    port.upstream.verified_identity = "ip:10.0.0.3";
    connection.ports.push_back(port);
    view.connections.push_back(connection);
    return view;
}

View failing(LocalError error) {
    auto view = healthy();
    auto& upstream = view.connections[0].ports[0].upstream;
    upstream.last_success_at.reset();
    upstream.last_error = std::move(error);
    upstream.last_error_at = SystemClock::now();
    return view;
}

View unresolved(std::string_view reason, std::string message) {
    auto view = healthy();
    view.connections[0].document.reset();
    view.resolver.emplace();
    view.resolver->last_reason = reason;
    view.resolver->last_error = std::move(message);
    return view;
}

Diagnosis first(const View& view, bool in_kubernetes = true) {
    // An injected sidecar knows no --instance.
    return diagnose(view, {view.resolver ? kInstance : "", "", "", in_kubernetes}).at(0);
}

TEST(Doctor, finds_nothing_wrong_with_a_connection_that_is_reached) {
    const auto found = diagnose(healthy(), {});
    ASSERT_EQ(found.size(), 1u);
    EXPECT_TRUE(found[0].is_ok());
    EXPECT_EQ(found[0].text,
              "primary 10.0.0.3:6379, TLSv1.3, verified ip:10.0.0.3; logged in as "
              "shop@my-project.iam.gserviceaccount.com");
    EXPECT_TRUE(is_settled(healthy()));
}

TEST(Doctor, forgets_an_error_that_a_later_success_healed) {
    auto view = failing(make_local_error(Cause::upstream_unreachable, "x"));
    auto& upstream = view.connections[0].ports[0].upstream;
    upstream.last_success_at = *upstream.last_error_at + std::chrono::seconds(1);
    EXPECT_TRUE(first(view).is_ok());
}

struct Fault {
    const char* id;
    const char* remedy;  ///< how its command begins
    View view;
};

TEST(Doctor, names_each_broken_link_and_a_command) {
    auto bare_identity = failing(make_local_error(Cause::login_refused, "refused"));
    bare_identity.identity_warning = "Memorystore cannot log in the identity my-project.svc.id.goog";
    auto bare_reader = unresolved("PermissionDenied", "not allowed");
    bare_reader.identity_warning = bare_identity.identity_warning;
    auto wrong_password = failing(make_local_error(Cause::login_refused, "refused"));
    wrong_password.connections[0].document->auth.mode = AuthMode::password;
    auto no_password = failing(make_local_error(Cause::no_token, "the password is missing"));
    no_password.connections[0].document->auth.mode = AuthMode::password;
    auto bad_document = healthy();
    bad_document.connections[0].last_rejection = "connection.yaml: tls.caFile: is missing";
    auto late_metadata = unresolved("", "");
    late_metadata.tokens.push_back({"", std::nullopt, 0, 1, "timeout: the metadata server"});
    const auto unreachable = [](const char* why) {
        return failing(make_local_error(Cause::upstream_unreachable, why));
    };
    const std::vector<Fault> faults = {
        {"resolve", "gcloud services enable memorystore.googleapis.com --project my-project",
         unresolved("ApiDisabled", "not enabled")},
        {"resolve",
         "gcloud projects add-iam-policy-binding my-project --role roles/memorystore.viewer --member "
         "serviceAccount:shop@my-project.iam.gserviceaccount.com",
         unresolved("PermissionDenied", "not allowed")},
        {"resolve", "gcloud memorystore instances list --project my-project --location us-central1",
         unresolved("InstanceNotFound", "not found")},
        {"resolve", "gcloud memorystore instances describe my-valkey", unresolved("InstanceNotReady", "creating")},
        {"resolve", "gcloud memorystore instances describe my-valkey", unresolved("NetworkAmbiguous", "two")},
        {"resolve", "gcloud memorystore instances describe my-valkey", unresolved("QuotaExhausted", "60 a minute")},
        {"topology", "gcloud memorystore instances describe", unresolved("ClusterModeNotSupported", "a cluster")},
        {"token", "curl -H 'Metadata-Flavor: Google'", unresolved("CloudUnavailable", "there is no token yet")},
        {"token", "curl -H 'Metadata-Flavor: Google'", late_metadata},
        {"resolve", "curl -sS -o /dev/null https://memorystore", unresolved("CloudUnavailable", "cannot be reached")},
        {"config", "kubectl annotate vkc sessions", bad_document},
        {"identity", "kubectl annotate serviceaccount SERVICEACCOUNT -n NAMESPACE", bare_identity},
        {"identity", "kubectl annotate serviceaccount SERVICEACCOUNT -n NAMESPACE", bare_reader},
        {"token", "curl -H", failing(make_local_error(Cause::no_token, "metadata: timeout"))},
        {"login", "kubectl create secret generic cloudvalkey-sessions", no_password},
        {"login", "kubectl create secret generic cloudvalkey-sessions", wrong_password},
        {"login", "gcloud projects add-iam-policy-binding my-project --role roles/memorystore.dbConnectionUser",
         failing(make_local_error(Cause::login_refused, "the server refuses the login"))},
        {"login", "wait", failing(make_local_error(Cause::login_throttled, "over its quota"))},
        {"name", "getent hosts valkey.example.com", unreachable("x: the name cannot be resolved: Host not found")},
        {"network", "gcloud memorystore instances describe", unreachable("10.0.0.3:6379: no answer in time")},
        {"network", "gcloud compute firewall-rules list", unreachable("10.0.0.3:6379: Connection refused")},
        {"tls", "gcloud memorystore instances describe",
         unreachable("10.0.0.3:6379: the TLS handshake failed: wrong version number")},
        {"tls-chain", "kubectl annotate vkc sessions -n NAMESPACE --overwrite cloudvalkey.dev/refresh",
         failing(make_local_error(Cause::tls_chain, "the certificate's CA is not a trusted one"))},
        {"tls-chain", "date -u", failing(make_local_error(Cause::tls_chain, "the certificate is not yet valid"))},
        {"tls-identity", "kubectl annotate vkc", failing(make_local_error(Cause::tls_identity, "of another"))},
        {"topology", "gcloud memorystore", failing(make_local_error(Cause::cluster_mode_not_supported, "a cluster"))},
        {"reader", "gcloud memorystore", failing(make_local_error(Cause::no_reader, "none"))},
    };
    for (const auto& [id, remedy, view] : faults) {
        const auto diagnosis = first(view);
        EXPECT_EQ(diagnosis.id, id) << diagnosis.text;
        EXPECT_THAT(diagnosis.remedy, StartsWith(remedy)) << diagnosis.text;
        EXPECT_EQ(diagnosis.text.empty(), false);
        EXPECT_THAT(to_string({diagnosis}), StartsWith("✗ sessions: " + std::string(id) + ": "));
    }
}

TEST(Doctor, writes_what_it_does_not_know_in_capitals) {
    auto view = unresolved("InstanceNotFound", "the instance was not found");
    EXPECT_EQ(diagnose(view, {"my-valkey", "", "", false}).at(0).remedy,
              "gcloud memorystore instances list --project PROJECT --location LOCATION");
    view.resolver->instance = kInstance;  // the short name's project and location were asked of the metadata server
    EXPECT_EQ(diagnose(view, {"my-valkey", "", "", false}).at(0).remedy,
              "gcloud memorystore instances list --project my-project --location us-central1");
}

TEST(Doctor, speaks_of_no_connection_where_there_is_no_operator) {
    const auto view = failing(make_local_error(Cause::tls_chain, "x"));
    EXPECT_THAT(diagnose(view, {"my-valkey", "", "", true}).at(0).remedy,
                StartsWith("gcloud memorystore instances describe"));
}

TEST(Doctor, puts_what_fails_before_what_holds) {
    auto view = healthy();
    auto broken = failing(make_local_error(Cause::tls_chain, "x")).connections[0];
    broken.name = "orders";
    view.connections.push_back(broken);
    const auto text = to_string(diagnose(view, {}));
    EXPECT_THAT(text, StartsWith("✗ orders: tls-chain: x\n  → "));
    EXPECT_THAT(text, HasSubstr("\n✓ sessions: "));
    const auto json = nlohmann::json::parse(to_json(diagnose(view, {})));
    EXPECT_EQ(json["connections"][0]["name"], "orders");
    EXPECT_EQ(json["connections"][1]["ok"], true);
}

TEST(Doctor, waits_for_what_time_may_heal_and_for_nothing_else) {
    EXPECT_FALSE(is_settled(failing(make_local_error(Cause::upstream_unreachable, "x"))));
    EXPECT_TRUE(is_settled(failing(make_local_error(Cause::tls_chain, "x"))));
    EXPECT_FALSE(is_settled(unresolved("CloudUnavailable", "x")));
    EXPECT_FALSE(is_settled(unresolved("", "")));
    EXPECT_TRUE(is_settled(unresolved("PermissionDenied", "x")));
}

TEST(Doctor, opens_no_port_that_a_running_proxy_has) {
    Config config;
    config.instance.emplace();
    config.instance->ports = {6379, 6380, true, UnixSocketOptions{"/run/x.sock", 0600}};
    config.documents.push_back({"sessions", "/x", {6390, 6391}});
    config.notify_socket = "/run/notify";
    const auto examined = for_examination(config);
    for (const auto& ports : {examined.instance->ports, examined.documents[0].ports}) {
        EXPECT_EQ(ports.primary, 0);
        EXPECT_EQ(ports.readers, 0);
        EXPECT_FALSE(ports.unix_socket);
    }
    EXPECT_FALSE(examined.admin);
    EXPECT_EQ(examined.notify_socket, "");
}

}  // namespace
}  // namespace cvp::proxy
