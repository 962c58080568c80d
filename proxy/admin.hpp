#pragma once

#include <functional>

#include "common/http/server.hpp"
#include "proxy/view.hpp"

namespace cvp::proxy {

/// The admin server's answers, CONTRACT section 8. Pure but for what it is given.
///
/// Owner: the App; it outlives the http::Server that asks it.
class Admin {
public:
    /// @param view taken anew for each request
    /// @param quit what POST /quitquitquit does: the same as SIGTERM
    Admin(std::function<View()> view, std::function<void()> quit) : view_(std::move(view)), quit_(std::move(quit)) {}

    /// /startup, /livez, /readyz, /metrics for everyone; /status and POST /quitquitquit for loopback peers only.
    http::Response answer(const http::Request& request, const http::Peer& peer) const;

private:
    std::function<View()> view_;
    std::function<void()> quit_;
};

}  // namespace cvp::proxy
