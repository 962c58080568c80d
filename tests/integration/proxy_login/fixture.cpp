#include "tests/integration/proxy_login/fixture.hpp"

#include <stdexcept>

#include "tests/support/eventually.hpp"

namespace cvp::test {

using Json = nlohmann::json;

ResolvedConnection LoginFixture::served() {
    auto connection = document();
    connection.proxy.warm_spares = 0;
    return connection;
}

void LoginFixture::start(std::chrono::milliseconds relogin_every, std::chrono::milliseconds deadline) {
    env_.push_back("CVP_TEST_RELOGIN_EVERY=" + std::to_string(relogin_every.count()) + "ms");
    env_.push_back("CVP_TEST_LOGIN_DEADLINE=" + std::to_string(deadline.count()) + "ms");
    write(served());
    start_proxy();
    await_login();
}

Json LoginFixture::ask_front(const std::string& method, const std::string& verb, const Json& body) {
    auto answer = emulator().admin(method, std::string("fronts/") + kInstance + verb, body);
    if (!answer) throw std::runtime_error(to_string(answer.error()));
    return std::move(*answer);
}

void LoginFixture::fault(const Json& fault) {
    ask_front("POST", ":fault", fault);
}

void LoginFixture::strike(Json fault, std::uint64_t count, std::string_view counter, std::chrono::milliseconds limit) {
    const auto before = front(counter);
    fault["count"] = count;
    this->fault(fault);
    await_front_at(counter, before + count, limit);
}

void LoginFixture::limit_age(std::chrono::milliseconds age, bool is_prolonged) {
    ask_front("POST", ":age", {{"ms", age.count()}, {"prolonged", is_prolonged}});
}

void LoginFixture::heal() {
    ask_front("POST", ":heal", Json::object());
}

void LoginFixture::cut_all() {
    ask_front("POST", ":cut", Json::object());
}

std::uint64_t LoginFixture::front(std::string_view counter) {
    return ask_front("GET", "", Json()).at(Json::json_pointer("/" + std::string(counter)));
}

void LoginFixture::await_front(std::string_view counter, std::uint64_t more, std::chrono::milliseconds limit) {
    await_front_at(counter, front(counter) + more, limit);
}

void LoginFixture::await_front_at(std::string_view counter, std::uint64_t value, std::chrono::milliseconds limit) {
    EXPECT_TRUE(eventually([&] { return front(counter) >= value; }, limit))
        << counter << " came to " << front(counter) << ", not to " << value
        << "\nthe front: " << ask_front("GET", "", Json()) << "\nre-logins: " << relogins("ok") << " ok of "
        << relogins() << ", missed " << missed();
}

double LoginFixture::relogins(const std::string& result) {
    return proxy().metric("cloudvalkey_proxy_relogins_total",
                          result.empty() ? std::vector<std::string>{} : std::vector{"result=\"" + result + "\""});
}

double LoginFixture::missed() {
    return proxy().metric("cloudvalkey_proxy_reauth_missed_total");
}

RespClient LoginFixture::client() {
    auto client = proxy().connect();
    if (!client) throw std::runtime_error(to_string(client.error()));
    return std::move(*client);
}

RespClient LoginFixture::direct() {
    const auto port_of = [&](const char* setting) {
        return static_cast<std::uint16_t>(std::stoi(admin({"CONFIG", "GET", setting}).at(1).get<std::string>()));
    };
    const auto tls_port = port_of("tls-port");
    TlsClientSettings settings;
    if (tls_port != 0) settings.ca_pem = document().tls.ca;
    settings.identity = "127.0.0.1";
    auto client = tls_port != 0 ? RespClient::connect_tls("127.0.0.1", tls_port, settings)
                                : RespClient::connect("127.0.0.1", port_of("port"));
    if (!client) throw std::runtime_error(to_string(client.error()));
    const auto token = emulator().mint();
    if (!token || ask(*client, {"AUTH", *token}) != "+OK") throw std::runtime_error("no login past the front");
    return std::move(*client);
}

std::string LoginFixture::ask(RespClient& client, const std::vector<std::string>& words,
                              std::chrono::milliseconds limit) {
    const auto reply = client.command(words, limit);
    return reply ? to_string(*reply) : to_string(reply.error());
}

std::string LoginFixture::next(RespClient& client, std::chrono::milliseconds limit) {
    const auto reply = client.read_reply(limit);
    return reply ? to_string(*reply) : to_string(reply.error());
}

Json LoginFixture::admin(const std::vector<std::string>& words) {
    auto reply = emulator().command(kInstance, words);
    if (!reply) throw std::runtime_error(to_string(reply.error()));
    return std::move(*reply);
}

}  // namespace cvp::test
