#include "tests/emulator/admin_json.hpp"

#include <nlohmann/json.hpp>

#include "tests/emulator/front_api.hpp"

namespace cvp::emulator {
namespace {

using Json = nlohmann::ordered_json;

long long milliseconds_of(SystemClock::time_point time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

Json address_json(const Address& address) {
    return {{"host", address.ip}, {"port", address.port}};
}

void add_process(Json& node, test::ValkeyServer& server) {
    node["pid"] = server.pid();
    node["running"] = server.is_running();
    node["log"] = server.log_file().string();
}

}  // namespace

Json calls_json(const CallLog& calls) {
    Json json = {{"total", calls.total()}, {"counts", calls.counts()}, {"log", Json::array()}};
    for (const auto& call : calls.log())
        json["log"].push_back({{"atMs", milliseconds_of(call.at)},
                               {"surface", call.surface},
                               {"kind", call.kind},
                               {"target", call.target},
                               {"status", call.status}});
    return json;
}

Json faults_json(const Faults& faults) {
    auto json = Json::array();
    for (const auto& fault : faults.active()) {
        Json entry = {
            {"status", fault.status}, {"reason", fault.reason}, {"kind", fault.kind}, {"delayMs", fault.delay.count()}};
        if (fault.remaining) entry["count"] = *fault.remaining;
        json.push_back(std::move(entry));
    }
    return json;
}

Json metadata_json(const MetadataSettings& settings, const TokenMint& mint) {
    return {{"down", settings.is_down},
            {"gke", settings.is_gke},
            {"project", settings.project},
            {"zone", settings.zone},
            {"clusterLocation", settings.cluster_location},
            {"email", settings.email},
            {"tokenLifetimeSeconds", std::chrono::duration_cast<std::chrono::seconds>(mint.lifetime()).count()}};
}

Json token_json(const MintedToken& token, SystemClock::time_point now) {
    return {{"accessToken", token.value.reveal()},
            {"live", token.is_live(now)},
            {"issuedAtMs", milliseconds_of(token.issued_at)},
            {"expiresAtMs", milliseconds_of(token.expires_at)},
            {"scopes", token.scopes}};
}

Json tokens_json(const TokenMint& mint, SystemClock::time_point now) {
    auto list = Json::array();
    for (const auto& token : mint.all())
        list.push_back(token_json(token, now));
    return {{"tokens", std::move(list)}};
}

Json backend_json(Backend& backend) {
    Json json = {{"primary", address_json(backend.primary())}, {"reader", address_json(backend.reader())}};
    add_process(json["primary"], backend.primary_server());
    if (auto* replica = backend.reader_server()) add_process(json["reader"], *replica);
    if (const auto* front = backend.front()) json["front"] = front_json(*front);
    return json;
}

Json reply_json(const test::RespReply& reply) {
    if (reply.is_null) return nullptr;
    if (reply.is_error()) return {{"error", reply.text}};
    switch (reply.type) {
        case ':':
            return std::stoll(reply.text);
        case '*':
        case '~':
        case '>':
        case '%': {
            auto array = Json::array();
            for (const auto& element : reply.elements)
                array.push_back(reply_json(element));
            return array;
        }
        default:
            return reply.text;
    }
}

}  // namespace cvp::emulator
