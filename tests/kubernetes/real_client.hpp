#pragma once

#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "operator/kube/client.hpp"
#include "tests/kubernetes/environment.hpp"
#include "tests/support/async.hpp"

namespace cvp::test {

/// A test that talks to the real API server with our client, as the administrator, in a namespace of its own.
class RealClientTest : public testing::Test {
protected:
    explicit RealClientTest(const std::string& prefix) : name_space_(make_fresh_namespace(prefix)) {}
    ~RealClientTest() override { io_.poll(); }

    /// A client with that kubeconfig.
    std::unique_ptr<op::KubeClient> connect(const std::filesystem::path& kubeconfig) {
        auto config = op::load_kubeconfig(kubeconfig);
        EXPECT_TRUE(config) << config.error().context;
        return connect(std::move(*config));
    }
    std::unique_ptr<op::KubeClient> connect(op::KubeConfig config) {
        auto credentials = op::load_kube_credentials(config);
        EXPECT_TRUE(credentials) << credentials.error().context;
        return std::make_unique<op::KubeClient>(io_, std::move(config), std::move(*credentials), "test/1");
    }

    /// Runs one call of the client and returns what it gave.
    template <class T>
    T call(Awaitable<T> task) {
        return run(io_, std::move(task));
    }

    nlohmann::json config_map(const std::string& name, const std::string& value) const {
        return {{"apiVersion", "v1"},
                {"kind", "ConfigMap"},
                {"metadata", {{"name", name}, {"namespace", name_space_}}},
                {"data", {{"k", value}}}};
    }

    std::string name_space_;
    asio::io_context io_;
    std::unique_ptr<op::KubeClient> api_ = connect(control_plane().admin_kubeconfig());
};

}  // namespace cvp::test
