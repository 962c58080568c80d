#include "proxy/upstream/login_slots.hpp"

#include <utility>

namespace cvp::proxy {

bool LoginSlots::Claim::take() {
    if (state_ != State::idle) return state_ == State::held;
    if (slots_.held_ < kAtOnce) {
        ++slots_.held_;
        state_ = State::held;
        return true;
    }
    place_ = slots_.waiting_.insert(slots_.waiting_.end(), this);
    state_ = State::waiting;
    return false;
}

void LoginSlots::Claim::release() {
    const auto state = std::exchange(state_, State::idle);
    if (state == State::waiting) slots_.waiting_.erase(place_);
    if (state != State::held) return;
    --slots_.held_;
    if (slots_.waiting_.empty()) return;
    Claim& next = *slots_.waiting_.front();
    slots_.waiting_.pop_front();
    ++slots_.held_;
    next.state_ = State::held;
    next.waiter_.on_login_turn();
}

}  // namespace cvp::proxy
