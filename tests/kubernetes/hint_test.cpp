// The hint: a warning to the person who annotates the wrong object or mistypes a key.

#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/kubernetes/api_session.hpp"
#include "tests/kubernetes/chart_objects.hpp"
#include "tests/kubernetes/environment.hpp"
#include "tests/support/eventually.hpp"

namespace cvp::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

/// The warnings of an answer; "" where there are none, its text where it is a refusal.
std::string warnings_of(const http::Response& response) {
    if (response.status >= 300) return "refused: " + response.body;
    std::string all;
    for (const auto& [name, value] : response.headers) {
        if (name == "Warning") all += value + "\n";
    }
    return all;
}

class Hint : public testing::Test {
protected:
    static void SetUpTestSuite() {
        name_space = make_fresh_namespace("hint");
        hint.emplace(std::vector<std::string>{"hint.yaml"});
        ApiSession api;
        ASSERT_TRUE(eventually([&] { return !warnings_of(create(api, misplaced("deployments"))).empty(); }));
    }
    static void TearDownTestSuite() { hint.reset(); }

    struct Workload {
        std::string collection;
        json object;
    };

    /// A workload without any annotation.
    static Workload make(const std::string& plural) {
        const json pod = json::parse(R"({"metadata": {"labels": {"app": "web"}, "annotations": {}},
            "spec": {"restartPolicy": "Always", "containers": [{"name": "app", "image": "app:1"}]}})");
        json spec = {{"template", pod}};
        std::string group = "batch";
        std::string kind = plural == "jobs" ? "Job" : "CronJob";
        if (plural == "jobs" || plural == "cronjobs") {
            spec["template"]["spec"]["restartPolicy"] = "Never";
            if (plural == "cronjobs") spec = {{"schedule", "* * * * *"}, {"jobTemplate", {{"spec", spec}}}};
        } else {
            group = "apps";
            kind = plural == "deployments" ? "Deployment" : plural == "daemonsets" ? "DaemonSet" : "StatefulSet";
            spec["selector"] = {{"matchLabels", {{"app", "web"}}}};
            if (plural == "statefulsets") spec["serviceName"] = "web";
        }
        return {"/apis/" + group + "/v1/namespaces/" + name_space + "/" + plural,
                {{"apiVersion", group + "/v1"}, {"kind", kind}, {"metadata", {{"name", "web"}}}, {"spec", spec}}};
    }
    static json& template_of(Workload& workload) {
        auto& spec = workload.object["spec"];
        return spec.contains("jobTemplate") ? spec["jobTemplate"]["spec"]["template"] : spec["template"];
    }
    static Workload misplaced(const std::string& plural) {
        auto workload = make(plural);
        workload.object["metadata"]["annotations"] = {{"cloudvalkey.dev/connections", "sessions"}};
        return workload;
    }
    static http::Response create(ApiSession& api, const Workload& workload) {
        return api.send("POST", workload.collection + "?dryRun=All", workload.object.dump());
    }
    std::string warnings(const Workload& workload) { return warnings_of(create(api, workload)); }

    ApiSession api;
    static inline std::string name_space;
    static inline std::optional<ChartObjects> hint;
};

const std::vector<std::string> kKinds = {"deployments", "statefulsets", "daemonsets", "jobs", "cronjobs"};

TEST_F(Hint, says_where_the_annotation_belongs) {
    for (const auto& kind : kKinds) {
        const auto where = kind == "cronjobs" ? "spec.jobTemplate.spec.template.metadata.annotations"
                                              : "Move it to spec.template.metadata.annotations";
        EXPECT_THAT(warnings(misplaced(kind)), AllOf(HasSubstr("its pods get no sidecar"), HasSubstr(where))) << kind;
    }
    auto cron_job = make("cronjobs");
    cron_job.object["spec"]["jobTemplate"]["metadata"] = {
        {"annotations", {{"cloudvalkey.dev/connections", "sessions"}}}};
    EXPECT_THAT(warnings(cron_job), HasSubstr("does nothing on a CronJob"));
}

TEST_F(Hint, has_nothing_to_say_where_all_is_well) {
    for (const auto& kind : kKinds) {
        EXPECT_EQ(warnings(make(kind)), "") << kind;
        auto workload = make(kind);
        template_of(workload)["metadata"]["annotations"] = {{"cloudvalkey.dev/connections", "sessions"},
                                                            {"cloudvalkey.dev/unix-socket", "true"},
                                                            {"cloudvalkey.dev/secret.sessions", "login"},
                                                            {"cloudvalkey.dev/status", "{}"},
                                                            {"example.com/x", "y"}};
        template_of(workload)["metadata"]["labels"]["cloudvalkey.dev/injected"] = "true";
        EXPECT_EQ(warnings(workload), "") << kind;
        workload.object["metadata"]["annotations"] = {{"cloudvalkey.dev/connections", "sessions"}};
        EXPECT_EQ(warnings(workload), "") << kind << ": it is on the template as well";
    }
}

TEST_F(Hint, names_an_unknown_key_wherever_it_stands) {
    for (const auto& kind : kKinds) {
        auto workload = make(kind);
        template_of(workload)["metadata"]["annotations"] = {{"cloudvalkey.dev/connection", "sessions"}};
        EXPECT_THAT(warnings(workload), HasSubstr("the annotation cloudvalkey.dev/connection is unknown")) << kind;
        workload = make(kind);
        workload.object["metadata"]["annotations"] = {{"cloudvalkey.dev/secrets.x", "x"}};
        EXPECT_THAT(warnings(workload), HasSubstr("the annotation cloudvalkey.dev/secrets.x is unknown")) << kind;
        workload = make(kind);
        template_of(workload)["metadata"]["labels"]["cloudvalkey.dev/connections"] = "sessions";
        EXPECT_THAT(warnings(workload), AllOf(HasSubstr("the label cloudvalkey.dev/connections is unknown"),
                                              HasSubstr("is asked for with the annotation")))
            << kind;
    }
}

TEST_F(Hint, only_warns_and_on_updates_too) {
    auto workload = make("deployments");
    ASSERT_EQ(api.send("POST", workload.collection, workload.object.dump()).status, 201U);
    const auto patched = api.send("PATCH", workload.collection + "/web",
                                  R"({"metadata": {"annotations": {"cloudvalkey.dev/connections": "sessions"}}})",
                                  "application/merge-patch+json");
    EXPECT_EQ(patched.status, 200U);
    EXPECT_THAT(warnings_of(patched), StartsWith("299 - "));
    const auto scaled = api.send("PATCH", workload.collection + "/web/scale", R"({"spec": {"replicas": 0}})",
                                 "application/merge-patch+json");
    EXPECT_EQ(warnings_of(scaled), "") << "whoever scales has not written it";
}

TEST_F(Hint, makes_sense_to_the_type_checker) {
    const std::string path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/cloudvalkey-hint";
    ASSERT_TRUE(eventually([&] { return api.get(path).contains("status"); }));
    const auto policy = api.get(path);
    EXPECT_EQ(policy["status"]["observedGeneration"], policy["metadata"]["generation"]);
    EXPECT_FALSE(policy["status"]["typeChecking"].contains("expressionWarnings")) << policy["status"];
}

}  // namespace
}  // namespace cvp::test
