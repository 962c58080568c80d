#pragma once

#include <cstddef>
#include <list>

namespace cvp::proxy {

/// How many new connections may log in at one time, over the whole process: a provider throttles logins, and a server
/// that comes back meets all of its clients at once. First come, first served. Pure.
///
/// Owner: the DataPlane; outlives the dials.
class LoginSlots {
public:
    static constexpr std::size_t kAtOnce = 4;

    /// Who waits for its turn.
    class Waiter {
    public:
        virtual ~Waiter() = default;
        virtual void on_login_turn() = 0;
    };

    /// One dial's claim; gives back what it holds when it ends.
    class Claim {
    public:
        Claim(LoginSlots& slots, Waiter& waiter) : slots_(slots), waiter_(waiter) {}
        ~Claim() { release(); }
        Claim(const Claim&) = delete;
        Claim& operator=(const Claim&) = delete;

        /// @return whether it is its turn at once; else the waiter hears of it
        bool take();
        void release();

    private:
        friend class LoginSlots;
        enum class State { idle, waiting, held };

        LoginSlots& slots_;
        Waiter& waiter_;
        State state_ = State::idle;
        std::list<Claim*>::iterator place_;
    };

private:
    std::size_t held_ = 0;
    std::list<Claim*> waiting_;
};

}  // namespace cvp::proxy
