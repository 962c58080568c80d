#include "proxy/session/reply_fifo.hpp"

#include <limits>

namespace cvp::proxy {

void ReplyFifo::push(ReplySlot slot) {
    if (slot.kind == ReplySlot::Kind::plain && !empty()) {
        auto& last = slots_.back();
        const bool is_same_moment = last.at == slot.at || slots_.size() - first_ > kManySlots;
        const bool is_same_command = !keeps_commands_ || last.command == slot.command;
        if (last.kind == slot.kind && is_same_moment && is_same_command &&
            last.count < std::numeric_limits<std::uint32_t>::max()) {
            ++last.count;
            return;
        }
    }
    if (first_ > 0 && slots_.size() == slots_.capacity()) {
        slots_.erase(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
    }
    ++owed_[static_cast<std::size_t>(slot.kind)];
    slots_.push_back(slot);
}

void ReplyFifo::expect(ReplySlot::Kind kind, std::uint32_t count) {
    auto& slot = slots_[first_];
    --owed_[static_cast<std::size_t>(slot.kind)];
    ++owed_[static_cast<std::size_t>(kind)];
    slot.kind = kind;
    slot.count = count;
}

void ReplyFifo::pop() {
    if (--slots_[first_].count == 0) pop_slot();
}

void ReplyFifo::pop_slot() {
    --owed_[static_cast<std::size_t>(slots_[first_].kind)];
    if (++first_ < slots_.size()) return;
    first_ = 0;
    slots_.clear();
    if (slots_.capacity() > kManySlots) std::vector<ReplySlot>().swap(slots_);
}

void ReplyFifo::clear() {
    while (!empty())
        pop_slot();
}

}  // namespace cvp::proxy
