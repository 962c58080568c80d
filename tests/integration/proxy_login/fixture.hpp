#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/integration/proxy/fixture.hpp"

namespace cvp::test {

/// The real proxy before the emulated cloud, with the emulator's TLS front before its Valkey: for faults of logins.
class LoginFixture : public ProxyFixture {
protected:
    explicit LoginFixture(const std::string& instance_options = ":valkey,front") : ProxyFixture(instance_options) {}

    /// What the proxy serves; it keeps no spare connections, whose logins would count, too.
    virtual ResolvedConnection served();

    /// Starts the proxy with a login due so long after the one before, and overdue so long after it (a minute: never in
    /// a test), and waits for the first.
    void start(std::chrono::milliseconds relogin_every, std::chrono::milliseconds deadline = std::chrono::minutes(1));

    /// A fault of tests/emulator/front_api.hpp, an age limit, and the end of both.
    void fault(const nlohmann::json& fault);
    /// A fault that strikes `count` times; waits until that counter shows all of them. Fails the test if it does not.
    void strike(nlohmann::json fault, std::uint64_t count, std::string_view counter,
                std::chrono::milliseconds limit = std::chrono::seconds(30));
    void limit_age(std::chrono::milliseconds age, bool is_prolonged);
    void heal();
    /// Ends all connections to the server; they are closed when it returns.
    void cut_all();
    /// What the front has counted: "logins/passedLater", "connections/cutByAge", ….
    std::uint64_t front(std::string_view counter);
    /// Waits until that counter has grown by `more`; fails the test if it does not.
    void await_front(std::string_view counter, std::uint64_t more = 1,
                     std::chrono::milliseconds limit = std::chrono::seconds(15));

    /// Re-logins as the proxy counts them, of this result or of all.
    double relogins(const std::string& result = "");
    /// Re-logins that were not done before the deadline, for whatever reason.
    double missed();

    /// A connection to the proxy. Throws if it does not accept.
    RespClient client();
    /// A connection past proxy and front, to the server itself, logged in. Throws std::runtime_error.
    RespClient direct();

    /// The reply, or the error, as one line.
    static std::string ask(RespClient& client, const std::vector<std::string>& words,
                           std::chrono::milliseconds limit = std::chrono::seconds(10));
    using ProxyFixture::ask;
    /// The next reply or push.
    static std::string next(RespClient& client, std::chrono::milliseconds limit = std::chrono::seconds(10));
    /// A command of the administrator, as JSON.
    nlohmann::json admin(const std::vector<std::string>& words);

private:
    void await_front_at(std::string_view counter, std::uint64_t value, std::chrono::milliseconds limit);
    nlohmann::json ask_front(const std::string& method, const std::string& verb, const nlohmann::json& body);

    std::uint16_t server_port_ = 0;
};

}  // namespace cvp::test
