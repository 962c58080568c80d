#include "tests/emulator/admin_api.hpp"

#include <optional>

#include <nlohmann/json.hpp>

#include "tests/emulator/admin_fields.hpp"
#include "tests/emulator/admin_json.hpp"
#include "tests/emulator/front_api.hpp"
#include "tests/emulator/instance_record.hpp"

namespace cvp::emulator {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kInstances = "/admin/instances/";
constexpr std::string_view kFaults = "/admin/faults";
constexpr std::string_view kFronts = "/admin/fronts/";

http::Response answer_state(const State& state, Backends& backends, const Fronts& fronts) {
    Json json = {
        {"instances", Json::object()},
        {"fronts", Json::object()},
        {"tokensMinted", state.tokens.all().size()},
        {"metadata", metadata_json(state.metadata, state.tokens)},
        {"faults", {{"rest", faults_json(state.rest_faults)}, {"metadata", faults_json(state.metadata_faults)}}},
        {"quota", {{"limited", state.quota.is_limited()}}},
        {"calls", state.calls.total()}};
    for (const auto& [name, record] : state.instances) {
        auto& entry = json["instances"][name];
        entry["document"] = Json::parse(record.document);
        if (const auto backend = backends.find(name); backend != backends.end())
            entry["serving"] = backend_json(backend->second);
    }
    for (const auto& [name, front] : fronts)
        json["fronts"][name] = front_json(*front);
    return json_response(200, json);
}

Result<void> change(Backend& backend, std::string_view verb, Fields& fields) {
    std::uint16_t port = 0;
    bool keep_old = true;
    bool foreign_ca = false;
    std::string leaf_name = "good";
    if (verb == "move") fields.read("port", port);
    if (verb == "rotateCa") fields.read("keepOld", keep_old);
    if (verb == "certificate") {
        fields.read("leaf", leaf_name);
        fields.read("foreignCa", foreign_ca);
    }
    if (auto read = fields.finish(); !read) return read;
    const auto leaf = parse_leaf(leaf_name);
    if (!leaf) return fail(leaf.error());
    if (verb == "move") return backend.move(port);
    if (verb == "rotateCa") return backend.rotate_ca(keep_old);
    return backend.show(*leaf, foreign_ca);
}

http::Response run_command(test::ValkeyServer& server, const std::vector<std::string>& words) {
    if (words.empty()) return refuse(400, "words: a command has at least one");
    const auto reply = server.admin(words);
    return reply ? json_response(200, {{"reply", reply_json(*reply)}}) : refuse(reply.error());
}

http::Response act_on_node(Backend& backend, std::string_view verb, Fields& fields) {
    std::string node = "primary";
    std::vector<std::string> words;
    fields.read("node", node);
    if (verb == "command") fields.read("words", words);
    if (auto read = fields.finish(); !read) return refuse(read.error());
    auto* server = node == "primary" ? &backend.primary_server() : node == "reader" ? backend.reader_server() : nullptr;
    if (server == nullptr) return refuse(404, "no Valkey of its own as " + node);
    if (verb == "kill") return server->kill(), done();
    if (verb == "pause") return server->pause(), done();
    if (verb == "resume") return outcome(server->resume());
    if (verb == "start") return server->is_running() ? done() : outcome(server->restart());
    if (verb == "command") return run_command(*server, words);
    return refuse(404, std::string(verb) + ": no such action");
}

}  // namespace

http::Response AdminApi::answer(const http::Request& request, SystemClock::time_point now) {
    const std::string path(http::path_of(request.target));
    if (path == "/admin/state")
        return request.method == "GET" ? answer_state(state_, backends_, fronts_) : method_not_allowed(request);
    if (path == "/admin/calls") return answer_calls(request);
    if (path == "/admin/tokens" || path == "/admin/tokens:expire") return answer_tokens(request, now);
    if (path == "/admin/metadata") return patch_metadata(request);
    if (path == "/admin/quota") return patch_quota(request);
    if (path.starts_with(kFaults)) return answer_faults(request, std::string_view(path).substr(kFaults.size()));
    if (path.starts_with(kFronts)) return act_on_front(request, path.substr(kFronts.size()));
    if (path.starts_with(kInstances)) {
        const auto name = path.substr(kInstances.size());
        const auto colon = name.find(':');
        if (colon == std::string::npos) return answer_instance(request, name);
        return act_on(request, name.substr(0, colon), std::string_view(name).substr(colon + 1));
    }
    return refuse(404, path + ": no such call; see tests/emulator/admin_api.hpp");
}

http::Response AdminApi::answer_calls(const http::Request& request) {
    if (request.method == "GET") return json_response(200, calls_json(state_.calls));
    if (request.method != "DELETE") return method_not_allowed(request);
    state_.calls.clear();
    return done();
}

http::Response AdminApi::answer_tokens(const http::Request& request, SystemClock::time_point now) {
    if (request.method == "GET") return json_response(200, tokens_json(state_.tokens, now));
    if (request.method != "POST") return method_not_allowed(request);
    if (request.target.ends_with(":expire")) {
        state_.tokens.expire_all(now);
        return done();
    }
    const auto body = parse_body(request);
    if (!body) return refuse(body.error());
    Fields fields(*body);
    auto scopes = state_.metadata.scopes;
    std::optional<long> seconds;
    fields.read("scopes", scopes);
    fields.read("lifetimeSeconds", seconds);
    if (auto read = fields.finish(); !read) return refuse(read.error());
    std::optional<SystemClock::duration> lifetime;
    if (seconds) lifetime = std::chrono::seconds(*seconds);
    return json_response(200, token_json(state_.tokens.mint(now, scopes, lifetime), now));
}

http::Response AdminApi::answer_faults(const http::Request& request, std::string_view surface) {
    if (!surface.empty() && surface != "/rest" && surface != "/metadata")
        return refuse(404, "faults are of rest or metadata");
    if (request.method == "DELETE") {
        if (surface != "/metadata") state_.rest_faults.clear();
        if (surface != "/rest") state_.metadata_faults.clear();
        return done();
    }
    if (request.method != "POST" || surface.empty()) return method_not_allowed(request);
    const auto body = parse_body(request);
    if (!body) return refuse(body.error());
    Fields fields(*body);
    Fault fault;
    long long delay_ms = 0;
    fields.read("status", fault.status);
    fields.read("reason", fault.reason);
    fields.read("kind", fault.kind);
    fields.read("count", fault.remaining);
    fields.read("delayMs", delay_ms);
    fields.read("retryAfterSeconds", fault.retry_after_seconds);
    if (auto read = fields.finish(); !read) return refuse(read.error());
    fault.delay = std::chrono::milliseconds(delay_ms);
    (surface == "/rest" ? state_.rest_faults : state_.metadata_faults).add(std::move(fault));
    return done();
}

http::Response AdminApi::patch_metadata(const http::Request& request) {
    if (request.method != "PATCH") return method_not_allowed(request);
    const auto body = parse_body(request);
    if (!body) return refuse(body.error());
    Fields fields(*body);
    auto settings = state_.metadata;
    std::optional<long> lifetime;
    fields.read("down", settings.is_down);
    fields.read("gke", settings.is_gke);
    fields.read("project", settings.project);
    fields.read("zone", settings.zone);
    fields.read("clusterLocation", settings.cluster_location);
    fields.read("email", settings.email);
    fields.read("tokenLifetimeSeconds", lifetime);
    if (auto read = fields.finish(); !read) return refuse(read.error());
    state_.metadata = std::move(settings);
    if (lifetime) state_.tokens.set_lifetime(std::chrono::seconds(*lifetime));
    return done();
}

http::Response AdminApi::patch_quota(const http::Request& request) {
    if (request.method != "PATCH") return method_not_allowed(request);
    const auto body = parse_body(request);
    if (!body) return refuse(body.error());
    Fields fields(*body);
    bool limited = state_.quota.is_limited();
    fields.read("limited", limited);
    if (auto read = fields.finish(); !read) return refuse(read.error());
    state_.quota.limit(limited);
    return done();
}

http::Response AdminApi::answer_instance(const http::Request& request, const std::string& name) {
    if (request.method == "PUT") {
        if (!parse_instance_name(name)) return refuse(400, name + ": expected projects/P/locations/L/instances/I");
        const auto document = merge_instance("{}", request.body);
        if (!document) return refuse(document.error());
        state_.instances[name].document = *document;
        return done();
    }
    const auto record = state_.instances.find(name);
    if (record == state_.instances.end()) return refuse(404, name + ": no such instance");
    if (request.method == "GET") return json_response(200, Json::parse(record->second.document));
    if (request.method == "PATCH") {
        const auto document = merge_instance(record->second.document, request.body);
        if (!document) return refuse(document.error());
        record->second.document = *document;
        return outcome(follow_modes(name));
    }
    if (request.method != "DELETE") return method_not_allowed(request);
    state_.instances.erase(record);
    backends_.erase(name);
    return done();
}

Result<void> AdminApi::follow_modes(const std::string& name) {
    const auto backend = backends_.find(name);
    if (backend == backends_.end()) return {};
    auto& record = state_.instances[name];
    const bool has_tls = instance_field(record.document, "transitEncryptionMode") != "TRANSIT_ENCRYPTION_DISABLED";
    const bool has_auth = instance_field(record.document, "authorizationMode") != "AUTH_DISABLED";
    auto followed = backend->second.set_modes(has_tls, has_auth);
    record.ca_chains = backend->second.ca_chains();
    return followed;
}

http::Response AdminApi::act_on(const http::Request& request, const std::string& name, std::string_view verb) {
    if (request.method != "POST") return method_not_allowed(request);
    const auto backend = backends_.find(name);
    if (backend == backends_.end()) return refuse(404, name + ": no Valkey runs for it");
    const auto body = parse_body(request);
    if (!body) return refuse(body.error());
    Fields fields(*body);
    if (verb == "move" || verb == "rotateCa" || verb == "certificate") {
        const auto changed = change(backend->second, verb, fields);
        follow_backend(state_.instances[name], backend->second);
        return outcome(changed);
    }
    return act_on_node(backend->second, verb, fields);
}

http::Response AdminApi::act_on_front(const http::Request& request, const std::string& path) {
    const auto colon = path.find(':');
    const auto name = path.substr(0, colon);
    const auto backend = backends_.find(name);
    const auto alone = fronts_.find(name);
    auto* front = backend != backends_.end() ? backend->second.front()
                  : alone != fronts_.end()   ? alone->second.get()
                                             : nullptr;
    if (front == nullptr) return refuse(404, name + ": no TLS front stands before it");
    return answer_front(*front, request, colon == std::string::npos ? "" : path.substr(colon + 1));
}

}  // namespace cvp::emulator
