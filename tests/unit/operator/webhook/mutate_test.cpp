#include "operator/webhook/mutate.hpp"

#include <gmock/gmock.h>

#include "tests/unit/operator/webhook/admission.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;
using test::kConfig;
using test::make_pod;
using test::make_review;
using test::patched;
using test::refusal_of;
using test::respond;
using test::sidecar_of;
using ::testing::HasSubstr;

/// A pod in which everything is used that can be.
json make_busy_pod() {
    auto pod = make_pod("sessions, orders:6390/6391, empty:7000");
    pod["metadata"]["annotations"]["cloudvalkey.dev/unix-socket"] = "true";
    pod["metadata"]["annotations"]["cloudvalkey.dev/secret.orders"] = "team-login";
    pod["spec"]["imagePullSecrets"] = json::array({{{"name", "own"}}});
    pod["spec"]["volumes"] = json::array({{{"name", "data"}, {"emptyDir", json::object()}}});
    pod["spec"]["initContainers"] = json::parse(R"([
        {"name": "cloud-valkey-proxy", "image": "auto", "env": [{"name": "CVP_LOG_LEVEL", "value": "debug"}],
         "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "data", "mountPath": "/run/cloudvalkey"}]},
        {"name": "istio-proxy", "image": "istio:1", "restartPolicy": "Always"},
        {"name": "migrate", "image": "migrate:1"}])");
    pod["spec"]["containers"][0]["env"] = json::array({{{"name", "VALKEY_SESSIONS_HOST"}, {"value", "own"}}});
    return pod;
}

TEST(Mutate, leaves_its_own_output_as_it_is) {
    const InjectionConfig config{.version = "1.2.3", .proxy_image = "proxy:1", .image_pull_secrets = {"own", "ours"}};
    for (const auto& pod : {make_pod("sessions"), make_pod("sessions, orders:6390/6391"), make_busy_pod()}) {
        const auto once = patched(pod, config);
        ASSERT_FALSE(sidecar_of(once).is_null());
        const auto response = respond(make_review(once), config);
        EXPECT_EQ(response["allowed"], true);
        EXPECT_FALSE(response.contains("patch")) << once;
    }
}

TEST(Mutate, does_not_believe_a_label) {
    auto pod = make_pod("sessions");
    const auto whole = patched(pod);
    pod["metadata"]["labels"]["cloudvalkey.dev/injected"] = "true";
    EXPECT_EQ(patched(pod), whole);

    pod["metadata"]["annotations"]["cloudvalkey.dev/status"] =
        whole["metadata"]["annotations"]["cloudvalkey.dev/status"];
    pod["spec"]["initContainers"] =
        json::array({{{"name", "cloud-valkey-proxy"}, {"image", "proxy:1"}, {"command", {"sleep"}}}});
    EXPECT_EQ(patched(pod), whole) << "a container that is the sidecar in name only";
}

TEST(Mutate, gives_a_pod_that_lost_a_part_what_it_lacks) {
    const auto whole = patched(make_busy_pod());
    for (const auto* pointer :
         {"/spec/initContainers/1/command", "/spec/initContainers/1/startupProbe", "/spec/initContainers/1/args/0",
          "/spec/initContainers/1/securityContext/capabilities", "/spec/initContainers/1/volumeMounts/0",
          "/spec/initContainers/1/restartPolicy", "/spec/volumes/1/projected/sources/0", "/spec/volumes/4",
          "/metadata/labels/cloudvalkey.dev~1injected", "/metadata/annotations/cloudvalkey.dev~1status"}) {
        ASSERT_TRUE(whole.contains(json::json_pointer(pointer))) << pointer << whole;
        const auto pod = whole.patch(json::array({{{"op", "remove"}, {"path", pointer}}}));
        auto again = patched(pod);
        // A volume that is missing comes back at the end.
        auto& volumes = again["spec"]["volumes"].get_ref<json::array_t&>();
        EXPECT_EQ(volumes.size(), whole["spec"]["volumes"].size()) << pointer;
        again["spec"]["volumes"] = whole["spec"]["volumes"];
        EXPECT_EQ(again, whole) << pointer;
    }
}

TEST(Mutate, replaces_left_over_volumes_of_its_names) {
    auto pod = make_pod("sessions");
    pod["spec"]["volumes"] =
        json::parse(R"([{"name":"data","emptyDir":{}},{"name":"cloudvalkey-sessions","emptyDir":{}}])");
    const auto volumes = patched(pod)["spec"]["volumes"];
    ASSERT_EQ(volumes.size(), 3);
    EXPECT_EQ(volumes[0], json::parse(R"({"name":"data","emptyDir":{}})"));
    EXPECT_TRUE(volumes[1].contains("projected"));
    EXPECT_EQ(volumes[2]["name"], "cloudvalkey-empty");
}

TEST(Mutate, names_a_user_only_where_the_pod_says_root) {
    auto pod = make_pod("sessions");
    for (const auto* context : {"null", "{}", R"({"runAsUser": 1000})", R"({"runAsNonRoot": false})",
                                R"({"runAsGroup": 0})", R"({"runAsUser": 1000, "runAsNonRoot": true})"}) {
        pod["spec"]["securityContext"] = json::parse(context);
        const auto ours = sidecar_of(patched(pod))["securityContext"];
        EXPECT_FALSE(ours.contains("runAsUser")) << context;
        EXPECT_EQ(ours["runAsNonRoot"], true) << context;
    }
    pod["spec"]["securityContext"] = json::parse(R"({"runAsUser": 0, "runAsNonRoot": false})");
    EXPECT_EQ(sidecar_of(patched(pod))["securityContext"]["runAsUser"], 65532);
}

TEST(Mutate, appends_pull_secrets_that_are_not_there) {
    auto pod = make_pod("sessions");
    pod["spec"]["imagePullSecrets"] = json::parse(R"([{"name":"own"},{"name":"shared"}])");
    const InjectionConfig config{
        .version = "1.2.3", .proxy_image = "proxy:1", .image_pull_secrets = {"shared", "ours"}};
    EXPECT_EQ(patched(pod, config)["spec"]["imagePullSecrets"],
              json::parse(R"([{"name":"own"},{"name":"shared"},{"name":"ours"}])"));
}

TEST(Mutate, refuses_with_a_reason_and_what_to_do) {
    EXPECT_THAT(refusal_of(make_pod("")), HasSubstr("cloud-valkey-proxy: Empty: "));
    EXPECT_THAT(refusal_of(make_pod("Sessions")), HasSubstr("cloud-valkey-proxy: BadName: \"Sessions\""));
    EXPECT_THAT(refusal_of(make_pod("a:80")), HasSubstr("cloud-valkey-proxy: BadPort: "));
    EXPECT_THAT(refusal_of(make_pod("a,a")), HasSubstr("cloud-valkey-proxy: Duplicate: "));
    EXPECT_THAT(refusal_of(make_pod("a,b,c,d,e,f,g,h,i")), HasSubstr("cloud-valkey-proxy: TooMany: "));
    EXPECT_THAT(refusal_of(make_pod("a:9379")), HasSubstr("cloud-valkey-proxy: PortClash: "));
}

TEST(Mutate, refuses_ports_that_a_container_declares) {
    for (const auto* list : {"containers", "initContainers"}) {
        for (const auto port : {6379, 6390, 6391, 9379}) {
            auto pod = make_pod("sessions, orders:6390/6391");
            pod["spec"][list] = json::array({{{"name", "web"}, {"ports", {{{"containerPort", port}}}}}});
            EXPECT_THAT(refusal_of(pod),
                        HasSubstr("cloud-valkey-proxy: PortClash: container \"web\" declares containerPort " +
                                  std::to_string(port)));
        }
    }
    auto pod = make_pod("sessions");
    pod["spec"]["containers"][0]["ports"] = json::parse(R"([{"containerPort":8080},{"containerPort":6380}])");
    EXPECT_EQ(respond(make_review(pod))["allowed"], true);
}

TEST(Mutate, refuses_pods_it_cannot_serve) {
    auto pod = make_pod("sessions");
    pod["spec"]["hostNetwork"] = true;
    EXPECT_THAT(refusal_of(pod), HasSubstr("cloud-valkey-proxy: HostNetwork: "));
    pod["spec"]["hostNetwork"] = false;
    EXPECT_EQ(respond(make_review(pod))["allowed"], true);

    pod["spec"]["os"]["name"] = "windows";
    EXPECT_THAT(refusal_of(pod), HasSubstr("cloud-valkey-proxy: Windows: "));
    pod["spec"].erase("os");
    pod["spec"]["nodeSelector"]["kubernetes.io/os"] = "windows";
    EXPECT_THAT(refusal_of(pod), HasSubstr("cloud-valkey-proxy: Windows: "));
}

TEST(Mutate, refuses_a_container_of_the_sidecars_name) {
    auto pod = make_pod("sessions");
    pod["spec"]["containers"].push_back({{"name", "cloud-valkey-proxy"}});
    EXPECT_THAT(refusal_of(pod), HasSubstr("cloud-valkey-proxy: ContainerNameTaken: spec.containers"));
    pod = make_pod("sessions");
    pod["spec"]["initContainers"] = json::array({{{"name", "cloud-valkey-proxy"}}, {{"name", "cloud-valkey-proxy"}}});
    EXPECT_THAT(refusal_of(pod), HasSubstr("cloud-valkey-proxy: ContainerNameTaken: spec.initContainers"));
}

TEST(Mutate, refuses_a_secret_that_cannot_exist) {
    for (const auto* name : {"", "Has-Capitals", "under_score", "-x", "x."}) {
        auto pod = make_pod("sessions");
        pod["metadata"]["annotations"]["cloudvalkey.dev/secret.sessions"] = name;
        EXPECT_THAT(refusal_of(pod), HasSubstr("BadName: the annotation cloudvalkey.dev/secret.sessions")) << name;
    }
}

TEST(Mutate, passes_over_what_it_is_not_asked_for) {
    auto mirror = make_pod("sessions");
    mirror["metadata"]["annotations"]["kubernetes.io/config.mirror"] = "7f9d";
    mirror["spec"]["hostNetwork"] = true;
    EXPECT_EQ(patched(mirror), mirror);

    auto plain = make_pod("sessions");
    for (const auto* metadata : {"{}", R"({"annotations":null})", R"({"annotations":{}})",
                                 R"({"annotations":{"cloudvalkey.dev/status":"x"}})"}) {
        plain["metadata"] = json::parse(metadata);
        EXPECT_EQ(patched(plain), plain) << metadata;
    }

    for (const auto& [field, value] :
         {std::pair("operation", json("UPDATE")), std::pair("subResource", json("binding")),
          std::pair("resource", json::parse(R"({"group":"apps","resource":"pods"})"))}) {
        auto review = make_review(make_pod("sessions"));
        review["request"][field] = value;
        EXPECT_FALSE(respond(review).contains("patch")) << field;
    }
}

TEST(Mutate, does_not_answer_what_is_no_review) {
    const auto good = make_review(make_pod("sessions"));
    const auto without = [&](const char* pointer) {
        auto review = good;
        review[json::json_pointer(pointer)] = nullptr;
        return review.dump();
    };
    EXPECT_TRUE(mutate(good.dump(), kConfig));
    for (const auto& bad :
         {std::string(), std::string("{"), std::string("[]"), std::string("\"\xff\""), std::string(10000, '['),
          std::string(7'000'000, '['), without("/apiVersion"), without("/kind"), without("/request"),
          without("/request/uid"), without("/request/object")}) {
        const auto mutation = mutate(bad, kConfig);
        ASSERT_FALSE(mutation) << bad.substr(0, 80);
        EXPECT_EQ(mutation.error().code, ErrorCode::invalid_argument);
        EXPECT_THAT(mutation.error().context, HasSubstr("AdmissionReview: "));
    }
}

TEST(Mutate, needs_neither_name_nor_namespace_and_does_the_same_in_a_dry_run) {
    auto pod = make_pod("sessions");
    const auto expected = respond(make_review(pod));
    auto review = make_review(pod);
    review["request"]["namespace"] = "shop";
    review["request"]["name"] = "";
    review["request"]["dryRun"] = true;
    EXPECT_EQ(respond(review), expected);
    EXPECT_FALSE(pod["metadata"].contains("name"));
    EXPECT_FALSE(pod["metadata"].contains("namespace"));
}

TEST(Mutate, fills_in_lists_that_are_absent_or_null) {
    const auto usual = patched(make_pod("sessions"));
    for (const auto* pointer : {"/spec/initContainers", "/spec/volumes", "/spec/imagePullSecrets", "/metadata/labels",
                                "/spec/containers/0/env", "/spec/containers/0/volumeMounts"}) {
        auto pod = make_pod("sessions");
        pod[json::json_pointer(pointer)] = nullptr;
        auto injected = patched(pod);
        if (injected[json::json_pointer(pointer)].is_null())
            injected = injected.patch(json::array({{{"op", "remove"}, {"path", pointer}}}));
        EXPECT_EQ(injected, usual) << pointer;
    }
}

TEST(Mutate, does_not_read_what_would_grow_beyond_measure) {
    const auto with_value = [](const std::string& value) {
        auto review = make_review(make_pod("sessions")).dump();
        return review.insert(review.rfind('}'), ",\"x\":" + value);
    };
    EXPECT_TRUE(mutate(with_value("[" + std::string(50, '[') + std::string(50, ']') + "]"), kConfig));
    EXPECT_FALSE(mutate(with_value(std::string(200, '[') + std::string(200, ']')), kConfig));
    std::string many = "[{}";
    while (many.size() < 6'000'000)
        many += ",{}";
    EXPECT_FALSE(mutate(with_value(many + "]"), kConfig));
}

TEST(Mutate, survives_mistyped_parts_of_a_pod) {
    auto good = make_pod("sessions");
    good["metadata"]["annotations"]["cloudvalkey.dev/unix-socket"] = "true";
    for (const auto* pointer :
         {"/metadata/labels", "/metadata/annotations", "/spec", "/spec/containers", "/spec/containers/0",
          "/spec/initContainers", "/spec/volumes", "/spec/securityContext", "/spec/containers/0/env",
          "/spec/containers/0/volumeMounts", "/spec/containers/0/resources", "/spec/resources", "/metadata"}) {
        for (const auto& value : {json(nullptr), json(7), json("x"), json::array({1}), json::object({{"a", 1}})}) {
            auto pod = good;
            pod[json::json_pointer(pointer)] = value;
            const auto once = patched(pod);
            EXPECT_EQ(patched(once), once) << pointer << " = " << value;
        }
    }
}

TEST(Mutate, labels_its_results_for_metrics) {
    const auto check = [](const json& pod, std::string_view result, std::string_view reason) {
        const auto mutation = mutate(make_review(pod).dump(), kConfig);
        ASSERT_TRUE(mutation);
        EXPECT_EQ(mutation->result, result);
        EXPECT_EQ(mutation->reason, reason);
    };
    check(make_pod("sessions"), "injected", "");
    check(make_pod("a,a"), "refused", "Duplicate");
    check(json::object(), "untouched", "NotAnnotated");
    check(patched(make_pod("sessions")), "untouched", "AlreadyInjected");
}

}  // namespace
}  // namespace cvp::op
