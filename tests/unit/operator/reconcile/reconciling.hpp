#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "operator/reconcile/connection_controller.hpp"
#include "tests/support/async.hpp"
#include "tests/support/fake_cloud.hpp"
#include "tests/support/fake_kube_api.hpp"
#include "tests/support/test_ca.hpp"

namespace cvp::op {

inline const auto kFullName = std::string("projects/my-project/locations/us-central1/instances/my-valkey");
inline const auto kInstanceTarget = "/v1/" + kFullName;
inline const auto kCaTarget = kInstanceTarget + "/certificateAuthority";
inline const auto kConnection = valkey_connections("shop", "sessions");
inline const ReconcileRequest kRequest(ObjectKey{"shop", "sessions"});
inline const auto kConfigMap = config_maps("shop", "cloudvalkey-sessions");

inline nlohmann::json connection(const std::string& instance = kFullName) {
    return {{"apiVersion", "cloudvalkey.dev/v1alpha1"},
            {"kind", "ValkeyConnection"},
            {"metadata", nlohmann::json::object()},
            {"spec", {{"instance", {{"memorystoreValkey", {{"name", instance}}}}}, {"refreshInterval", "10m"}}}};
}

/// The whole controller on an API and a cloud in memory.
class Reconciling : public testing::Test {
protected:
    Reconciling() {
        cloud.answer(kInstanceTarget, 200, cvp::test::iam_instance());
        cloud.answer(kCaTarget, 200, cvp::test::ca_answer(ca.pem()));
        start();
    }
    ~Reconciling() override { stop(); }

    void start() {
        controller = std::make_unique<ConnectionController>(api, cloud, place, std::vector<std::string>{},
                                                            [this] { return now; });
        controller->watch(tasks);
        controller->reconcile(tasks);
    }
    void stop() {
        controller->stop();
        cloud.hold = false;
        cloud.released.notify_all();
        EXPECT_TRUE(cvp::test::run(io, tasks.join(SteadyClock::now() + std::chrono::seconds(5))));
    }
    void restart() {
        stop();
        api.forget_calls();
        cloud.calls.clear();
        start();
    }

    template <class Condition>
    bool reaches(Condition condition) {
        return cvp::test::run_until(io, std::move(condition));
    }
    /// Lets everything settle: nothing was called for a while.
    void settle() {
        auto calls = api.calls().size() + cloud.calls.size() + 1;
        while (calls != api.calls().size() + cloud.calls.size()) {
            calls = api.calls().size() + cloud.calls.size();
            cvp::test::run_until(
                io, [] { return false; }, std::chrono::milliseconds(100));
        }
    }

    nlohmann::json config_map() const { return api.stored(kConfigMap); }
    ResolvedConnection document() const {
        const auto parsed = parse_resolved_connection(config_map()["data"]["connection.yaml"].get<std::string>());
        EXPECT_EQ(describe_faults("document", parsed.faults), "");
        return parsed.connection;
    }
    ConnectionStatus status() const { return read_connection_status(api.stored(kConnection)); }
    /// "True/Resolved" of a condition of the stored status, "" where there is none.
    std::string condition(std::string_view type) const {
        const auto written = status();
        const auto* found = find_condition(written.conditions, type);
        return found == nullptr ? "" : std::string(to_string(found->status)) + "/" + found->reason;
    }
    bool is_ready() const { return condition("Ready") == "True/Resolved"; }
    std::string version(const ResourcePath& path) const {
        return api.stored(path)["metadata"]["resourceVersion"].get<std::string>();
    }

    /// "Warning PermissionDenied" of every Event that was written, in order.
    std::vector<std::string> events() const {
        std::vector<std::string> texts;
        for (const auto& call : api.calls()) {
            if (call.verb != "create" || call.path.plural != "events") continue;
            texts.push_back(call.body["type"].get<std::string>() + " " + call.body["reason"].get<std::string>());
        }
        return texts;
    }
    /// POSTs, Events apart.
    std::size_t creations() const { return api.count("create") - events().size(); }

    void ask_for_refresh(const std::string& value) {
        auto object = api.stored(kConnection);
        object["metadata"]["annotations"]["cloudvalkey.dev/refresh"] = value;
        api.put(kConnection, object);
    }
    void refresh_and_settle(const std::string& value) {
        ask_for_refresh(value);
        EXPECT_TRUE(reaches([&] { return status().last_handled_refresh == value; }));
        settle();
    }
    void create_and_settle() {
        api.put(kConnection, connection());
        EXPECT_TRUE(reaches([&] { return is_ready(); })) << condition("Ready");
        settle();
    }

    const cvp::test::TestCa ca{"the instance's CA"};
    asio::io_context io{1};
    cvp::test::FakeKubeApi api;
    cvp::test::FakeCloud cloud;
    cvp::test::FakePlace place;
    SystemClock::time_point now{std::chrono::seconds(1'795'176'000)};  // 2026-11-20T12:00:00Z
    TaskGroup tasks{io};
    std::unique_ptr<ConnectionController> controller;
};

}  // namespace cvp::op
