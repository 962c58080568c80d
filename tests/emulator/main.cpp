#include <csignal>
#include <iostream>

#include <boost/asio/signal_set.hpp>

#include "common/async/task_group.hpp"
#include "common/log/log.hpp"
#include "tests/emulator/options.hpp"

namespace {

using namespace cvp;

constexpr int kCannotStart = 69;

/// All three outlive io.run().
Awaitable<void> stop_on_signal(asio::signal_set& signals, asio::io_context& io, emulator::Emulator& emulator) {
    co_await signals.async_wait(asio::use_awaitable);
    co_await emulator.stop();
    io.stop();
}

int run(emulator::EmulatorOptions options) {
    asio::io_context io(1);
    asio::signal_set signals(io, SIGTERM, SIGINT);
    emulator::Emulator emulator(io, std::move(options));
    if (const auto started = emulator.start(); !started) {
        std::cerr << "cloud-valkey-emulator: " << to_string(started.error()) << '\n';
        return kCannotStart;
    }
    std::cout << emulator.ready_json() << std::flush;
    TaskGroup tasks(io);
    tasks.spawn("stop on signal", stop_on_signal(signals, io, emulator));
    io.run();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    auto parsed = emulator::parse_options(argc, argv);
    if (const auto* exit = std::get_if<emulator::Exit>(&parsed)) {
        (exit->code == 0 ? std::cout : std::cerr) << exit->text;
        return exit->code;
    }
    log::configure(log::Level::info, log::Format::text);
    return run(std::get<emulator::EmulatorOptions>(std::move(parsed)));
}
