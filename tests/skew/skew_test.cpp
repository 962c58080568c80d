// Two versions run together whenever the operator is upgraded: pods keep the proxy that they have. Each of today's
// programs meets the other one of the commit with which form 1 of connection.yaml was frozen (scripts/build-frozen.sh).

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/emulator_process.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/proxy_process.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/value_or_throw.hpp"

namespace cvp::test {
namespace {

using testing::HasSubstr;

enum class Version { frozen, today };

constexpr auto kInstance = "projects/my-project/locations/us-central1/instances/my-valkey";
constexpr auto kManifest = R"(
apiVersion: cloudvalkey.dev/v1alpha1
kind: ValkeyConnection
metadata: {name: sessions}
spec: {instance: {memorystoreValkey: {name: projects/my-project/locations/us-central1/instances/my-valkey}}}
)";

std::filesystem::path frozen(const std::string& program) {
    const auto* directory = std::getenv("CVP_FROZEN_DIR");
    if (directory == nullptr) throw std::runtime_error("CVP_FROZEN_DIR is not set: scripts/run-tests.sh skew sets it");
    return std::filesystem::path(directory) / program;
}

std::filesystem::path operator_of(Version version) {
    return version == Version::today ? CVP_OPERATOR_BINARY : frozen("operator/cloud-valkey-operator");
}

std::filesystem::path proxy_of(Version version) {
    return version == Version::today ? CVP_PROXY_BINARY : frozen("proxy/cloud-valkey-proxy");
}

/// What a later version may add: keys that are optional, at the top and in a map.
std::string with_future_keys(std::string document) {
    const std::string proxy = "proxy:\n";
    const auto at = document.find(proxy);
    if (at == std::string::npos) throw std::runtime_error("the document has no proxy:\n" + document);
    document.insert(at + proxy.size(), "  futureOption: 7\n");
    return document + "future:\n  list:\n    - of: maps\n";
}

class Skew : public testing::TestWithParam<std::tuple<Version, Version>> {
protected:
    std::vector<std::string> cloud() const {
        return {"CVP_GOOGLE_API_BASE=" + emulator_.rest_base(), "GCE_METADATA_HOST=" + emulator_.metadata_host()};
    }

    std::string resolve(Version version) const {
        ProcessOptions options;
        options.argv = {operator_of(version), "resolve", "-f", "-"};
        options.env = cloud();
        const auto ended = value_or_throw(run_command(options, kManifest));
        if (ended.status != 0) throw std::runtime_error(ended.err);
        return ended.out;
    }

    ProxyProcess serve(Version version, const std::string& document) const {
        ProxyOptions options;
        options.binary = proxy_of(version);
        options.arguments = {"--config=" + dir_.write("connection.yaml", document).string()};
        options.env = cloud();
        options.log_file = dir_.path() / "proxy.log";
        return value_or_throw(ProxyProcess::start(options));
    }

    TempDir dir_{"cvp-skew"};
    EmulatorProcess emulator_ = value_or_throw(
        EmulatorProcess::start(CVP_EMULATOR_BINARY, dir_.path(), {std::string("--instance=") + kInstance + ":valkey"}));
};

TEST_P(Skew, a_proxy_serves_what_an_operator_wrote) {
    const auto [writer, reader] = GetParam();
    const auto proxy = serve(reader, resolve(writer));
    EXPECT_EQ(proxy.ask({"PING"}), "+PONG");
}

TEST_P(Skew, a_proxy_serves_a_document_with_keys_that_it_does_not_know_and_names_them) {
    const auto [writer, reader] = GetParam();
    const auto proxy = serve(reader, with_future_keys(resolve(writer)));
    EXPECT_EQ(proxy.ask({"PING"}), "+PONG");
    const auto log = tail_of(dir_.path() / "proxy.log", 1'000);
    EXPECT_THAT(log, HasSubstr("proxy.futureOption"));
    EXPECT_THAT(log, HasSubstr("future"));
}

TEST_P(Skew, a_running_proxy_follows_a_document_in_which_keys_appear) {
    const auto [writer, reader] = GetParam();
    const auto document = resolve(writer);
    const auto proxy = serve(reader, document);
    auto client = value_or_throw(proxy.connect());
    EXPECT_EQ(value_or_throw(client.command({"PING"})).text, "PONG");
    dir_.write("next", with_future_keys(document));
    std::filesystem::rename(dir_.path() / "next", dir_.path() / "connection.yaml");
    EXPECT_TRUE(eventually(
        [&] { return tail_of(dir_.path() / "proxy.log", 1'000).find("proxy.futureOption") != std::string::npos; }));
    EXPECT_EQ(value_or_throw(client.command({"PING"})).text, "PONG") << "the connection from before";
    EXPECT_EQ(proxy.ask({"PING"}), "+PONG");
}

std::string name_of(const testing::TestParamInfo<std::tuple<Version, Version>>& info) {
    const auto word = [](Version version) { return version == Version::today ? "today" : "frozen"; };
    return std::string("operator_") + word(std::get<0>(info.param)) + "_proxy_" + word(std::get<1>(info.param));
}

INSTANTIATE_TEST_SUITE_P(Versions, Skew,
                         testing::Values(std::tuple(Version::today, Version::frozen),
                                         std::tuple(Version::frozen, Version::today),
                                         std::tuple(Version::frozen, Version::frozen)),
                         name_of);

}  // namespace
}  // namespace cvp::test
