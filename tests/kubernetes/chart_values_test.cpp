// What of the chart's values a user may rely on: what a test sets, and nothing else without a warning.

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/kubernetes/chart.hpp"
#include "tests/support/source_tree.hpp"

namespace cvp::test {
namespace {

using testing::HasSubstr;

/// All that the tests of the chart say.
std::string chart_tests() {
    std::string all;
    for (const auto& file : std::filesystem::directory_iterator(source_path("tests/kubernetes")))
        if (file.path().extension() == ".cpp") all += read_source(file.path());
    return all;
}

/// The values that have no parts of their own, by their paths, with what the schema says of them.
void add_leaves(const nlohmann::json& schema, const nlohmann::json& definitions, const std::string& path,
                const std::string& said, std::map<std::string, std::string>& leaves) {
    auto here = schema;
    if (const auto reference = schema.find("$ref"); reference != schema.end()) {
        const auto name = reference->get<std::string>();
        here = definitions[name.substr(name.rfind('/') + 1)];
    }
    const auto description = schema.value("description", said);
    if (!here.contains("properties")) {
        leaves[path] = description;
        return;
    }
    for (const auto& [name, part] : here["properties"].items())
        add_leaves(part, definitions, path.empty() ? name : path + "." + name, description, leaves);
}

std::map<std::string, std::string> leaves_of_schema() {
    const auto schema = nlohmann::json::parse(read_source("charts/cloud-valkey-proxy/values.schema.json"));
    std::map<std::string, std::string> leaves;
    add_leaves(schema, schema["definitions"], "", "", leaves);
    return leaves;
}

TEST(ChartValues, are_each_set_by_a_test_or_marked_experimental) {
    const auto tests = chart_tests();
    for (const auto& [path, said] : leaves_of_schema()) {
        if (path == "global") continue;  // helm's own: a parent chart's
        const bool is_set = tests.find(path + "=") != std::string::npos ||
                            tests.find(path + "[") != std::string::npos || tests.find(path + ".") != std::string::npos;
        EXPECT_TRUE(is_set || said.starts_with("Experimental: ")) << path;
    }
}

TEST(ChartValues, reach_the_objects_that_they_are_for) {
    for (const auto& [value, text] : std::vector<std::pair<std::string, std::string>>{
             {"image.pullPolicy=Always", "imagePullPolicy: Always"},
             {"image.repository=team/operator", "image: \"team/operator:"},
             {"image.digest=sha256:" + std::string(64, 'b'), "cloud-valkey-operator@sha256:bbb"},
             {"imagePullSecrets[0].name=pull", "imagePullSecrets:\n        - name: pull\n"},
             {"proxy.image.registry=registry.example", "--proxy-image=registry.example/cloud-valkey-proxy:"},
             {"proxy.image.repository=team/proxy", "--proxy-image=team/proxy:"},
             {"proxy.image.tag=v9", "--proxy-image=cloud-valkey-proxy:v9"},
             {"serviceAccount.annotations.team=x", "team: x"},
             {"webhook.port=9443", "--webhook-port=9443"},
             {"grafanaDashboard.enabled=true,grafanaDashboard.labels.find=me", "find: me"},
             {"valkey.enabled=true,valkey.image.registry=registry.example", "image: \"registry.example/valkey/valkey:"},
             {"valkey.enabled=true,valkey.image.repository=own", "image: \"own:"},
             {"valkey.enabled=true,valkey.image.tag=9.1.0", "image: \"valkey/valkey:9.1.0\""},
             {"valkey.enabled=true,valkey.image.digest=sha256:" + std::string(64, 'c'), "valkey/valkey@sha256:ccc"}})
        EXPECT_THAT(render_chart({"--set", value}), HasSubstr(text)) << value;
}

}  // namespace
}  // namespace cvp::test
