#pragma once

#include <chrono>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "common/result.hpp"

namespace cvp::test {

/// What to start and where its output goes.
struct ProcessOptions {
    std::vector<std::string> argv;   ///< argv[0]: a path, or a name that is looked up on PATH
    std::vector<std::string> env;    ///< "NAME=value" on top of our own environment; the last of a name wins
    bool inherit_env = true;         ///< false: `env` is the whole environment
    std::filesystem::path cwd;       ///< empty: ours
    std::filesystem::path log_file;  ///< stdout and stderr are appended to it; empty: they stay ours
    std::optional<int> stdin_fd;     ///< descriptors for the child's 0, 1 and 2; they outrank log_file and stay the
    std::optional<int> stdout_fd;    ///< caller's to close; without stdin_fd the child reads /dev/null
    std::optional<int> stderr_fd;
};

/// A child process that cannot outlive its owner.
///
/// Owner: whoever holds the object; its end kills the child at once (call stop() first for an orderly end), and with it
/// what the child left running in its process group. When the *thread* that called start() ends without that, however
/// it ends, the kernel kills the child (a grandchild is not seen by it). The group is the child's own, so Ctrl-C at a
/// terminal does not reach it; it inherits no descriptor but 0, 1 and 2. Any thread, one at a time.
///
/// A status is a shell's: the exit code, or 128 + the signal that ended it.
class Process {
public:
    /// Starts a program and returns once it executes.
    ///
    /// @errors `not_found` if argv[0] is no program, `invalid_argument` for cwd or log_file, `internal` from fork
    static Result<Process> start(const ProcessOptions& options);

    Process(Process&& other) noexcept;
    Process& operator=(Process&& other) noexcept;
    ~Process();

    pid_t pid() const { return pid_; }

    /// A descriptor that becomes readable when the process ends: for poll(2) and Asio. Stays ours to close.
    int pidfd() const { return pidfd_; }

    /// Waits for the end.
    /// @return the status, or nullopt if it still runs after `timeout`
    std::optional<int> wait(std::chrono::milliseconds timeout);

    bool is_running() { return !wait(std::chrono::milliseconds(0)); }

    /// Sends a signal; without effect once it has ended.
    void signal(int number);

    /// SIGTERM (or `number`), then SIGKILL if it still runs after `grace`. Returns the status.
    int stop(std::chrono::milliseconds grace = std::chrono::seconds(10), int number = SIGTERM);

    /// SIGKILL, now. Returns the status.
    int kill();

    const std::filesystem::path& log_file() const { return log_file_; }

private:
    Process(pid_t pid, int pidfd, std::filesystem::path log_file);

    pid_t pid_ = -1;
    int pidfd_ = -1;  ///< -1: moved from
    std::optional<int> status_;
    std::filesystem::path log_file_;
};

/// What a finished command answered.
struct CommandResult {
    int status = -1;  ///< as Process: the exit code, or 128 + signal; a command that was killed at its deadline: 137
    std::string out;
    std::string err;
};

/// Runs a command to its end with `input` as its standard input; kills it after `timeout`.
/// `options` must not set log_file or descriptors.
/// @errors as Process::start
Result<CommandResult> run_command(ProcessOptions options, const std::string& input = {},
                                  std::chrono::milliseconds timeout = std::chrono::seconds(30));

/// The last `lines` lines of a file, for a report about a failed process; says so if it cannot be read.
std::string tail_of(const std::filesystem::path& file, std::size_t lines = 20);

}  // namespace cvp::test
