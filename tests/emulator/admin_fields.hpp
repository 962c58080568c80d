#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "common/http/message.hpp"
#include "common/result.hpp"

namespace cvp::emulator {

/// The answers of the admin API: JSON, with {"error": text} where something is wrong.
http::Response json_response(unsigned status, const nlohmann::ordered_json& body);
http::Response done();
http::Response refuse(unsigned status, const std::string& error);
http::Response refuse(const Error& error);
http::Response outcome(const Result<void>& result);
http::Response method_not_allowed(const http::Request& request);

/// The body as an object; an empty one is {}.
/// @errors invalid_argument
Result<nlohmann::ordered_json> parse_body(const http::Request& request);

/// Reads fields of a body, each once, and finds what nobody read: a misspelt field is an error, not a wish ignored.
class Fields {
public:
    explicit Fields(nlohmann::ordered_json body) : body_(std::move(body)) {}

    template <class T>
    void read(const char* name, T& target) {
        const auto field = body_.find(name);
        if (field == body_.end()) return;
        try {
            target = field->get<T>();
        } catch (const nlohmann::ordered_json::exception&) {
            wrong_ = std::string(name) + " has the wrong type";
        }
        body_.erase(field);
    }
    template <class T>
    void read(const char* name, std::optional<T>& target) {
        if (!body_.contains(name)) return;
        T value{};
        read(name, value);
        target = value;
    }

    /// @errors invalid_argument
    Result<void> finish() const;

private:
    nlohmann::ordered_json body_;
    std::string wrong_;
};

}  // namespace cvp::emulator
