#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/signal_set.hpp>

#include "common/async/task_group.hpp"
#include "common/http/server.hpp"
#include "proxy/admin.hpp"
#include "proxy/config.hpp"
#include "proxy/connection.hpp"
#include "proxy/connection_watcher.hpp"
#include "proxy/data_plane.hpp"
#include "proxy/exit_codes.hpp"
#include "proxy/iam.hpp"
#include "proxy/listen_files.hpp"
#include "proxy/lone_resolver.hpp"

namespace cvp::proxy {

/// The running proxy: the only place that constructs its parts. One thread, one io_context.
///
/// Documents are read and ports are bound before anything else happens; from then on nothing but a signal or
/// POST /quitquitquit ends the process. Stop order: go on accepting for min-drain, stop accepting, wait for clients
/// until max-drain, end the background tasks, end.
class App {
public:
    explicit App(Config config);
    App(const App&) = delete;
    App& operator=(const App&) = delete;

    /// Serves until it is told to stop.
    /// @param faults what was wrong, one line each, where the result is kExitUsage or kExitCannotBind
    ExitCode run(Faults& faults);

    /// run() in two parts, for who has a thread of his own for the second: start() binds and begins, loop() returns
    /// once the proxy has ended.
    ExitCode start(Faults& faults);
    void loop() { io_.run(); }
    /// Does something on the loop's thread. The only member that other threads may call while it runs.
    void post(std::function<void()> what) { asio::post(io_, std::move(what)); }
    /// On the loop's thread: what is known at this moment, and the beginning of the end.
    View view() const;
    void quit();

    /// Serves nobody: waits until every connection has reached its server or cannot, at most so long, and ends.
    /// @param found what was known at the end
    ExitCode examine(Faults& faults, std::chrono::milliseconds patience, View& found);

private:
    void load_documents(std::vector<Document>& documents, Faults& faults) const;
    Connection& add_connection(std::string name, LocalPorts ports);
    Result<void> open_ports();
    void start_lone_resolver();
    void log_start() const;
    void warn_of_clear_text() const;
    void notify(std::string_view state) const;
    std::shared_ptr<LoginSource> make_login(const Document& document);

    Awaitable<void> wait_for_signals();
    Awaitable<void> release_start_memory();
    Awaitable<void> follow_listen_files();
    Awaitable<void> shut_down();
    Awaitable<void> settle(std::chrono::milliseconds patience, View& found);
    Awaitable<http::Response> answer_admin(http::Request request, http::Peer peer);

    Config config_;
    SteadyClock::time_point started_ = SteadyClock::now();
    SystemClock::time_point started_at_ = SystemClock::now();
    bool draining_ = false;

    asio::io_context io_{1};
    asio::signal_set signals_{io_};
    TaskGroup tasks_{io_};
    TaskGroup ending_{io_};  ///< waits for the tasks, so it is none of them
    Iam iam_;
    ListenFiles listen_files_;
    DataPlane data_plane_;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::vector<std::unique_ptr<ConnectionWatcher>> watchers_;
    std::unique_ptr<LoneResolver> resolver_;
    Admin admin_;
    http::Server admin_server_;
    asio::steady_timer start_memory_timer_{io_};
    asio::steady_timer listen_files_timer_{io_};
};

}  // namespace cvp::proxy
