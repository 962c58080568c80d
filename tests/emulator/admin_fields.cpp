#include "tests/emulator/admin_fields.hpp"

namespace cvp::emulator {

using Json = nlohmann::ordered_json;

http::Response json_response(unsigned status, const Json& body) {
    return http::make_response(status, "application/json", body.dump(2) + "\n");
}

http::Response done() {
    return json_response(200, Json::object());
}

http::Response refuse(unsigned status, const std::string& error) {
    return json_response(status, {{"error", error}});
}

http::Response refuse(const Error& error) {
    switch (error.code) {
        case ErrorCode::invalid_argument:
            return refuse(400, error.context);
        case ErrorCode::not_found:
            return refuse(404, error.context);
        case ErrorCode::conflict:
            return refuse(409, error.context);
        default:
            return refuse(500, to_string(error));
    }
}

http::Response outcome(const Result<void>& result) {
    return result ? done() : refuse(result.error());
}

http::Response method_not_allowed(const http::Request& request) {
    return refuse(405, request.method + " is no method of " + request.target);
}

Result<Json> parse_body(const http::Request& request) {
    if (request.body.empty()) return Json::object();
    auto body = Json::parse(request.body, nullptr, false);
    if (!body.is_object()) return fail(ErrorCode::invalid_argument, "the body is no JSON object");
    return body;
}

Result<void> Fields::finish() const {
    if (!wrong_.empty()) return fail(ErrorCode::invalid_argument, wrong_);
    if (!body_.empty()) return fail(ErrorCode::invalid_argument, "unknown field " + body_.begin().key());
    return {};
}

}  // namespace cvp::emulator
