#include "operator/webhook/application.hpp"

#include <algorithm>

#include "common/contract/names.hpp"

namespace cvp::op {
namespace {

constexpr const char* kHost = "127.0.0.1";

/// "my-cache" → "VALKEY_MY_CACHE": one to one, for a connection's name has no '_' and no capitals.
std::string prefix_of(const std::string& connection) {
    std::string prefix = "VALKEY_";
    for (const char c : connection)
        prefix += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    return prefix;
}

std::vector<ApplicationVariable> variables_of(const ConnectionSpec& connection, bool has_socket) {
    const auto prefix = prefix_of(connection.name);
    const auto port = std::to_string(connection.port);
    std::vector<ApplicationVariable> variables{{prefix + "_HOST", kHost},
                                               {prefix + "_PORT", port},
                                               {prefix + "_URL", std::string("redis://") + kHost + ":" + port}};
    if (connection.readers_port)
        variables.push_back({prefix + "_READERS_PORT", std::to_string(*connection.readers_port)});
    if (has_socket) variables.push_back({prefix + "_SOCKET", socket_path(connection.name), true});
    return variables;
}

/// Calls `take` with each variable and whether it is the first of its name.
template <class Take>
void for_each_variable(const Inject& inject, Take take) {
    std::vector<std::string> seen;
    for (const auto& connection : inject.connections) {
        for (auto& variable : variables_of(connection.spec, inject.has_socket)) {
            const bool is_first = std::find(seen.begin(), seen.end(), variable.name) == seen.end();
            seen.push_back(variable.name);
            take(std::move(variable), is_first);
        }
    }
}

}  // namespace

std::vector<ApplicationVariable> build_variables(const Inject& inject) {
    std::vector<ApplicationVariable> variables;
    for_each_variable(inject, [&](ApplicationVariable variable, bool is_first) {
        if (is_first) variables.push_back(std::move(variable));
    });
    return variables;
}

std::vector<std::string> find_ambiguous_variables(const Inject& inject) {
    std::vector<std::string> names;
    for_each_variable(inject, [&](ApplicationVariable variable, bool is_first) {
        if (!is_first) names.push_back(std::move(variable.name));
    });
    return names;
}

}  // namespace cvp::op
