#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/clock.hpp"

namespace cvp::proxy {

/// Whose the next frames are, which a server sends in the order in which the commands were sent to it.
struct ReplySlot {
    enum class Kind : std::uint8_t {
        plain,            ///< one frame for the client
        blocking,         ///< as plain, of a command that may wait for other clients
        change,           ///< as plain, of a command that changes the client's state unless the frame is an error
        subscribe,        ///< `count` confirmations, or one error
        unsubscribe,      ///< as subscribe
        unsubscribe_all,  ///< as subscribe, but for every name there is when the first of them comes, at least one
        replaced,         ///< one frame that the client does not see: it gets a text of ours instead
        login,            ///< of our AUTH: a frame, or none at all
        vital_login,      ///< as login, after a RESET: without it the client would go on as nobody
        nonce,            ///< of our PING behind that AUTH
        write,            ///< of a write of ours, which the client does not see
        marker,           ///< of our SSUBSCRIBE: a confirmation that the client does not see
        resync,           ///< whatever comes up to "+RESET", of a client that was opaque until its RESET
    };
    Kind kind = Kind::plain;
    std::uint16_t command = 0;  ///< CommandInfo::index
    std::uint32_t count = 1;    ///< frames or, for plain, commands
    SteadyClock::time_point at{};
};

/// The replies that a server owes, in order. Plain ones of the same moment share a slot, so that a client that sends a
/// million commands without reading costs a few bytes for each of its writes; beyond 64 slots, moments are merged too.
class ReplyFifo {
public:
    /// @param keeps_commands whether plain slots of different commands stay apart (latency by command)
    explicit ReplyFifo(bool keeps_commands = false) : keeps_commands_(keeps_commands) {}

    void push(ReplySlot slot);

    bool empty() const { return first_ == slots_.size(); }
    std::size_t size() const { return slots_.size() - first_; }
    /// The slot whose frames come next. Not for an empty one.
    const ReplySlot& front() const { return slots_[first_]; }
    /// Takes one frame off the front.
    void pop();
    /// Takes the whole front slot off.
    void pop_slot();
    /// Says how many frames the front slot waits for, and of which kind.
    void expect(ReplySlot::Kind kind, std::uint32_t count);

    /// Slots of that kind that are still owed.
    std::size_t owed(ReplySlot::Kind kind) const { return owed_[static_cast<std::size_t>(kind)]; }

    void clear();

private:
    static constexpr std::size_t kKinds = 13;
    static constexpr std::size_t kManySlots = 64;

    bool keeps_commands_;
    std::vector<ReplySlot> slots_;  ///< from first_ on
    std::size_t first_ = 0;
    std::size_t owed_[kKinds] = {};
};

}  // namespace cvp::proxy
