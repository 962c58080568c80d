#include "proxy/directory_watch.hpp"

#include <cstring>
#include <system_error>
#include <utility>

#include <sys/inotify.h>
#include <unistd.h>

namespace cvp::proxy {
namespace {

constexpr std::uint32_t kLost = IN_DELETE_SELF | IN_MOVE_SELF;
constexpr std::uint32_t kWatched =
    kLost | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB;

}  // namespace

DirectoryWatch::DirectoryWatch(asio::io_context& io, std::filesystem::path directory)
    : directory_(std::move(directory)), inotify_(io) {
    if (directory_.empty()) directory_ = ".";
    const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    boost::system::error_code ignored;
    if (fd >= 0) inotify_.assign(fd, ignored);
    ensure();
}

Awaitable<void> DirectoryWatch::run() {
    while (!closed_ && inotify_.is_open()) {
        boost::system::error_code ec;
        co_await inotify_.async_wait(asio::posix::stream_descriptor::wait_read,
                                     asio::redirect_error(asio::use_awaitable, ec));
        if (ec) co_return;
        drain();
    }
}

void DirectoryWatch::close() {
    closed_ = true;
    boost::system::error_code ignored;
    inotify_.close(ignored);
    changed_.notify_all();
}

bool DirectoryWatch::ensure() {
    if (watch_ < 0 && inotify_.is_open()) {
        watch_ = ::inotify_add_watch(inotify_.native_handle(), directory_.c_str(), kWatched | IN_ONLYDIR);
    }
    return watch_ >= 0;
}

/// A regular file that was just made is still empty: it is news when it is closed. A symlink is news at once.
bool DirectoryWatch::is_news(const inotify_event& event, const char* name) const {
    if ((event.mask & IN_CREATE) == 0) return true;
    std::error_code ignored;
    return std::filesystem::is_symlink(directory_ / name, ignored);
}

void DirectoryWatch::drain() {
    alignas(inotify_event) char buffer[4096];
    bool has_news = false;
    while (true) {
        const auto size = ::read(inotify_.native_handle(), buffer, sizeof buffer);
        if (size <= 0) break;
        for (const char* at = buffer; at < buffer + size;) {
            inotify_event event{};
            std::memcpy(&event, at, sizeof event);
            has_news = is_news(event, event.len > 0 ? at + sizeof event : "") || has_news;
            at += sizeof event + event.len;
            if ((event.mask & kLost) != 0 && event.wd == watch_) {
                ::inotify_rm_watch(inotify_.native_handle(), watch_);
                watch_ = -1;
            }
        }
    }
    if (!has_news) return;
    ++changes_;
    changed_.notify_all();
}

}  // namespace cvp::proxy
