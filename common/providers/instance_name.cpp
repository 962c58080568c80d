#include "common/providers/instance_name.hpp"

#include <algorithm>
#include <vector>

#include <fmt/core.h>

#include "common/printable.hpp"

namespace cvp::providers {
namespace {

constexpr std::size_t kMaxInstance = 63;
constexpr std::size_t kMaxLocation = 63;
constexpr std::size_t kMaxProject = 100;

bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_label_char(char c) {
    return is_lower(c) || is_digit(c) || c == '-';
}

bool is_instance(std::string_view text) {
    return !text.empty() && text.size() <= kMaxInstance && is_lower(text.front()) && text.back() != '-' &&
           std::all_of(text.begin(), text.end(), is_label_char);
}

/// An ID, a number, or the older "example.com:id".
bool is_project(std::string_view text) {
    const auto is_project_char = [](char c) { return is_label_char(c) || c == '.' || c == ':'; };
    return !text.empty() && text.size() <= kMaxProject && (is_lower(text.front()) || is_digit(text.front())) &&
           text.find("..") == std::string_view::npos && std::all_of(text.begin(), text.end(), is_project_char);
}

bool is_location(std::string_view text) {
    return !text.empty() && text.size() <= kMaxLocation && is_lower(text.front()) &&
           std::all_of(text.begin(), text.end(), is_label_char);
}

/// "us-central1-a": a region with a letter behind it.
bool is_zone(std::string_view text) {
    return text.size() > 2 && text[text.size() - 2] == '-' && is_lower(text.back());
}

std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find('/', begin), text.size());
        parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

Result<InstanceName> checked(std::string_view project, std::string_view location, std::string_view instance) {
    const auto refuse = [](std::string message) { return fail(ErrorCode::invalid_argument, std::move(message)); };
    if (!is_instance(instance)) {
        return refuse(fmt::format(
            "{} is not the name of an instance: 1 to 63 lower-case letters, digits and inner '-', a letter first",
            in_quotes(instance)));
    }
    if (!is_project(project)) {
        return refuse(fmt::format("{} is not a Google Cloud project: give its ID or number", in_quotes(project)));
    }
    if (!is_location(location)) {
        return refuse(fmt::format("{} is not a location: give a region such as us-central1", in_quotes(location)));
    }
    if (is_zone(location)) {
        return refuse(fmt::format("{} is a zone; instances live in a region such as {}", in_quotes(location),
                                  location.substr(0, location.size() - 2)));
    }
    return InstanceName{std::string(project), std::string(location), std::string(instance)};
}

}  // namespace

std::string InstanceName::full() const {
    return fmt::format("projects/{}/locations/{}/instances/{}", project, location, instance);
}

bool is_short_name(std::string_view name) {
    return name.find('/') == std::string_view::npos;
}

Result<InstanceName> parse_instance_name(std::string_view name, std::string_view project, std::string_view location) {
    if (name.empty()) return fail(ErrorCode::invalid_argument, "the name of the instance is empty");
    if (is_short_name(name)) {
        if (project.empty() || location.empty()) {
            return fail(ErrorCode::invalid_argument,
                        fmt::format("{} is a short name and needs a project and a location; give the full name "
                                    "projects/PROJECT/locations/LOCATION/instances/INSTANCE",
                                    in_quotes(name)));
        }
        return checked(project, location, name);
    }
    const auto parts = split(name);
    if (parts.size() != 6 || parts[0] != "projects" || parts[2] != "locations" || parts[4] != "instances") {
        return fail(ErrorCode::invalid_argument, fmt::format("{} must be an instance's short name or "
                                                             "projects/PROJECT/locations/LOCATION/instances/INSTANCE",
                                                             in_quotes(name, 200)));
    }
    return checked(parts[1], parts[3], parts[5]);
}

}  // namespace cvp::providers
