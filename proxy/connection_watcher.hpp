#pragma once

#include <filesystem>
#include <vector>

#include "common/async/task_group.hpp"
#include "common/config/file_stamp.hpp"
#include "proxy/connection.hpp"
#include "proxy/directory_watch.hpp"

namespace cvp::proxy {

/// Follows a connection.yaml and the files beside it: whenever one changed, all are read and checked, then the
/// connection takes them over as a whole or keeps what it had.
///
/// Works for the kubelet's volumes (a symlink swap) and for a plain file that is written in place or renamed over.
/// Owner: the App. Main loop only.
class ConnectionWatcher {
public:
    /// @param connection outlives the watcher
    ConnectionWatcher(asio::io_context& io, DocumentSource source, Connection& connection);

    /// Starts watching; its tasks end after stop().
    void start(TaskGroup& tasks);
    void stop();

private:
    Awaitable<void> follow();
    void reload();
    std::vector<std::filesystem::path> files() const;

    DocumentSource source_;
    Connection& connection_;
    DirectoryWatch directory_;
    std::vector<FileStamp> taken_over_;  ///< of files(), when they were read last; empty: what was read was not good
    bool stopped_ = false;
};

}  // namespace cvp::proxy
