#include "proxy/connection_watcher.hpp"

#include <cstdint>
#include <optional>
#include <utility>

#include "common/contract/names.hpp"

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
    std::optional<std::uint64_t> known;
    while (!stopped_) {
        directory_.ensure();
        const auto seen = directory_.changes();
        // An event is always followed: two changes within a tick of the clock leave one stamp. Without one, nothing is
        // read that is known: it would cost time, and the pages of code that read it.
        if (seen != known || stamp_files(files()) != taken_over_) reload();
        known = seen;
        const auto next_look = SteadyClock::now() + kLookEvery;
        while (!stopped_ && directory_.changes() == seen && SteadyClock::now() < next_look) {
            co_await directory_.changed().wait_until(next_look);
        }
    }
}

void ConnectionWatcher::reload() {
    auto stamps = stamp_files(files());  // before: what changes while it is read is seen by the next look
    taken_over_.clear();
    auto document = load_document(source_.file, source_.name);
    if (!document) return connection_.reject(document.error());
    // A document that the data path refuses is reported there.
    if (connection_.apply(std::move(*document))) taken_over_ = std::move(stamps);
}

/// Those that load_document() reads, by the document that is followed now.
std::vector<std::filesystem::path> ConnectionWatcher::files() const {
    const auto folder = source_.file.parent_path();
    std::vector<std::filesystem::path> files = {source_.file};
    for (const auto name : {names::kCertificateFile, names::kKeyFile, names::kClientPasswordFile})
        files.push_back(folder / name);
    if (const auto& document = connection_.document()) {
        const auto& tls = document->connection.tls;
        const auto& auth = document->connection.auth;
        for (const auto& name : {tls.ca_file, auth.username_file, auth.password_file}) {
            if (!name.empty()) files.push_back(folder / name);
        }
    }
    return files;
}

}  // namespace cvp::proxy
