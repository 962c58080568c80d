#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cvp::http {

/// Header fields in order; names compare without case.
class Headers {
public:
    Headers() = default;
    Headers(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}

    /// Value of the first field of that name.
    std::optional<std::string_view> find(std::string_view name) const;
    /// Replaces all fields of that name, or adds one.
    void set(std::string name, std::string value);
    /// Adds a field after all others, also where one of that name is there.
    void add(std::string name, std::string value);

    auto begin() const { return fields_.begin(); }
    auto end() const { return fields_.end(); }
    bool empty() const { return fields_.empty(); }

    bool operator==(const Headers&) const = default;

private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

/// A request as a value. `target` is the origin form: path and query, already percent-encoded.
struct Request {
    std::string method = "GET";
    std::string target = "/";
    Headers headers;
    std::string body;
};

/// A response as a value.
struct Response {
    unsigned status = 200;
    Headers headers;
    std::string body;
};

/// Builds a response with a Content-Type.
Response make_response(unsigned status, std::string content_type, std::string body);

/// Path of a target without its query ("/a?x=1" -> "/a").
std::string_view path_of(std::string_view target);

/// Value of the first query parameter of that name, decoded ("%2F" and "+"). Without "=" it is empty.
std::optional<std::string> query_parameter(std::string_view target, std::string_view name);

/// Percent-encodes everything but RFC 3986 unreserved characters (so '/' becomes %2F).
std::string percent_encode(std::string_view text);

/// Compares ASCII letters without case, as header names and schemes do.
bool equal_without_case(std::string_view a, std::string_view b);

}  // namespace cvp::http
