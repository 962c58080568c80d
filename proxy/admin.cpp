#include "proxy/admin.hpp"

#include "common/metrics/page.hpp"
#include "proxy/health.hpp"
#include "proxy/status.hpp"

namespace cvp::proxy {
namespace {

constexpr std::string_view kQuit = "/quitquitquit";

http::Response text(unsigned status, const std::string& line) {
    return http::make_response(status, "text/plain; charset=utf-8", line + "\n");
}

http::Response probe(const Verdict& verdict) {
    return text(verdict.ok ? 200 : 503, verdict.text);
}

/// Whether it really is this machine or pod that asks. Istio hands requests from outside to a pod from 127.0.0.6.
bool is_local(const http::Peer& peer) {
    return peer.is_loopback && !peer.address.ends_with("127.0.0.6");
}

http::Response wrong_method(std::string allowed) {
    auto response = text(405, "method not allowed; use " + allowed);
    response.headers.set("Allow", std::move(allowed));
    return response;
}

}  // namespace

http::Response Admin::answer(const http::Request& request, const http::Peer& peer) const {
    const auto path = http::path_of(request.target);
    const bool is_quit = path == kQuit;
    const bool is_known = is_quit || path == "/startup" || path == "/livez" || path == "/readyz" ||
                          path == "/metrics" || path == "/status";
    if (!is_known) {
        return text(404, "not found; there are /startup /livez /readyz /metrics /status and POST /quitquitquit");
    }
    if ((is_quit || path == "/status") && !is_local(peer)) {
        return text(403, "only from this machine or pod (127.0.0.1)");
    }
    if (is_quit) {
        if (request.method != "POST") return wrong_method("POST");
        // A web page that is open on a laptop can send this; its browser then says where it came from.
        if (request.headers.find("Origin")) return text(403, "not from a web page");
        quit_();
        return text(200, "draining");
    }
    if (request.method != "GET") return wrong_method("GET");
    if (path == "/startup") return probe(judge_startup(view_()));
    if (path == "/livez") return probe(judge_live(view_()));
    if (path == "/readyz") return probe(judge_ready(view_()));
    if (path == "/status") return http::make_response(200, "application/json", render_status(view_()));
    return http::make_response(200, std::string(metrics::Page::kContentType), render_metrics(view_()));
}

}  // namespace cvp::proxy
