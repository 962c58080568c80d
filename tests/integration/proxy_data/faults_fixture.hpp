#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/integration/proxy_data/running_proxy.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/valkey_server.hpp"
#include "tests/support/value_or_throw.hpp"

namespace cvp::test {

inline const Secret kToken("ya29.Zmlyc3Q");

/// A proxy whose server, login and destination the test gives and takes.
class FaultsTest : public ::testing::Test {
protected:
    ValkeyServer& start_valkey(std::uint16_t port = 0, std::vector<Secret> passwords = {kToken}) {
        return valkey_.emplace(start("first", port, std::move(passwords)));
    }
    ValkeyServer start(const std::string& name, std::uint16_t port, std::vector<Secret> passwords) {
        ValkeyOptions options;
        options.dir = dir_.path() / name;
        std::filesystem::create_directories(options.dir);
        options.port = port;
        options.tls = ca_.valkey();
        options.passwords = std::move(passwords);
        return value_or_throw(ValkeyServer::start(options));
    }

    static SteadyClock::duration took(const std::function<void()>& what) {
        const auto began = SteadyClock::now();
        what();
        return SteadyClock::now() - began;
    }

    TempDir dir_;
    TestCa ca_;
    std::optional<ValkeyServer> valkey_;
    std::shared_ptr<TestLogin> login_ = std::make_shared<TestLogin>(kToken);
    RunningProxy proxy_;
};

}  // namespace cvp::test
