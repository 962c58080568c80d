#include "proxy/loop/asio_pump.hpp"

namespace cvp::proxy {

AsioPump::AsioPump(asio::io_context& io, EventLoop& loop) : loop_(loop), descriptor_(io) {
    wait();
}

AsioPump::~AsioPump() {
    descriptor_.release();  // the descriptor is the loop's own
}

void AsioPump::wait() {
    descriptor_.assign(loop_.fd());
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                           [this, alive = std::weak_ptr<void>(alive_)](const boost::system::error_code& ec) {
                               if (ec || alive.expired()) return;
                               descriptor_.release();
                               loop_.turn();
                               wait();
                           });
}

}  // namespace cvp::proxy
