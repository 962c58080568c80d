#include "tests/emulator/metadata_api.hpp"

#include <map>
#include <set>

#include <nlohmann/json.hpp>

namespace cvp::emulator {
namespace {

using Json = nlohmann::ordered_json;
/// Values by path below /computeMetadata/v1/.
using Tree = std::map<std::string, std::string>;

constexpr std::string_view kRoot = "/computeMetadata/v1/";
constexpr auto kNoImpersonation =
    "Unable to generate access token; IAM returned 403 Forbidden: Permission 'iam.serviceAccounts.getAccessToken' "
    "denied on resource (or it may not exist).\nThis error could be caused by a missing IAM policy binding on the "
    "target IAM service account.\nFor more information, refer to the Workload Identity "
    "documentation:\n\thttps://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity#authenticating_to\n\n";
constexpr auto kTokenPlaceholder = "";

std::string join(const std::vector<std::string>& words, char separator) {
    std::string text;
    for (const auto& word : words) {
        if (!text.empty()) text += separator;
        text += word;
    }
    return text;
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> words;
    for (std::size_t from = 0; from < text.size();) {
        const auto end = std::min(text.find(separator, from), text.size());
        if (end > from) words.push_back(text.substr(from, end - from));
        from = end + 1;
    }
    return words;
}

Tree build_tree(const MetadataSettings& settings) {
    Tree tree = {
        {"project/project-id", settings.project},
        {"project/numeric-project-id", settings.project_number},
        {"instance/zone", "projects/" + settings.project_number + "/zones/" + settings.zone},
    };
    if (settings.is_gke) {
        tree["instance/attributes/cluster-location"] = settings.cluster_location;
        tree["instance/attributes/cluster-name"] = settings.cluster_name;
        tree["instance/attributes/cluster-uid"] = "f3a1c7e5d9b24680";
    }
    for (const auto& account : {std::string("default"), settings.email}) {
        const auto path = "instance/service-accounts/" + account + "/";
        tree[path + "aliases"] = "default";
        tree[path + "email"] = settings.email;
        tree[path + "scopes"] = join(settings.scopes, '\n') + "\n";
        tree[path + "token"] = kTokenPlaceholder;
    }
    return tree;
}

http::Response reply(const MetadataSettings& settings, unsigned status, const char* type, std::string body) {
    http::Response response;
    response.status = status;
    response.headers = {{"Content-Type", type},
                        {"Metadata-Flavor", "Google"},
                        {"Server", settings.is_gke ? "GKE Metadata Server" : "Metadata Server for VM"}};
    if (!settings.is_gke) {
        if (status == 200) response.headers.set("ETag", "6b8e0f5d2c91a347");
        response.headers.set("X-XSS-Protection", "0");
        response.headers.set("X-Frame-Options", "SAMEORIGIN");
    }
    response.body = std::move(body);
    return response;
}

http::Response plain_refusal(unsigned status, std::string body) {
    http::Response response;
    response.status = status;
    response.headers = {{"Content-Type", "text/plain; charset=utf-8"}, {"X-Content-Type-Options", "nosniff"}};
    response.body = std::move(body);
    return response;
}

/// A VM's server answers with a page that carries the flavor header all the same.
http::Response not_found(const MetadataSettings& settings, const std::string& path) {
    if (settings.is_gke) return reply(settings, 404, "text/plain; charset=utf-8", "404 page not found\n");
    return reply(settings, 404, "text/html; charset=UTF-8",
                 "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n  <title>Error 404 (Not "
                 "Found)!!1</title>\n  <p><b>404.</b> <ins>That’s an error.</ins>\n  <p>The requested URL <code>" +
                     path + "</code> was not found on this server.  <ins>That’s all we know.</ins>\n");
}

http::Response answer_of(const Fault& fault, const MetadataSettings& settings) {
    switch (fault.status) {
        case 403:
            return plain_refusal(403, kNoImpersonation);
        case 404:
            return plain_refusal(
                404,
                "Unable to generate access token; IAM returned 404 Not Found: Not found; Gaia id not found for email " +
                    settings.email + "\n");
        case 429:
            return plain_refusal(429, "Too many requests\n");
        case 500:
            return plain_refusal(500, "GKE Metadata Server: Internal Server Error\n");
        default:
            return plain_refusal(fault.status, "Service Unavailable\n");
    }
}

http::Response token_reply(const http::Request& request, State& state, SystemClock::time_point now) {
    const auto asked = http::query_parameter(request.target, "scopes");
    const auto scopes = asked ? split(*asked, ',') : state.metadata.scopes;
    const auto& token = state.tokens.current(now, scopes);
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(token.expires_at - now).count();
    const Json body = {{"access_token", token.value.reveal()}, {"expires_in", left}, {"token_type", "Bearer"}};
    return reply(state.metadata, 200, "application/json", body.dump());
}

/// Names directly below a directory ("" or one that ends in a slash); directories end in a slash.
std::set<std::string> children_of(const Tree& tree, const std::string& directory) {
    std::set<std::string> names;
    for (const auto& [path, value] : tree) {
        if (!path.starts_with(directory)) continue;
        const auto rest = path.substr(directory.size());
        names.insert(rest.substr(0, std::min(rest.find('/'), rest.size() - 1) + 1));
    }
    return names;
}

/// "service-accounts" -> "serviceAccounts": how the recursive form spells the paths' words.
std::string camel_case(const std::string& word) {
    std::string text;
    for (const auto& part : split(word, '-')) {
        text += part;
        if (text.size() > part.size())
            text[text.size() - part.size()] = static_cast<char>(std::toupper(static_cast<unsigned char>(part.front())));
    }
    return text;
}

Json recursive_json(const Tree& tree, const std::string& directory) {
    Json object = Json::object();
    for (const auto& name : children_of(tree, directory)) {
        if (name.ends_with('/')) {
            const auto bare = name.substr(0, name.size() - 1);
            const bool is_account = directory.ends_with("service-accounts/");
            object[is_account ? bare : camel_case(bare)] = recursive_json(tree, directory + name);
        } else if (name == "aliases" || name == "scopes") {
            object[name] = split(tree.at(directory + name), '\n');
        } else if (name != "token") {
            object[camel_case(name)] = tree.at(directory + name);
        }
    }
    return object;
}

http::Response directory_reply(const http::Request& request, const MetadataSettings& settings, const Tree& tree,
                               const std::string& directory) {
    if (http::query_parameter(request.target, "recursive").value_or("") == "true")
        return reply(settings, 200, "application/json", recursive_json(tree, directory).dump());
    std::string listing;
    for (const auto& name : children_of(tree, directory))
        listing += name + "\n";
    return reply(settings, 200, "application/text", std::move(listing));
}

http::Response value_reply(const http::Request& request, const std::string& path, State& state,
                           SystemClock::time_point now) {
    const auto& settings = state.metadata;
    const auto tree = build_tree(settings);
    if (const auto value = tree.find(path); value != tree.end()) {
        if (path.ends_with("/token")) return token_reply(request, state, now);
        return reply(settings, 200, "application/text", value->second);
    }
    const bool is_directory = path.empty() || path.ends_with('/');
    if (children_of(tree, is_directory ? path : path + "/").empty())
        return not_found(settings, std::string(kRoot) + path);
    if (is_directory) return directory_reply(request, settings, tree, path);
    auto moved = reply(settings, 301, "text/html; charset=utf-8", "");
    moved.headers.set("Location", std::string(kRoot) + path + "/");
    return moved;
}

}  // namespace

Answer answer_metadata(const http::Request& request, State& state, SystemClock::time_point now) {
    const std::string path(http::path_of(request.target));
    const bool below_root = path.starts_with(kRoot);
    const auto kind = below_root ? path.substr(kRoot.size()) : path;
    const auto disturbance = state.metadata_faults.take(kind);
    const auto& settings = state.metadata;
    Answer answer;
    answer.delay = disturbance.delay;
    if (request.headers.find("Metadata-Flavor") != "Google") {
        answer.response = plain_refusal(403, "Missing required header \"Metadata-Flavor\": \"Google\"\n");
    } else if (disturbance.error) {
        answer.response = answer_of(*disturbance.error, settings);
    } else if (request.method != "GET") {
        answer.response = plain_refusal(405, "Method Not Allowed\n");
    } else if (path == "/") {
        answer.response = reply(settings, 200, "application/text", "computeMetadata/\n");
    } else if (path == "/computeMetadata/") {
        answer.response = reply(settings, 200, "application/text", "v1/\n");
    } else if (below_root) {
        answer.response = value_reply(request, kind, state, now);
    } else {
        answer.response = not_found(settings, path);
    }
    state.calls.add({now, "metadata", kind, request.target, answer.response.status});
    return answer;
}

}  // namespace cvp::emulator
