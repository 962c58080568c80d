#include "operator/probes.hpp"

namespace cvp::op {
namespace {

http::Response text(unsigned status, const std::string& line) {
    return http::make_response(status, "text/plain; charset=utf-8", line + "\n");
}

http::Response judge(const Readiness& readiness) {
    if (readiness.is_shutting_down) return text(503, "shutting down");
    if (!readiness.is_serving) return text(503, "the webhook has no certificate yet; see the log");
    if (!readiness.is_trusted)
        return text(503, "the API server does not trust the webhook yet: its CA is not in caBundle");
    return text(200, "ok");
}

}  // namespace

http::Response answer_probe(const http::Request& request, const Readiness& readiness) {
    const auto path = http::path_of(request.target);
    if (path != "/livez" && path != "/readyz") return text(404, "not found; there are /livez and /readyz");
    if (request.method != "GET") return text(405, "method not allowed; use GET");
    return path == "/livez" ? text(200, "ok") : judge(readiness);
}

}  // namespace cvp::op
