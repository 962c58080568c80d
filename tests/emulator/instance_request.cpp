#include "tests/emulator/instance_request.hpp"

#include <charconv>

namespace cvp::emulator {
namespace {

Result<void> apply(InstanceRequest& request, std::string_view option) {
    const auto equals = option.find('=');
    const auto key = option.substr(0, equals);
    const auto value = equals == std::string_view::npos ? std::string_view() : option.substr(equals + 1);
    if (option == "valkey") {
        request.has_valkey = true;
    } else if (option == "front") {
        request.has_front = true;
    } else if (option == "replica") {
        request.reader = ReaderKind::replica;
    } else if (option == "reader=primary") {
        request.reader = ReaderKind::primary;
    } else if (option == "tls=off") {
        request.has_tls = false;
    } else if (option == "auth=off") {
        request.has_auth = false;
    } else if (option == "mode=cluster") {
        request.is_cluster = true;
    } else if (option == "ca=shared") {
        request.has_shared_ca = true;
    } else if (key == "address" && !value.empty()) {
        request.primary_ip = request.reader_ip = value;
    } else if (key == "network" && !value.empty()) {
        request.network = value;
    } else if (key == "state" && !value.empty()) {
        request.state = value;
    } else if (key == "leaf") {
        const auto leaf = parse_leaf(value);
        if (!leaf) return fail(leaf.error());
        request.leaf = *leaf;
    } else if (key == "port") {
        const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), request.port);
        if (ec != std::errc() || end != value.data() + value.size() || request.port == 0)
            return fail(ErrorCode::invalid_argument, "port=" + std::string(value) + ": expected 1 to 65535");
    } else {
        return fail(ErrorCode::invalid_argument,
                    "'" + std::string(option) +
                        "' is no option of an instance: valkey, front, replica, reader=primary, address=IP, port=N, "
                        "tls=off, auth=off, mode=cluster, ca=shared, leaf=NAME, network=NAME, state=NAME");
    }
    return {};
}

}  // namespace

Result<test::Leaf> parse_leaf(std::string_view text) {
    if (text == "good") return test::Leaf::good;
    if (text == "expired") return test::Leaf::expired;
    if (text == "not-yet-valid") return test::Leaf::not_yet_valid;
    if (text == "other-identity") return test::Leaf::other_identity;
    if (text == "common-name") return test::Leaf::common_name;
    return fail(ErrorCode::invalid_argument, "leaf '" + std::string(text) +
                                                 "': expected good, expired, not-yet-valid, other-identity or "
                                                 "common-name");
}

Result<InstanceRequest> parse_instance_request(std::string_view text) {
    const auto colon = text.find(':');
    auto name = parse_instance_name(text.substr(0, colon));
    if (!name) return fail(std::move(name).error());
    InstanceRequest request;
    request.name = std::move(*name);
    auto options = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
    while (!options.empty()) {
        const auto end = std::min(options.find(','), options.size());
        if (auto applied = apply(request, options.substr(0, end)); !applied) return fail(std::move(applied).error());
        options.remove_prefix(std::min(end + 1, options.size()));
    }
    if (!request.has_valkey && (request.reader != ReaderKind::nobody || request.port != 0 || request.has_front))
        return fail(ErrorCode::invalid_argument,
                    std::string(text) + ": front, replica, reader and port need the option valkey");
    return request;
}

InstanceShape shape_of(const InstanceRequest& request) {
    auto shape = default_shape(request.name, request.is_cluster);
    shape.state = request.state;
    shape.network = request.network;
    if (!request.has_auth) shape.authorization_mode = "AUTH_DISABLED";
    if (!request.has_tls) shape.transit_encryption_mode = "TRANSIT_ENCRYPTION_DISABLED";
    if (request.has_shared_ca) shape.server_ca_mode = "GOOGLE_MANAGED_SHARED_CA";
    if (request.reader == ReaderKind::replica) shape.replica_count = 1;
    return shape;
}

}  // namespace cvp::emulator
