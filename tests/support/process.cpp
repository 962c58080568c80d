#include "tests/support/process.hpp"

extern "C" {  // glibc 2.36 forgot it in this header
#include <sys/pidfd.h>
}
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cvp::test {
namespace {

namespace fs = std::filesystem;

std::string describe_errno(int number) {
    return std::generic_category().message(number);
}

/// A descriptor that is closed with the scope.
class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { reset(); }

    int get() const { return fd_; }
    void reset() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }

private:
    int fd_;
};

/// Finds the program as a shell would, so that a wrong name is an error of ours and not of the child.
Result<std::string> find_program(const std::string& name) {
    if (name.find('/') != std::string::npos) {
        if (::access(name.c_str(), X_OK) == 0) return name;
        return fail(ErrorCode::not_found, name + ": " + describe_errno(errno));
    }
    const char* path = std::getenv("PATH");
    std::istringstream directories(path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin");
    for (std::string directory; std::getline(directories, directory, ':');) {
        const auto candidate = (fs::path(directory) / name).string();
        if (::access(candidate.c_str(), X_OK) == 0 && fs::is_regular_file(candidate)) return candidate;
    }
    return fail(ErrorCode::not_found, name + ": no such program on PATH");
}

std::vector<std::string> build_environment(const ProcessOptions& options) {
    std::map<std::string, std::string> by_name;
    const auto put = [&](const std::string& entry) { by_name[entry.substr(0, entry.find('='))] = entry; };
    if (options.inherit_env) {
        for (char** entry = environ; *entry != nullptr; ++entry)
            put(*entry);
    }
    for (const auto& entry : options.env)
        put(entry);
    std::vector<std::string> entries;
    entries.reserve(by_name.size());
    for (auto& [name, entry] : by_name)
        entries.push_back(std::move(entry));
    return entries;
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
    std::vector<char*> pointers;
    pointers.reserve(strings.size() + 1);
    for (auto& string : strings)
        pointers.push_back(string.data());
    pointers.push_back(nullptr);
    return pointers;
}

/// All that the child needs, made before fork(): after it only async-signal-safe calls are allowed.
struct ChildPlan {
    const char* program;
    char* const* argv;
    char* const* envp;
    const char* cwd;  ///< nullptr: ours
    std::array<int, 3> stdio;
    int failure_fd;  ///< errno goes here if the child cannot execute; closed by a successful exec
    pid_t parent;
};

[[noreturn]] void run_child(const ChildPlan& plan) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != plan.parent) ::_exit(127);  // the parent ended before the line above took effect

    // Ignored signals and the mask survive exec; a program expects neither.
    for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD})
        ::signal(number, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);

    bool ok = plan.cwd == nullptr || ::chdir(plan.cwd) == 0;
    // First out of the way of 0..2, so that no dup2 overwrites a descriptor that is still to be used.
    std::array<int, 3> stdio{};
    for (std::size_t i = 0; ok && i < stdio.size(); ++i) {
        stdio[i] = ::fcntl(plan.stdio[i], F_DUPFD_CLOEXEC, 3);
        ok = stdio[i] >= 0;
    }
    for (std::size_t i = 0; ok && i < stdio.size(); ++i)
        ok = ::dup2(stdio[i], static_cast<int>(i)) >= 0;
    if (ok) {
        ::close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC);
        ::execve(plan.program, plan.argv, plan.envp);
    }
    const int error = errno;
    [[maybe_unused]] const auto written = ::write(plan.failure_fd, &error, sizeof error);
    ::_exit(127);
}

bool becomes_readable(int fd, std::chrono::milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd entry{fd, POLLIN, 0};
        const int ready = ::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
        if (ready > 0) return true;
        if (ready == 0 || errno != EINTR) return false;
    }
}

std::string read_whole(int fd) {
    std::string content;
    std::array<char, 65536> buffer{};
    off_t offset = 0;
    for (ssize_t count = 0; (count = ::pread(fd, buffer.data(), buffer.size(), offset)) > 0; offset += count) {
        content.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return content;
}

}  // namespace

Result<Process> Process::start(const ProcessOptions& options) {
    if (options.argv.empty()) return fail(ErrorCode::invalid_argument, "starting a process: argv is empty");
    auto program = find_program(options.argv.front());
    if (!program) return fail(std::move(program).error());

    Descriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    Descriptor log(options.log_file.empty()
                       ? -1
                       : ::open(options.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (!options.log_file.empty() && log.get() < 0) {
        return fail(ErrorCode::invalid_argument, "opening " + options.log_file.string() + ": " + describe_errno(errno));
    }
    const int out = log.get() >= 0 ? log.get() : STDOUT_FILENO;
    const int err = log.get() >= 0 ? log.get() : STDERR_FILENO;

    std::array<int, 2> failure{};
    if (::pipe2(failure.data(), O_CLOEXEC) != 0) return fail(ErrorCode::internal, "pipe2: " + describe_errno(errno));
    Descriptor failure_in(failure[0]);
    Descriptor failure_out(failure[1]);

    auto arguments = options.argv;
    auto environment = build_environment(options);
    const auto argv = pointers_to(arguments);
    const auto envp = pointers_to(environment);
    const ChildPlan plan{
        .program = program->c_str(),
        .argv = argv.data(),
        .envp = envp.data(),
        .cwd = options.cwd.empty() ? nullptr : options.cwd.c_str(),
        .stdio = {options.stdin_fd.value_or(null.get()), options.stdout_fd.value_or(out),
                  options.stderr_fd.value_or(err)},
        .failure_fd = failure_out.get(),
        .parent = ::getpid(),
    };

    const pid_t pid = ::fork();
    if (pid < 0) return fail(ErrorCode::internal, "fork: " + describe_errno(errno));
    if (pid == 0) run_child(plan);

    const int pidfd = ::pidfd_open(pid, 0);
    if (pidfd < 0) {
        const int error = errno;
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        return fail(ErrorCode::internal, "pidfd_open: " + describe_errno(error));
    }
    Process process(pid, pidfd, options.log_file);
    failure_out.reset();
    int error = 0;
    if (::read(failure_in.get(), &error, sizeof error) == sizeof error) {
        const bool cwd_is_wrong = !options.cwd.empty() && !fs::is_directory(options.cwd);
        return fail(ErrorCode::invalid_argument, "starting " + *program +
                                                     (cwd_is_wrong ? " in " + options.cwd.string() : "") + ": " +
                                                     describe_errno(error));
    }
    return process;
}

Process::Process(pid_t pid, int pidfd, fs::path log_file) : pid_(pid), pidfd_(pidfd), log_file_(std::move(log_file)) {}

Process::Process(Process&& other) noexcept
    : pid_(other.pid_),
      pidfd_(std::exchange(other.pidfd_, -1)),
      status_(other.status_),
      log_file_(std::move(other.log_file_)) {}

Process& Process::operator=(Process&& other) noexcept {
    Process moved(std::move(other));
    std::swap(pid_, moved.pid_);
    std::swap(pidfd_, moved.pidfd_);
    std::swap(status_, moved.status_);
    std::swap(log_file_, moved.log_file_);
    return *this;
}

Process::~Process() {
    if (pidfd_ < 0) return;
    kill();
    ::close(pidfd_);
}

std::optional<int> Process::wait(std::chrono::milliseconds timeout) {
    if (status_ || !becomes_readable(pidfd_, timeout)) return status_;
    // Not reaped yet, so the group's number cannot have been given to anybody else.
    ::kill(-pid_, SIGKILL);
    siginfo_t info{};
    while (::waitid(P_PIDFD, static_cast<id_t>(pidfd_), &info, WEXITED) != 0 && errno == EINTR) {
    }
    status_ = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
    return status_;
}

void Process::signal(int number) {
    if (!status_) ::pidfd_send_signal(pidfd_, number, nullptr, 0);
}

int Process::stop(std::chrono::milliseconds grace, int number) {
    signal(number);
    if (const auto status = wait(grace)) return *status;
    return kill();
}

int Process::kill() {
    signal(SIGKILL);
    // SIGKILL cannot be refused, but a process in an uninterruptible call ends only after it.
    return wait(std::chrono::hours(1)).value_or(128 + SIGKILL);
}

Result<CommandResult> run_command(ProcessOptions options, const std::string& input, std::chrono::milliseconds timeout) {
    // Memory files instead of pipes: nobody has to read while the command writes.
    Descriptor in(::memfd_create("stdin", MFD_CLOEXEC));
    Descriptor out(::memfd_create("stdout", MFD_CLOEXEC));
    Descriptor err(::memfd_create("stderr", MFD_CLOEXEC));
    for (std::size_t written = 0; written < input.size();) {
        const auto count = ::write(in.get(), input.data() + written, input.size() - written);
        if (count < 0) return fail(ErrorCode::internal, "writing standard input: " + describe_errno(errno));
        written += static_cast<std::size_t>(count);
    }
    ::lseek(in.get(), 0, SEEK_SET);

    options.stdin_fd = in.get();
    options.stdout_fd = out.get();
    options.stderr_fd = err.get();
    auto process = Process::start(options);
    if (!process) return fail(std::move(process).error());
    const auto status = process->wait(timeout);
    const int ended_with = status ? *status : process->kill();
    return CommandResult{ended_with, read_whole(out.get()), read_whole(err.get())};
}

std::string tail_of(const fs::path& file, std::size_t lines) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return "(" + file.string() + " cannot be read)\n";
    const std::string content{std::istreambuf_iterator<char>(in), {}};
    auto begin = content.size();
    if (content.ends_with('\n')) --begin;
    for (; begin > 0 && (content[begin - 1] != '\n' || --lines > 0); --begin) {
    }
    return content.substr(begin);
}

}  // namespace cvp::test
