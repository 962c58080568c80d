#pragma once

#include <cstdint>
#include <filesystem>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "common/async/event.hpp"

struct inotify_event;

namespace cvp::proxy {

/// Says when something in a directory may have changed: a file written and closed, renamed, made or removed, a symlink
/// swapped (the kubelet's `..data`). What changed it does not say: its owner reads again and compares.
///
/// Owner: a ConnectionWatcher, which also looks from time to time by itself: inotify can run out, and a directory can
/// be removed and made again. Main loop only.
class DirectoryWatch {
public:
    DirectoryWatch(asio::io_context& io, std::filesystem::path directory);
    DirectoryWatch(const DirectoryWatch&) = delete;
    DirectoryWatch& operator=(const DirectoryWatch&) = delete;

    /// Waits for changes and counts them, until close().
    Awaitable<void> run();
    void close();

    /// Changes so far. A burst that is there at once counts as one.
    std::uint64_t changes() const { return changes_; }
    /// Signalled on every change and by close().
    Event& changed() { return changed_; }

    /// Watches again if the watch was lost. @return whether there is one
    bool ensure();

private:
    bool is_news(const inotify_event& event, const char* name) const;
    void drain();

    std::filesystem::path directory_;
    asio::posix::stream_descriptor inotify_;
    int watch_ = -1;
    bool closed_ = false;
    std::uint64_t changes_ = 0;
    Event changed_;
};

}  // namespace cvp::proxy
