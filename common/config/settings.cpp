#include "common/config/settings.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>
#include <unistd.h>

#include "common/contract/host.hpp"

namespace cvp {
namespace {

std::string variable_of(std::string_view flag) {
    std::string variable = "CVP_";
    for (const char c : flag)
        variable += c == '-' ? '_' : static_cast<char>(c - ('a' <= c && c <= 'z' ? 32 : 0));
    return variable;
}

}  // namespace

Environment load_environment(const std::vector<std::string_view>& more) {
    Environment variables;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const auto name = text.substr(0, text.find('='));
        if (name.size() == text.size()) continue;
        if (name.starts_with("CVP_") || std::find(more.begin(), more.end(), name) != more.end()) {
            variables.emplace(name, text.substr(name.size() + 1));
        }
    }
    return variables;
}

std::optional<Setting> Settings::flag(std::string_view name) const {
    const auto written = flags_.find(name);
    if (written == flags_.end()) return std::nullopt;
    return Setting{written->second.back(), fmt::format("--{}", name)};
}

std::optional<Setting> Settings::variable(std::string_view name) const {
    const auto set = environment_.find(name);
    if (set == environment_.end() || set->second.empty()) return std::nullopt;
    return Setting{set->second, std::string(name)};
}

std::optional<Setting> Settings::find(std::string_view name) const {
    auto setting = flag(name);
    return setting ? setting : variable(variable_of(name));
}

std::vector<std::string> Settings::all_of_flag(std::string_view name) const {
    const auto written = flags_.find(name);
    return written == flags_.end() ? std::vector<std::string>() : written->second;
}

void Settings::refuse(const Setting& setting, std::string_view why) {
    if (setting.value.empty()) {
        faults_.push_back(fmt::format("{}: needs a value", setting.origin));
    } else {
        faults_.push_back(fmt::format("{}: \"{}\" {}", setting.origin, setting.value, why));
    }
}

Result<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (ec != std::errc{} || end != text.data() + text.size() || port == 0) {
        return fail(ErrorCode::invalid_argument, "must be a port from 1 to 65535");
    }
    return port;
}

Result<bool> parse_switch(std::string_view text) {
    if (text == "true" || text == "1") return true;
    if (text == "false" || text == "0") return false;
    return fail(ErrorCode::invalid_argument, "must be true or false");
}

Result<http::Origin> parse_api_base(std::string_view text) {
    const auto url = http::parse_url(text);
    if (!url) return fail(url.error());
    if (url->target != "/") return fail(ErrorCode::invalid_argument, "must have no path");
    if (!url->origin.tls && !is_loopback(url->origin.host)) {
        return fail(ErrorCode::invalid_argument, "must be https, or http to a loopback address: tokens are sent to it");
    }
    return url->origin;
}

}  // namespace cvp
