#pragma once

// Boost 1.74's awaitable.hpp uses std::exchange without including it: this header is how everyone gets Asio.
#include <chrono>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "common/clock.hpp"

namespace cvp {

namespace asio = boost::asio;

/// What every coroutine of ours returns; it runs on the io_context it was spawned on (one thread, no locks).
template <class T = void>
using Awaitable = boost::asio::awaitable<T>;

}  // namespace cvp
