#include "tests/emulator/front_request.hpp"

#include <algorithm>
#include <charconv>

namespace cvp::emulator {
namespace {

Result<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (ec == std::errc() && end == text.data() + text.size() && port != 0) return port;
    return fail(ErrorCode::invalid_argument, "port '" + std::string(text) + "': expected 1 to 65535");
}

Result<void> apply(FrontRequest& request, std::string_view option) {
    if (option == "tls") {
        request.server_has_tls = true;
    } else if (option == "plain") {
        request.clients_use_tls = false;
    } else if (option.starts_with("listen=")) {
        const auto port = parse_port(option.substr(option.find('=') + 1));
        if (!port) return fail(port.error());
        request.port = *port;
    } else {
        return fail(ErrorCode::invalid_argument,
                    "'" + std::string(option) + "' is no option of a front: tls, plain, listen=PORT");
    }
    return {};
}

}  // namespace

Result<FrontRequest> parse_front_request(std::string_view text) {
    FrontRequest request;
    const auto address = text.substr(0, text.find(','));
    const auto colon = address.find(':');
    if (colon == std::string_view::npos)
        return fail(ErrorCode::invalid_argument, std::string(address) + ": expected HOST:PORT");
    const auto port = parse_port(address.substr(colon + 1));
    if (!port) return fail(port.error());
    request.server = {std::string(address.substr(0, colon)), *port};
    auto options = text.substr(std::min(address.size() + 1, text.size()));
    while (!options.empty()) {
        const auto end = std::min(options.find(','), options.size());
        if (auto applied = apply(request, options.substr(0, end)); !applied) return fail(std::move(applied).error());
        options.remove_prefix(std::min(end + 1, options.size()));
    }
    return request;
}

}  // namespace cvp::emulator
