#include "proxy/connection_watcher.hpp"

#include <utility>

namespace cvp::proxy {
namespace {

/// What no event tells: a target of symlinks elsewhere, a directory made again, inotify used up.
constexpr auto kLookEvery = std::chrono::seconds(10);

}  // namespace

ConnectionWatcher::ConnectionWatcher(asio::io_context& io, DocumentSource source, Connection& connection)
    : source_(std::move(source)), connection_(connection), directory_(io, source_.file.parent_path()) {}

void ConnectionWatcher::start(TaskGroup& tasks) {
    tasks.spawn("directory watch", directory_.run());
    tasks.spawn("connection watcher", follow());
}

void ConnectionWatcher::stop() {
    stopped_ = true;
    directory_.close();
}

Awaitable<void> ConnectionWatcher::follow() {
    while (!stopped_) {
        directory_.ensure();
        const auto seen = directory_.changes();
        reload();
        const auto next_look = SteadyClock::now() + kLookEvery;
        while (!stopped_ && directory_.changes() == seen && SteadyClock::now() < next_look) {
            co_await directory_.changed().wait_until(next_look);
        }
    }
}

void ConnectionWatcher::reload() {
    auto document = load_document(source_.file, source_.name);
    if (document) {
        // A document that the data path refuses is reported there.
        static_cast<void>(connection_.apply(std::move(*document)));
    } else {
        connection_.reject(document.error());
    }
}

}  // namespace cvp::proxy
