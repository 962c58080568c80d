#include "proxy/upstream/login_pacer.hpp"

#include <algorithm>
#include <utility>

namespace cvp::proxy {

namespace {

using namespace std::chrono_literals;

constexpr SteadyClock::duration kGrace = 5min;
constexpr SteadyClock::duration kFirstWait = 1s;
constexpr SteadyClock::duration kLongestWait = 30s;

}  // namespace

bool LoginPacer::may_try(const Secret& password, SteadyClock::time_point now) const {
    if (now >= next_) return true;
    return refused_ && !(*refused_ == password);
}

void LoginPacer::on_sent(SteadyClock::time_point now) {
    if (!first_sent_) first_sent_ = now;
}

void LoginPacer::on_accepted() {
    refused_.reset();
    next_ = {};
    wait_ = {};
}

void LoginPacer::on_refused(std::optional<Secret> password, SteadyClock::time_point now) {
    const bool is_known = now < next_;  // one of several in flight: they count as one refusal
    if (!is_known) {
        wait_ = wait_ == SteadyClock::duration{} ? kFirstWait : std::min(2 * wait_, kLongestWait);
        next_ = now + wait_;
    }
    refused_ = std::move(password);
}

bool LoginPacer::in_grace(SteadyClock::time_point now) const {
    return !first_sent_ || now < *first_sent_ + kGrace;
}

}  // namespace cvp::proxy
