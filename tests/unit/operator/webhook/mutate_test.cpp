#include "operator/webhook/mutate.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "common/crypto/base64.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const InjectionConfig kConfig{.version = "1.2.3", .proxy_image = "proxy:1", .image_pull_secrets = {}};

json make_pod(const std::string& connections) {
    return {{"apiVersion", "v1"},
            {"kind", "Pod"},
            {"metadata", {{"generateName", "shop-"}, {"annotations", {{"cloudvalkey.dev/connections", connections}}}}},
            {"spec", {{"containers", json::array({{{"name", "app"}, {"image", "app:1"}}})}}}};
}

json make_review(json pod) {
    return {{"apiVersion", "admission.k8s.io/v1"},
            {"kind", "AdmissionReview"},
            {"request",
             {{"uid", "705ab4f5-6393-11e8-b7cc-42010a800002"},
              {"operation", "CREATE"},
              {"resource", {{"group", ""}, {"version", "v1"}, {"resource", "pods"}}},
              {"object", std::move(pod)}}}};
}

/// The response of a review that mutate() must be able to answer.
json respond(const json& review, const InjectionConfig& config = kConfig) {
    const auto mutation = mutate(review.dump(), config);
    if (!mutation) throw std::runtime_error(to_string(mutation.error()));
    const auto answer = json::parse(mutation->review);
    EXPECT_EQ(answer["apiVersion"], "admission.k8s.io/v1");
    EXPECT_EQ(answer["kind"], "AdmissionReview");
    EXPECT_EQ(answer["response"]["uid"], review["request"]["uid"]);
    return answer["response"];
}

json patched(const json& pod, const InjectionConfig& config = kConfig) {
    const auto response = respond(make_review(pod), config);
    EXPECT_EQ(response["allowed"], true);
    if (!response.contains("patch")) return pod;
    EXPECT_EQ(response["patchType"], "JSONPatch");
    return pod.patch(json::parse(crypto::base64_decode(response["patch"].get<std::string>()).value()));
}

std::string refusal_of(const json& pod) {
    const auto response = respond(make_review(pod));
    EXPECT_EQ(response["allowed"], false);
    EXPECT_FALSE(response.contains("patch"));
    EXPECT_EQ(response["status"]["code"], 403);
    return response["status"]["message"];
}

TEST(Mutate, leaves_its_own_output_as_it_is) {
    const auto once = patched(make_pod("sessions, orders:6390/6391"));
    ASSERT_EQ(once["spec"]["initContainers"].size(), 1);
    const auto response = respond(make_review(once));
    EXPECT_EQ(response["allowed"], true);
    EXPECT_FALSE(response.contains("patch"));
}

TEST(Mutate, injects_again_where_the_label_alone_was_copied) {
    auto pod = make_pod("sessions");
    pod["metadata"]["labels"]["cloudvalkey.dev/injected"] = "true";
    EXPECT_EQ(patched(pod)["spec"]["initContainers"][0]["name"], "cloud-valkey-proxy");
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

TEST(Mutate, says_root_only_where_the_pod_does) {
    auto pod = make_pod("sessions");
    EXPECT_FALSE(patched(pod)["spec"]["initContainers"][0]["securityContext"].contains("runAsUser"));
    pod["spec"]["securityContext"]["runAsUser"] = 1000;
    EXPECT_FALSE(patched(pod)["spec"]["initContainers"][0]["securityContext"].contains("runAsUser"));
    pod["spec"]["securityContext"]["runAsUser"] = 0;
    EXPECT_EQ(patched(pod)["spec"]["initContainers"][0]["securityContext"]["runAsUser"], 65532);
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
    for (const auto* list : {"containers", "initContainers"}) {
        auto pod = make_pod("sessions");
        pod["spec"][list] = json::array({{{"name", "x"}}, {{"name", "cloud-valkey-proxy"}}});
        EXPECT_THAT(refusal_of(pod), HasSubstr(std::string("ContainerNameTaken: spec.") + list));
    }
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
    for (const auto& bad : {std::string(), std::string("{"), std::string("[]"), std::string("\"\xff\""),
                            std::string(10000, '['), without("/apiVersion"), without("/kind"), without("/request"),
                            without("/request/uid"), without("/request/object")}) {
        const auto mutation = mutate(bad, kConfig);
        ASSERT_FALSE(mutation) << bad.substr(0, 80);
        EXPECT_EQ(mutation.error().code, ErrorCode::invalid_argument);
        EXPECT_THAT(mutation.error().context, HasSubstr("AdmissionReview: "));
    }
}

TEST(Mutate, survives_mistyped_parts_of_a_pod) {
    const auto good = make_pod("sessions");
    for (const auto* pointer :
         {"/metadata/labels", "/metadata/annotations", "/spec", "/spec/containers", "/spec/containers/0",
          "/spec/initContainers", "/spec/volumes", "/spec/securityContext"}) {
        for (const auto& value : {json(nullptr), json(7), json("x"), json::array({1}), json::object({{"a", 1}})}) {
            auto pod = good;
            pod[json::json_pointer(pointer)] = value;
            EXPECT_TRUE(mutate(make_review(pod).dump(), kConfig)) << pointer << " = " << value;
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
