// docs/reference.md is made of the CRD and of what the programs say of themselves. To write it anew:
//
//   CVP_UPDATE_DOCS=1 build/dev/tests/integration/integration_docs

#include <gtest/gtest.h>

#include "common/yaml/parser.hpp"
#include "tests/integration/docs/crd_table.hpp"
#include "tests/support/made_file.hpp"
#include "tests/support/process.hpp"
#include "tests/support/read_file.hpp"
#include "tests/support/source_tree.hpp"
#include "tests/support/temp_dir.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kPage = "docs/reference.md";
constexpr auto kHead =
    "# Reference\n\n"
    "Every field of the API and every flag, made from the CRD and the programs by a test that fails when this page is "
    "behind them. Annotations, variables and the Secret's keys: [injection.md](injection.md). Conditions and their "
    "reasons, which are the Events' as well: [conditions.md](conditions.md). Metrics: [metrics.md](metrics.md).\n";

constexpr auto kValues =
    "## The chart's values\n\n"
    "What these are not is refused (`values.schema.json`). Experimental, because tests render them and the API server "
    "takes them but nobody acts on them there: `podMonitor`, `prometheusRule`, `grafanaDashboard`, and "
    "`webhook.certificate.mode: certManager`.\n\n";

std::string help_of(const char* program) {
    const TempDir dir("cvp-help");
    ProcessOptions options;
    options.argv = {program, "--help"};
    options.log_file = dir.path() / "help";
    auto process = Process::start(options);
    EXPECT_TRUE(process.has_value());
    if (!process) return {};
    EXPECT_EQ(process->wait(30s), 0);
    return read_file(dir.path() / "help");
}

std::string make_page() {
    const auto crd = yaml::parse(read_source("crds/cloudvalkey.dev_valkeyconnections.yaml"), {.max_depth = 64});
    EXPECT_TRUE(crd.has_value());
    if (!crd) return {};
    return std::string(kHead) + "\n## ValkeyConnection: spec\n\n" + crd_table(*crd, "spec") +
           "\n## ValkeyConnection: status\n\n" + crd_table(*crd, "status") + "\n## cloud-valkey-proxy\n\n```\n" +
           help_of(CVP_PROXY_BINARY) + "```\n\n## cloud-valkey-operator\n\n```\n" + help_of(CVP_OPERATOR_BINARY) +
           "```\n\n## kubectl-cloudvalkey\n\n```\n" + help_of(CVP_PLUGIN_BINARY) + "```\n\n" + kValues + "```yaml\n" +
           read_source("charts/cloud-valkey-proxy/values.yaml") + "```\n";
}

TEST(Reference, says_what_the_crd_and_the_programs_say) {
    const auto page = make_page();
    EXPECT_EQ(differs_from_made(kPage, page, "CVP_UPDATE_DOCS"), "");
}

}  // namespace
}  // namespace cvp::test
