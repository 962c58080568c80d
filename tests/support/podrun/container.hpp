#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "common/async/asio.hpp"
#include "common/async/event.hpp"
#include "tests/support/podrun/pod_spec.hpp"
#include "tests/support/podrun/pod_status.hpp"
#include "tests/support/process.hpp"

namespace cvp::test::podrun {

/// The delay before the nth restart (from 1): at once, then 1 s doubling to 10 s. The kubelet's numbers are ten times
/// as large and more; nobody wants to wait for them here.
std::chrono::seconds restart_delay(int restart);

/// Waits for the end of a process, or until `deadline`.
/// @return its status, or nullopt
Awaitable<std::optional<int>> wait_for(Process& process, SteadyClock::time_point deadline);

/// Runs a native sidecar: starts it, probes it, restarts it for ever.
///
/// Owner: PodRunner, which spawns run() once. stop() ends it: SIGTERM, then SIGKILL after the grace period.
class Container {
public:
    struct Options {
        std::vector<std::string> extra_env;
        std::filesystem::path log_file;  ///< empty: our own stderr
        std::chrono::seconds grace{30};
    };

    /// @param on_change called after each change of the state
    Container(asio::io_context& io, ContainerSpec spec, Options options, std::function<void()> on_change);

    Awaitable<void> run();
    void stop();

    const ContainerState& state() const { return state_; }
    /// Of the running process, or -1.
    pid_t pid() const { return process_ ? process_->pid() : -1; }

private:
    Awaitable<void> run_once();
    Awaitable<void> supervise();
    void end_process();
    Awaitable<void> pause(SteadyClock::duration delay);
    Awaitable<bool> probe(const ExecProbe& probe);
    Result<Process> start(const std::vector<std::string>& argv);

    ContainerSpec spec_;
    Options options_;
    std::function<void()> on_change_;
    ContainerState state_;
    std::optional<Process> process_;
    asio::steady_timer kill_timer_;
    Event wake_;
    bool stopped_ = false;
};

}  // namespace cvp::test::podrun
