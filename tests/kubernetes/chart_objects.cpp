#include "tests/kubernetes/chart_objects.hpp"

#include <stdexcept>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/kubernetes/chart.hpp"
#include "tests/kubernetes/environment.hpp"

namespace cvp::test {

ChartObjects::ChartObjects(const std::vector<std::string>& templates, const std::vector<std::string>& arguments) {
    auto all = arguments;
    for (const auto& file : templates) {
        all.emplace_back("--show-only");
        all.push_back("templates/" + file);
    }
    manifest_ = render_chart(all);
    const auto applied =
        control_plane().kubectl({"apply", "--server-side", "--force-conflicts", "--filename=-"}, manifest_);
    if (!applied) throw std::runtime_error(applied.error().context);
}

ChartObjects::~ChartObjects() {
    (void)control_plane().kubectl({"delete", "--ignore-not-found", "--filename=-"}, manifest_);
}

LaxCrd::LaxCrd(const std::string& group, const std::string& plural, const std::string& kind)
    : name_(plural + "." + group) {
    const nlohmann::json schema = {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
    const nlohmann::json version = {
        {"name", "v1"}, {"served", true}, {"storage", true}, {"schema", {{"openAPIV3Schema", schema}}}};
    const nlohmann::json crd = {{"apiVersion", "apiextensions.k8s.io/v1"},
                                {"kind", "CustomResourceDefinition"},
                                {"metadata", {{"name", name_}}},
                                {"spec",
                                 {{"group", group},
                                  {"scope", "Namespaced"},
                                  {"names", {{"plural", plural}, {"kind", kind}}},
                                  {"versions", nlohmann::json::array({version})}}}};
    for (const auto& done : {control_plane().kubectl({"apply", "--filename=-"}, crd.dump()),
                             control_plane().kubectl({"wait", "--for=condition=Established", "crd/" + name_})})
        if (!done) throw std::runtime_error(done.error().context);
}

LaxCrd::~LaxCrd() {
    EXPECT_TRUE(control_plane().kubectl({"delete", "crd", name_}));
}

}  // namespace cvp::test
