#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "common/http/message.hpp"
#include "tests/emulator/backend.hpp"
#include "tests/emulator/front.hpp"
#include "tests/emulator/state.hpp"

namespace cvp::emulator {

using Backends = std::map<std::string, Backend>;               ///< by the instance's full name
using Fronts = std::map<std::string, std::unique_ptr<Front>>;  ///< those before servers of others: "front-1", …

/// What tests, the demo and people at a shell tell the emulator to do: JSON over HTTP on a port of its own.
///
/// | call | body | does |
/// |---|---|---|
/// | GET /admin/state | | everything there is, without tokens |
/// | GET, DELETE /admin/calls | | counts by surface and kind, and the log; forgets them |
/// | GET /admin/tokens | | every minted token |
/// | POST /admin/tokens | lifetimeSeconds, scopes | mints one |
/// | POST /admin/tokens:expire | | every token expires now; live sessions go on |
/// | POST /admin/faults/rest, …/metadata | status, reason, count, delayMs, kind, retryAfterSeconds | adds a fault |
/// | DELETE /admin/faults, /admin/faults/rest, … | | heals |
/// | PATCH /admin/metadata | down, gke, email, project, zone, clusterLocation, tokenLifetimeSeconds | changes it |
/// | PATCH /admin/quota | limited | 60 calls a minute, or any number |
/// | GET, PUT, PATCH, DELETE /admin/instances/NAME | instance | reads, adds, merges (RFC 7396), removes a record |
/// | POST …/NAME:move | port | the primary goes to another port |
/// | POST …/NAME:rotateCa | keepOld | a new CA and leaves of it |
/// | POST …/NAME:certificate | leaf, foreignCa | shows another leaf from the next handshake on |
/// | POST …/NAME:kill, :start, :pause, :resume | node | SIGKILL, start again, SIGSTOP, SIGCONT |
/// | POST …/NAME:command | node, words | runs a command as administrator: {"reply": …} |
/// | GET, POST /admin/fronts/NAME… | | logins at a TLS front: see tests/emulator/front_api.hpp |
///
/// `node` is primary (default) or reader. Errors: {"error": text} with 400, 404, 405, 409 or 500.
class AdminApi {
public:
    AdminApi(State& state, Backends& backends, Fronts& fronts) : state_(state), backends_(backends), fronts_(fronts) {}

    /// Does it and answers. The caller brings logins, timers and listeners in line with the state afterwards.
    http::Response answer(const http::Request& request, SystemClock::time_point now);

private:
    http::Response answer_calls(const http::Request& request);
    http::Response answer_tokens(const http::Request& request, SystemClock::time_point now);
    http::Response answer_faults(const http::Request& request, std::string_view surface);
    http::Response patch_metadata(const http::Request& request);
    http::Response patch_quota(const http::Request& request);
    http::Response answer_instance(const http::Request& request, const std::string& name);
    http::Response act_on(const http::Request& request, const std::string& name, std::string_view verb);
    http::Response act_on_front(const http::Request& request, const std::string& path);
    Result<void> follow_modes(const std::string& name);

    State& state_;
    Backends& backends_;
    Fronts& fronts_;
};

}  // namespace cvp::emulator
