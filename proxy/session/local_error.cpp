#include "proxy/session/local_error.hpp"

#include <algorithm>
#include <utility>

namespace cvp::proxy {

namespace {

constexpr std::size_t kMaxSentenceBytes = 400;

}  // namespace

std::string_view to_string(Cause cause) {
    switch (cause) {
        case Cause::upstream_unreachable:
            return "UpstreamUnreachable";
        case Cause::tls_identity:
            return "TlsIdentity";
        case Cause::tls_chain:
            return "TlsChain";
        case Cause::login_refused:
            return "LoginRefused";
        case Cause::login_throttled:
            return "LoginThrottled";
        case Cause::no_token:
            return "NoToken";
        case Cause::cluster_mode_not_supported:
            return "ClusterModeNotSupported";
        case Cause::no_reader:
            return "NoReader";
        case Cause::not_resolved:
            return "NotResolved";
    }
    return "UpstreamUnreachable";
}

bool is_transient(Cause cause) {
    switch (cause) {
        case Cause::upstream_unreachable:
        case Cause::login_throttled:
        case Cause::no_token:
        case Cause::not_resolved:
            return true;
        case Cause::tls_identity:
        case Cause::tls_chain:
        case Cause::login_refused:
        case Cause::cluster_mode_not_supported:
        case Cause::no_reader:
            return false;
    }
    return false;
}

LocalError make_local_error(Cause cause, std::string sentence) {
    return LocalError{cause, std::move(sentence), is_transient(cause)};
}

std::string render(const LocalError& error, std::string_view connection) {
    std::string line(error.transient ? "-LOADING" : "-ERR");
    line.append(" cloud-valkey-proxy ").append(connection).append(": ").append(to_string(error.cause));
    if (!error.sentence.empty()) line.append(": ").append(error.sentence, 0, kMaxSentenceBytes);
    std::replace_if(
        line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
    return line.append("\r\n");
}

}  // namespace cvp::proxy
