#include "tests/support/podrun/container.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unistd.h>

#include "common/log/log.hpp"

namespace cvp::test::podrun {

using namespace std::chrono_literals;

std::chrono::seconds restart_delay(int restart) {
    if (restart <= 1) return 0s;
    return std::min<std::chrono::seconds>(std::chrono::seconds(1 << std::min(restart - 2, 10)), 10s);
}

Awaitable<std::optional<int>> wait_for(Process& process, SteadyClock::time_point deadline) {
    const auto executor = co_await asio::this_coro::executor;
    const auto ended = std::make_shared<asio::posix::stream_descriptor>(executor, ::dup(process.pidfd()));
    asio::steady_timer timer(executor, deadline);
    // The handler may be queued already when the process ends: it must not meet a descriptor that is gone.
    timer.async_wait([weak = std::weak_ptr(ended)](const boost::system::error_code& ec) {
        const auto descriptor = weak.lock();
        if (!ec && descriptor) descriptor->cancel();
    });
    boost::system::error_code ec;
    co_await ended->async_wait(asio::posix::stream_descriptor::wait_read,
                               asio::redirect_error(asio::use_awaitable, ec));
    timer.cancel();
    co_return process.wait(0ms);
}

Container::Container(asio::io_context& io, ContainerSpec spec, Options options, std::function<void()> on_change)
    : spec_(std::move(spec)), options_(std::move(options)), on_change_(std::move(on_change)), kill_timer_(io) {}

Awaitable<void> Container::run() {
    while (!stopped_) {
        if (state_.last_exit) co_await pause(restart_delay(state_.restarts));
        if (stopped_) co_return;
        co_await run_once();
    }
}

void Container::stop() {
    stopped_ = true;
    end_process();
    wake_.notify_all();
}

/// From start to end of one process.
Awaitable<void> Container::run_once() {
    auto started = start(spec_.argv);
    const auto now = std::chrono::system_clock::now();
    state_.started_at = now;
    if (!started) {
        log::error("cannot start the container", {{"container", spec_.name}, {"error", to_string(started.error())}});
        state_.waiting_reason = "RunContainerError";
        state_.waiting_message = started.error().context;
        state_.last_exit = Exit{128, now, now};
        ++state_.restarts;
        on_change_();
        co_return;
    }
    process_.emplace(std::move(*started));
    state_.is_running = true;
    state_.is_started = !spec_.startup_probe;
    log::info("started", {{"container", spec_.name}, {"pid", process_->pid()}, {"restarts", state_.restarts}});
    on_change_();

    co_await supervise();
    kill_timer_.cancel();
    const int code = process_->kill();
    process_.reset();
    state_.is_running = state_.is_started = false;
    state_.waiting_reason = "CrashLoopBackOff";
    state_.waiting_message.clear();
    state_.last_exit = Exit{code, state_.started_at, std::chrono::system_clock::now()};
    log::info("ended", {{"container", spec_.name}, {"status", code}});
    if (!stopped_) ++state_.restarts;
    on_change_();
}

/// Returns when the process has ended.
Awaitable<void> Container::supervise() {
    auto next_probe = SteadyClock::now();
    int failures = 0;
    if (spec_.startup_probe) next_probe += spec_.startup_probe->initial_delay;
    while (!stopped_ && !state_.is_started && failures < spec_.startup_probe->failure_threshold) {
        if (co_await wait_for(*process_, next_probe)) co_return;
        next_probe = SteadyClock::now() + spec_.startup_probe->period;
        if (co_await probe(*spec_.startup_probe)) {
            state_.is_started = true;
            on_change_();
        } else {
            ++failures;
        }
    }
    if (!stopped_ && !state_.is_started) {
        log::warn("the startup probe failed for good", {{"container", spec_.name}, {"failures", failures}});
        end_process();
    }
    co_await wait_for(*process_, SteadyClock::time_point::max());
}

/// SIGTERM now, SIGKILL after the grace period.
void Container::end_process() {
    if (!process_) return;
    process_->signal(SIGTERM);
    kill_timer_.expires_after(options_.grace);
    kill_timer_.async_wait([this](const boost::system::error_code& ec) {
        if (!ec && process_) process_->signal(SIGKILL);
    });
}

Awaitable<void> Container::pause(SteadyClock::duration delay) {
    const auto deadline = SteadyClock::now() + delay;
    while (!stopped_ && SteadyClock::now() < deadline)
        co_await wake_.wait_until(deadline);
}

Awaitable<bool> Container::probe(const ExecProbe& probe) {
    auto started = start(probe.command);
    if (!started) co_return false;
    const auto status = co_await wait_for(*started, SteadyClock::now() + probe.timeout);
    co_return status == 0;
}

Result<Process> Container::start(const std::vector<std::string>& argv) {
    ProcessOptions options;
    options.argv = argv;
    options.inherit_env = false;
    options.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/"};
    options.env.insert(options.env.end(), spec_.env.begin(), spec_.env.end());
    options.env.insert(options.env.end(), options_.extra_env.begin(), options_.extra_env.end());
    options.cwd = "/";
    options.log_file = options_.log_file;
    return Process::start(options);
}

}  // namespace cvp::test::podrun
