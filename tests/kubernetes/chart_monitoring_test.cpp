// What the chart brings for those who watch: monitors and alerts, which are only as good as the names in them.

#include <regex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/kubernetes/chart.hpp"
#include "tests/kubernetes/chart_objects.hpp"
#include "tests/kubernetes/environment.hpp"
#include "tests/support/source_tree.hpp"

namespace cvp::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string render_monitoring() {
    return render_chart({"--set",
                         "podMonitor.enabled=true,podMonitor.labels.release=prometheus,"
                         "prometheusRule.enabled=true,grafanaDashboard.enabled=true"});
}

/// The headings of a Markdown page as links name them.
std::set<std::string> anchors_of(const std::string& page) {
    std::set<std::string> anchors;
    std::istringstream lines(read_source(page));
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with('#')) continue;
        std::string anchor;
        for (const char letter : line.substr(line.find(' ') + 1)) {
            if (std::isalnum(static_cast<unsigned char>(letter)) || letter == '-')
                anchor += static_cast<char>(std::tolower(letter));
            if (letter == ' ') anchor += '-';
        }
        anchors.insert(anchor);
    }
    return anchors;
}

TEST(ChartMonitoring, is_off_unless_asked_for) {
    EXPECT_THAT(render_chart(), Not(HasSubstr("monitoring.coreos.com")));
}

TEST(ChartMonitoring, is_accepted_by_the_api_server) {
    ensure_release_namespace();
    const LaxCrd monitors("monitoring.coreos.com", "podmonitors", "PodMonitor");
    const LaxCrd rules("monitoring.coreos.com", "prometheusrules", "PrometheusRule");
    const auto answer =
        control_plane().kubectl({"apply", "--server-side", "--dry-run=server", "--filename=-"}, render_monitoring());
    ASSERT_TRUE(answer) << answer.error().context;
    for (const auto* object :
         {"podmonitor.monitoring.coreos.com/cloud-valkey-operator",
          "podmonitor.monitoring.coreos.com/cloud-valkey-proxy",
          "prometheusrule.monitoring.coreos.com/cloud-valkey-operator", "configmap/cloud-valkey-proxy-dashboard",
          "networkpolicy.networking.k8s.io/cloud-valkey-operator"})
        EXPECT_THAT(*answer, HasSubstr(std::string(object) + " serverside-applied"));
}

/// Without what Prometheus adds to a histogram's name.
std::string metric_of(const std::string& series) {
    return series.ends_with("_bucket") ? series.substr(0, series.size() - 7) : series;
}

TEST(ChartMonitoring, dashboard_asks_for_metrics_and_labels_that_exist) {
    const auto dashboard = nlohmann::json::parse(read_source("charts/cloud-valkey-proxy/files/dashboard.json"));
    const auto metrics = read_source("docs/metrics.md");
    const std::regex series("\\b(cloudvalkey|controller_runtime|workqueue|leader_election|rest_client)_[a-z_]+");
    const std::regex groups("by \\(([a-z_, ]+)\\)");
    std::set<std::string> seen;
    for (const auto& panel : dashboard["panels"]) {
        for (const auto& target : panel.value("targets", nlohmann::json::array())) {
            const auto expression = target["expr"].get<std::string>();
            std::smatch found;
            ASSERT_TRUE(std::regex_search(expression, found, series)) << expression;
            const auto metric = metric_of(found.str());
            seen.insert(metric);
            const auto row = metrics.find("| `" + metric + "` |");
            ASSERT_NE(row, std::string::npos) << metric;
            const auto line = metrics.substr(row, metrics.find('\n', row) - row);
            if (!std::regex_search(expression, found, groups)) continue;
            std::istringstream labels(found[1].str());
            for (std::string label; std::getline(labels, label, ',');) {
                label.erase(0, label.find_first_not_of(' '));
                const bool is_of_prometheus = label == "namespace" || label == "le";
                EXPECT_TRUE(is_of_prometheus || line.find(label) != std::string::npos) << expression;
            }
        }
    }
    EXPECT_GE(seen.size(), 20u);
}

TEST(ChartMonitoring, alerts_name_metrics_that_exist_and_pages_that_are_there) {
    const auto manifest =
        render_chart({"--set", "prometheusRule.enabled=true", "--show-only", "templates/monitoring.yaml"});
    const auto metrics = read_source("docs/metrics.md");
    const std::regex metric("\\b(cloudvalkey|controller_runtime|workqueue|leader_election|rest_client)_[a-z_]+");
    std::size_t count = 0;
    for (std::sregex_iterator at(manifest.begin(), manifest.end(), metric), end; at != end; ++at, ++count)
        EXPECT_THAT(metrics, HasSubstr("| `" + at->str() + "` |"));
    EXPECT_GE(count, 10u);

    const std::regex link("runbook: (docs/[a-z-]+\\.md)(#([a-z0-9-]+))?");
    count = 0;
    for (std::sregex_iterator at(manifest.begin(), manifest.end(), link), end; at != end; ++at, ++count) {
        const auto anchors = anchors_of((*at)[1]);
        EXPECT_TRUE(!(*at)[3].matched || anchors.contains((*at)[3])) << at->str();
    }
    EXPECT_GE(count, 10u);
}

TEST(ChartMonitoring, finds_the_sidecars_by_the_label_and_the_port_that_injection_gives_them) {
    const auto manifest = render_monitoring();
    EXPECT_THAT(manifest, HasSubstr("cloudvalkey.dev/injected: \"true\""));
    EXPECT_THAT(manifest, HasSubstr("port: cvp-admin"));
    EXPECT_THAT(manifest, HasSubstr("release: prometheus"));
    EXPECT_THAT(render_chart({"--set", "podMonitor.enabled=true,watchNamespaces={team-a}"}),
                Not(HasSubstr("any: true")));
}

TEST(ChartExtras, adds_environment_volumes_and_objects) {
    const auto manifest = render_chart({"--set", "extraEnv[0].name=TZ,extraEnv[0].value=UTC", "--set",
                                        "extraVolumes[0].name=ca,extraVolumes[0].configMap.name=company-ca", "--set",
                                        "extraVolumeMounts[0].name=ca,extraVolumeMounts[0].mountPath=/etc/ca",
                                        "--set-string", "extraObjects[0]=kind: ConfigMap # of {{ .Release.Name }}"});
    EXPECT_THAT(manifest, HasSubstr("volumeMounts:\n            - mountPath: /etc/ca\n              name: ca\n"));
    EXPECT_THAT(manifest, HasSubstr("volumes:\n        - configMap:\n            name: company-ca\n"));
    EXPECT_THAT(manifest, HasSubstr("- name: TZ\n              value: UTC\n"));
    EXPECT_THAT(manifest, HasSubstr("kind: ConfigMap # of "));
    EXPECT_THAT(manifest, Not(HasSubstr("{{")));
}

TEST(ChartExtras, brings_a_test_that_looks_at_a_namespace_which_is_not_its_own_or_none) {
    int status = 0;
    EXPECT_THAT(run_helm({"template", "release", "--namespace=ops", "--set=watchNamespaces={ops,team-a}"}, status),
                HasSubstr("--namespace=team-a, --excluded-namespace=ops"));
    EXPECT_THAT(run_helm({"template", "release", "--namespace=default"}, status), Not(HasSubstr("selftest")));
    EXPECT_EQ(status, 0);
}

TEST(ChartExtras, opens_metrics_to_the_peers_that_are_named) {
    const auto manifest =
        render_chart({"--set", "networkPolicy.metricsFrom[0].namespaceSelector.matchLabels.team=watch", "--show-only",
                      "templates/networkpolicy.yaml"});
    EXPECT_THAT(manifest, HasSubstr("team: watch"));
    EXPECT_THAT(manifest, HasSubstr("port: webhook"));
    EXPECT_THAT(render_chart({"--set", "networkPolicy.enabled=false"}), Not(HasSubstr("NetworkPolicy")));
    for (const auto* value :
         {"networkPolicy.metricsFrom=x", "podMonitor.interval=often", "extraEnv[0].value=x",
          "extraVolumes[0].configMap.name=x", "extraVolumeMounts[0].name=x", "prometheusRule.label=x"}) {
        int status = 0;
        EXPECT_THAT(run_helm({"template", "--set", value, "release"}, status),
                    HasSubstr("values don't meet the specifications of the schema"))
            << value;
        EXPECT_NE(status, 0) << value;
    }
}

}  // namespace
}  // namespace cvp::test
