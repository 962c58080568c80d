#include "proxy/login.hpp"

namespace cvp::proxy {

std::optional<Secret> TokenLogin::password() {
    auto token = cache_.current();
    if (!token) return std::nullopt;
    return std::move(token->value);
}

LocalError TokenLogin::why_not() {
    const auto& error = cache_.last_error();
    return make_local_error(Cause::no_token, error ? error->context : "the first token is being fetched");
}

}  // namespace cvp::proxy
