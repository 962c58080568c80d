#pragma once

#include <memory>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "common/async/asio.hpp"
#include "proxy/loop/event_loop.hpp"

namespace cvp::proxy {

/// Runs an EventLoop inside Asio's: its epoll descriptor is one descriptor there, and readable means one bounded turn.
///
/// It is registered there between turns alone: whoever sends us something pays for waking those who watch us, and in a
/// turn Asio need not hear of it.
///
/// Owner: the DataPlane; ends before `loop`.
class AsioPump {
public:
    AsioPump(asio::io_context& io, EventLoop& loop);
    ~AsioPump();
    AsioPump(const AsioPump&) = delete;
    AsioPump& operator=(const AsioPump&) = delete;

private:
    void wait();

    EventLoop& loop_;
    asio::posix::stream_descriptor descriptor_;
    std::shared_ptr<void> alive_ = std::make_shared<int>();  ///< what a wait that is already decided looks at first
};

}  // namespace cvp::proxy
