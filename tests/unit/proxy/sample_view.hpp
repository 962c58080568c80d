#pragma once

#include "proxy/view.hpp"
#include "tests/unit/proxy/sample_document.hpp"

namespace cvp::proxy {

/// A proxy with one connection that is up.
inline View sample_view() {
    using namespace std::chrono_literals;
    View view;
    view.now = SteadyClock::now();
    view.started = view.now - 1s;
    view.started_at = SystemClock::from_time_t(1'795'176'000);
    view.last_turn = view.now;
    ConnectionView connection;
    connection.name = "sessions";
    connection.document = sample_connection();
    connection.generation = 1;
    connection.changed_at = view.started_at;
    PortView port;
    port.address = "127.0.0.1:6379";
    port.upstream.last_success = view.now;
    port.upstream.last_success_at = view.started_at;
    port.upstream.peer = "10.0.0.3:6379";
    port.upstream.tls_version = "TLSv1.3";
    port.upstream.verified_identity = "ip:10.0.0.3";
    connection.ports = {port};
    view.connections = {connection};
    return view;
}

inline UpstreamState& primary(View& view) {
    return view.connections[0].ports[0].upstream;
}

}  // namespace cvp::proxy
