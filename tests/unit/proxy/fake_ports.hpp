#pragma once

#include <deque>
#include <string>
#include <vector>

#include "proxy/connection.hpp"

namespace cvp::proxy {

/// A port without a socket: remembers where it was sent.
class FakePort final : public Port {
public:
    explicit FakePort(PortOptions options) : options_(std::move(options)) {}

    const PortOptions& options() const override { return options_; }
    std::uint16_t port() const override { return options_.port; }
    Result<void> set_destination(Destination destination) override {
        if (refuses) return fail(ErrorCode::invalid_argument, "the CA cannot be used");
        destinations.push_back(std::move(destination));
        return {};
    }
    const PortStats& stats() const override { return stats_value; }
    const UpstreamState& upstream() const override { return upstream_value; }

    /// Host that its clients are sent to now, or the cause of the local error.
    std::string host() const {
        const auto& to = destinations.back().to;
        if (const auto* target = std::get_if<Target>(&to)) return target->endpoint.host;
        return std::string(to_string(std::get<LocalError>(to).cause));
    }

    bool refuses = false;
    std::vector<Destination> destinations;
    PortStats stats_value;
    UpstreamState upstream_value;

private:
    PortOptions options_;
};

/// Opens fake ports; those in `taken` cannot be bound.
struct FakePorts {
    std::deque<FakePort> opened;
    std::vector<std::uint16_t> taken;

    ConnectionContext context() {
        ConnectionContext context;
        context.listen = "127.0.0.1";
        context.open_port = [this](PortOptions options) -> Result<Port*> {
            for (const auto port : taken) {
                if (port == options.port) return fail(ErrorCode::unavailable, "127.0.0.1:" + std::to_string(port));
            }
            return &opened.emplace_back(std::move(options));
        };
        context.make_login = [](const Document&) { return std::shared_ptr<LoginSource>(); };
        return context;
    }
};

}  // namespace cvp::proxy
