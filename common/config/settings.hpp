#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/http/url.hpp"
#include "common/result.hpp"

namespace cvp {

/// Variables of the process that a program reads, by name.
using Environment = std::map<std::string, std::string, std::less<>>;

/// Values of the flags that were written, by name without dashes.
using Flags = std::map<std::string, std::vector<std::string>, std::less<>>;

/// Everything that is wrong with flags and environment, one sentence each, naming the flag or variable.
using Faults = std::vector<std::string>;

/// The variables of this process that are ours: CVP_*, and those of `more`. The rest is nobody's business.
Environment load_environment(const std::vector<std::string_view>& more);

/// A value and the name to blame for it: "--port" or "CVP_PORT".
struct Setting {
    std::string value;
    std::string origin;
};

/// Flags over environment (CVP_ and the flag in upper case, - as _). Values that are there but empty are faults of a
/// flag and nothing of a variable. What is given to the constructor outlives it.
class Settings {
public:
    Settings(const Flags& flags, const Environment& environment, Faults& faults)
        : flags_(flags), environment_(environment), faults_(faults) {}

    std::optional<Setting> flag(std::string_view name) const;
    std::optional<Setting> variable(std::string_view name) const;
    /// The flag, or else its variable.
    std::optional<Setting> find(std::string_view name) const;
    std::vector<std::string> all_of_flag(std::string_view name) const;

    /// Reads a setting, if there is one, into `target`.
    template <class T, class Parse>
    void read(std::string_view name, T& target, Parse parse) {
        const auto setting = find(name);
        if (!setting) return;
        auto value = parse(setting->value);
        if (value) {
            target = std::move(*value);
        } else {
            refuse(*setting, value.error().context);
        }
    }

    /// Adds a fault: the setting, quoted, and why it cannot be.
    void refuse(const Setting& setting, std::string_view why);
    void refuse(std::string fault) { faults_.push_back(std::move(fault)); }

private:
    const Flags& flags_;
    const Environment& environment_;
    Faults& faults_;
};

/// @errors invalid_argument: not a number from 1 to 65535
Result<std::uint16_t> parse_port(std::string_view text);

/// "true", "1", "false" or "0".
/// @errors invalid_argument
Result<bool> parse_switch(std::string_view text);

/// CVP_GOOGLE_API_BASE: where Google's API is for a test.
/// @errors invalid_argument: no URL, a path, or plain http beyond loopback
Result<http::Origin> parse_api_base(std::string_view text);

}  // namespace cvp
