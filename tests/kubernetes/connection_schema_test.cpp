// What the API server itself refuses of a ValkeyConnection, and how it says so.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/kubernetes/api_session.hpp"
#include "tests/kubernetes/environment.hpp"

namespace cvp::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const std::string kCollection =
    "/apis/cloudvalkey.dev/v1alpha1/namespaces/default/valkeyconnections?dryRun=All&fieldValidation=Strict";

json make_connection(const json& spec, const std::string& name = "sessions") {
    return {{"apiVersion", "cloudvalkey.dev/v1alpha1"},
            {"kind", "ValkeyConnection"},
            {"metadata", {{"name", name}}},
            {"spec", spec}};
}

json spec_of(const std::string& yaml_flow) {
    return json::parse(yaml_flow);
}

/// A spec whose instance has that name.
json named(const std::string& instance) {
    return {{"instance", {{"memorystoreValkey", {{"name", instance}}}}}};
}

/// A valid spec with one member set to something else.
json with(const char* pointer, const json& value) {
    auto spec = named("my-valkey");
    spec[json::json_pointer(pointer)] = value;
    return spec;
}

/// A spec of a server of the user's own.
json self_hosted(const std::vector<std::string>& addresses) {
    return {{"instance", {{"endpoints", {{"addresses", addresses}}}}}};
}

struct Refused {
    json spec;
    std::string field;   ///< the path that the message must name
    std::string advice;  ///< and what it must say
};

TEST(ConnectionSchema, refuses_invalid_specs_and_names_the_field) {
    const std::string name = "spec.instance.memorystoreValkey.name";
    const std::string network = "spec.instance.memorystoreValkey.network";
    const std::string endpoints = "spec.instance.endpoints";
    const std::string name_advice = "must be an instance's short name";
    const std::string network_advice = "must be empty or a network's full name";
    const std::string hold_advice = "must be a duration from 0s to 60s";
    const std::string interval_advice = "must be a duration from 1m to 24h";
    const std::vector<Refused> refused = {
        {json(nullptr), "spec", "Required value"},
        {json("text"), "spec", "must be of type object"},
        {json::object(), "spec.instance", "Required value"},
        {spec_of(R"({"instance": {}})"), "spec.instance", "exactly one member must be set"},
        {spec_of(R"({"instance": {"memorystoreValkey": null}})"), "spec.instance", "exactly one member must be set"},
        {spec_of(R"({"instance": {"elastiCache": {"name": "x"}}})"), "spec.instance.elastiCache", "unknown field"},
        {spec_of(R"({"instance": []})"), "spec.instance", "must be of type object"},
        {spec_of(R"({"instance": {"memorystoreValkey": {}}})"), name, "Required value"},
        {named(""), name, name_advice},
        {named("My-Valkey"), name, name_advice},
        {named("1st"), name, name_advice},
        {named("ends-"), name, name_advice},
        {named("has.dot"), name, name_advice},
        {named(std::string(64, 'a')), name, name_advice},
        {named(" my-valkey"), name, name_advice},
        {named("projects/p/instances/i"), name, name_advice},
        {named("projects/p/locations/l/instances/"), name, name_advice},
        {named("projects/P/locations/l/instances/i"), name, name_advice},
        {named("projects/p/locations/l/instances/i/"), name, name_advice},
        {named("projects/p/locations/../instances/i"), name, name_advice},
        {named("https://memorystore.googleapis.com/v1/projects/p/locations/l/instances/i"), name, name_advice},
        {named("projects/" + std::string(250, 'p') + "/locations/l/instances/i"), name, "256"},
        {with("/instance/memorystoreValkey/name", 7), name, "must be of type string"},
        {with("/instance/memorystoreValkey/region", "x"), "spec.instance.memorystoreValkey.region", "unknown field"},
        {with("/instance/memorystoreValkey/network", "default"), network, network_advice},
        {with("/instance/memorystoreValkey/network", "projects/p/global/networks/"), network, network_advice},
        {with("/instance/memorystoreValkey/network", "projects/p/regions/r/networks/n"), network, network_advice},
        {with("/auth", "GoogleIAM"), "spec.auth", "must be of type object"},
        {with("/auth/mode", "IAM"), "spec.auth.mode", R"(supported values: "Auto", "GoogleIAM", "Password", "None")"},
        {with("/auth/mode", "auto"), "spec.auth.mode", "Unsupported value"},
        {with("/auth/mode", ""), "spec.auth.mode", "Unsupported value"},
        {with("/auth/token", "x"), "spec.auth.token", "unknown field"},
        {with("/tls/verify", "Skip"), "spec.tls.verify", R"(supported values: "Full", "ChainOnly", "None")"},
        {with("/tls/verify", true), "spec.tls.verify", "must be of type string"},
        {spec_of(R"({"instance": {"memorystoreValkey": {"name": "i"}}, "auth": {"mode": "GoogleIAM"},
                     "tls": {"verify": "None"}})"),
         "spec.tls.verify", "auth.mode GoogleIAM with tls.verify None"},
        {with("/refreshInterval", "59s"), "spec.refreshInterval", interval_advice},
        {with("/refreshInterval", "24h1s"), "spec.refreshInterval", interval_advice},
        {with("/refreshInterval", "0"), "spec.refreshInterval", interval_advice},
        {with("/refreshInterval", "-10m"), "spec.refreshInterval", interval_advice},
        {with("/refreshInterval", "10 minutes"), "spec.refreshInterval", interval_advice},
        {with("/refreshInterval", "1d"), "spec.refreshInterval", interval_advice},
        {with("/refreshInterval", ""), "spec.refreshInterval", interval_advice},
        {with("/refreshInterval", "99999h99999h"), "spec.refreshInterval", interval_advice},
        {with("/refreshInterval", 600), "spec.refreshInterval", "must be of type string"},
        {with("/proxy/warmSpares", 2), "spec.proxy.warmSpares", "unknown field"},
        {with("/proxy/clientAuth", "Maybe"), "spec.proxy.clientAuth",
         R"(supported values: "Accept", "Require", "Reject")"},
        {with("/proxy/connectHold", "60001ms"), "spec.proxy.connectHold", hold_advice},
        {with("/proxy/connectHold", "1h"), "spec.proxy.connectHold", hold_advice},
        {with("/proxy/connectHold", ""), "spec.proxy.connectHold", hold_advice},
        {with("/proxy/connectHold", "0"), "spec.proxy.connectHold", hold_advice},
        {with("/proxy/connectHold", "1.5s"), "spec.proxy.connectHold", hold_advice},
        {with("/proxy/connectHold", "-1s"), "spec.proxy.connectHold", hold_advice},
        {with("/proxy/connectHold", 1500), "spec.proxy.connectHold", "must be of type string"},
        {with("/proxy/maxConnections", 0), "spec.proxy.maxConnections", "greater than or equal to 1"},
        {with("/proxy/maxConnections", 1000001), "spec.proxy.maxConnections", "less than or equal to 1000000"},
        {with("/proxy/maxConnections", "many"), "spec.proxy.maxConnections", "must be of type integer"},
        {with("/auth/unprotectedToken", "Yes"), "spec.auth.unprotectedToken", "Unsupported value"},
        {with("/tls/minVersion", "1.1"), "spec.tls.minVersion", R"(supported values: "1.2", "1.3")"},
        {with("/instance/endpoints", {{"addresses", {"h:1"}}}), "spec.instance", "exactly one member must be set"},
        {with("/tls/serverName", "a b"), "spec.tls.serverName", "must be a DNS name or an IP address"},
        {self_hosted({}), endpoints + ".addresses", "should have at least 1 items"},
        {self_hosted({"10.1.2.3"}), endpoints + ".addresses[0]", "must be HOST:PORT"},
        {self_hosted({"h:1", "10.1.2.300:6379"}), endpoints + ".addresses[1]", "must be HOST:PORT"},
        {self_hosted({"2001:db8::1:6379"}), endpoints + ".addresses[0]", "must be HOST:PORT"},
        {self_hosted({"[2001:db8::g]:6379"}), endpoints + ".addresses[0]", "must be HOST:PORT"},
        {self_hosted({"[1::2::3]:6379"}), endpoints + ".addresses[0]", "must be HOST:PORT"},
        {self_hosted({"[::ffff:10.1.2.3]:6379"}), endpoints + ".addresses[0]", "must be HOST:PORT"},
        {self_hosted({"10.1.2.03:6379"}), endpoints + ".addresses[0]", "must be HOST:PORT"},
        {self_hosted({"h:0"}), endpoints + ".addresses[0]", "must be HOST:PORT"},
        {self_hosted({"h:65536"}), endpoints + ".addresses[0]", "must be HOST:PORT"},
        {self_hosted({"redis://h:1"}), endpoints + ".addresses[0]", "must be HOST:PORT"},
        {self_hosted({"h:1", "h:1"}), endpoints + ".addresses", "must not name an address twice"},
        {spec_of(R"({"instance": {"endpoints": {"addresses": ["h:1"], "topology": "Cluster"}}})"),
         endpoints + ".topology", "Unsupported value"},
        {spec_of(R"({"instance": {"endpoints": {"addresses": ["h:1"], "tls": "Auto"}}})"), endpoints + ".tls",
         "Unsupported value"},
        {spec_of(R"({"instance": {"endpoints": {"addresses": ["h:1"]}}, "auth": {"mode": "GoogleIAM"}})"),
         "spec.auth.mode", "knows no GoogleIAM"},
    };
    ASSERT_GE(refused.size(), 25U);
    ApiSession api;
    for (const auto& [spec, field, advice] : refused) {
        auto object = make_connection(spec);
        if (spec.is_null()) object.erase("spec");
        const auto answer = api.create(kCollection, object);
        ASSERT_EQ(answer["kind"], "Status") << spec << " was accepted";
        const auto& message = answer["message"].get_ref<const std::string&>();
        EXPECT_THAT(message, HasSubstr(field)) << spec;
        EXPECT_THAT(message, HasSubstr(advice)) << spec;
    }
}

TEST(ConnectionSchema, refuses_names_that_no_volume_could_have) {
    ApiSession api;
    for (const auto& name : {std::string("a.b"), std::string(41, 'a')}) {
        const auto message = api.create(kCollection, make_connection(named("my-valkey"), name)).value("message", "");
        EXPECT_THAT(message, HasSubstr("metadata.name: Invalid value: "));
        EXPECT_THAT(message, HasSubstr("must be a DNS label of at most 40 characters"));
    }
    EXPECT_EQ(api.create(kCollection, make_connection(named("my-valkey"), std::string(40, 'a')))["kind"],
              "ValkeyConnection");
}

TEST(ConnectionSchema, accepts_what_the_documentation_shows) {
    ApiSession api;
    for (const auto& spec :
         {named("a"),
          named("my-valkey-2"),
          named(std::string(63, 'a')),
          named("projects/p-1/locations/us-central1/instances/my-valkey"),
          named("projects/example.com:old/locations/europe-west10/instances/i"),
          named("projects/123456/locations/us-central1/instances/i"),
          with("/instance/memorystoreValkey/network", "projects/p/global/networks/default"),
          with("/instance/memorystoreValkey/network", ""),
          with("/auth/mode", "Password"),
          with("/auth", nullptr),
          with("/tls/verify", "None"),
          with("/tls/verify", "ChainOnly"),
          with("/refreshInterval", "1m"),
          self_hosted({"10.1.2.3:6379", "[2001:db8::1]:6379", "valkey_0.example.com:65535"}),
          with("/tls/serverName", "valkey.example.com"),
          with("/proxy", {{"clientAuth", "Require"}, {"connectHold", "2s500ms"}, {"maxConnections", 1000000}}),
          with("/proxy/connectHold", "0s"),
          with("/proxy/connectHold", "1m"),
          with("/proxy/clientAuth", "Reject"),
          with("/refreshInterval", "60s"),
          with("/refreshInterval", "24h"),
          with("/refreshInterval", "1h30m15s"),
          spec_of(R"({"instance": {"memorystoreValkey": {"name": "i"}}, "auth": {"mode": "GoogleIAM"},
                      "tls": {"verify": "ChainOnly"}})"),
          spec_of(R"({"instance": {"memorystoreValkey": {"name": "i"}},
                      "auth": {"mode": "GoogleIAM", "unprotectedToken": "Allow"}, "tls": {"verify": "None"}})")}) {
        const auto answer = api.create(kCollection, make_connection(spec));
        EXPECT_EQ(answer["kind"], "ValkeyConnection") << spec << ": " << answer.value("message", "");
    }
}

TEST(ConnectionSchema, fills_in_what_is_left_out) {
    ApiSession api;
    EXPECT_EQ(api.create(kCollection, make_connection(named("my-valkey")))["spec"], json::parse(R"({
        "instance": {"memorystoreValkey": {"name": "my-valkey"}},
        "auth": {"mode": "Auto", "username": "", "unprotectedToken": "Refuse"},
        "tls": {"verify": "Full", "minVersion": "1.2", "serverName": ""}, "refreshInterval": "10m",
        "proxy": {"clientAuth": "Accept", "connectHold": "1500ms", "maxConnections": 10000}})"));
    EXPECT_EQ(api.create(kCollection, make_connection(self_hosted({"h:1"})))["spec"]["instance"], json::parse(R"({
        "endpoints": {"addresses": ["h:1"], "topology": "Standalone", "tls": "Required"}})"));
}

TEST(ConnectionSchema, merges_conditions_by_type_and_keeps_status_apart) {
    ASSERT_TRUE(control_plane().make_namespace("schema"));
    const std::string collection = "/apis/cloudvalkey.dev/v1alpha1/namespaces/schema/valkeyconnections";
    ApiSession api;
    auto object = make_connection(named("my-valkey"));
    object["status"]["configMap"] = "smuggled";
    ASSERT_FALSE(api.create(collection, object).contains("status"));

    const auto apply = [&](const std::string& manager, const std::string& type) {
        json status = make_connection(nullptr);
        status.erase("spec");
        status["status"]["conditions"] = json::array({{{"type", type},
                                                       {"status", "True"},
                                                       {"reason", "Resolved"},
                                                       {"message", "ok"},
                                                       {"observedGeneration", 1},
                                                       {"lastTransitionTime", "2026-11-20T12:00:00Z"}}});
        const auto response = api.send("PATCH", collection + "/sessions/status?fieldManager=" + manager, status.dump(),
                                       "application/apply-patch+yaml");
        EXPECT_EQ(response.status, 200U) << response.body;
    };
    apply("one", "Ready");
    apply("two", "Resolved");
    EXPECT_EQ(api.get(collection + "/sessions")["status"]["conditions"].size(), 2U);

    const auto table = control_plane().kubectl({"get", "vkc", "--namespace=schema"});
    ASSERT_TRUE(table) << table.error().context;
    EXPECT_THAT(*table, testing::ContainsRegex(
                            "NAME +INSTANCE +READY +REASON +PODS +ENDPOINT +AGE\nsessions +my-valkey +True +Resolved"));
    const auto wide = control_plane().kubectl({"get", "valkey", "--namespace=schema", "--output=wide"});
    ASSERT_TRUE(wide) << wide.error().context;
    EXPECT_THAT(*wide, testing::ContainsRegex("AUTH +CAEXPIRY"));
}

}  // namespace
}  // namespace cvp::test
