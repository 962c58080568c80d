#include "proxy/upstream/health.hpp"

#include <algorithm>
#include <utility>

namespace cvp::proxy {

namespace {

using namespace std::chrono_literals;

constexpr SteadyClock::duration kProofAge = 45s;  // readiness asks for a success in the last 60 s
constexpr SteadyClock::duration kFirstWait = 250ms;
constexpr SteadyClock::duration kLongestWait = 2s;

}  // namespace

void Health::on_success(SteadyClock::time_point now) {
    cooldown_.reset();
    wait_ = {};
    next_proof_ = now + kProofAge;
}

void Health::on_failure(LocalError error) {
    if (cooldown_) cooldown_ = std::move(error);
}

void Health::on_proof_failed(SteadyClock::time_point now) {
    wait_ = std::clamp(2 * wait_, kFirstWait, kLongestWait);
    next_proof_ = now + wait_;
}

void Health::on_vain_hold(LocalError error, SteadyClock::time_point now) {
    if (!cooldown_) next_proof_ = std::min(next_proof_, now + kFirstWait);
    cooldown_ = std::move(error);
}

}  // namespace cvp::proxy
