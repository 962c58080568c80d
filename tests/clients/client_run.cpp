#include "tests/clients/client_run.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <sstream>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "tests/support/eventually.hpp"
#include "tests/support/process.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kRunLimit = 60s;
constexpr auto kRequestLimit = 10s;
constexpr std::size_t kContext = 2;
constexpr std::size_t kLineLimit = 400;

/// One pipe; both ends are closed with it.
class Pipe {
public:
    Pipe() {
        if (::pipe2(ends_.data(), O_CLOEXEC) != 0) ends_ = {-1, -1};
    }
    ~Pipe() {
        close_read();
        close_write();
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;

    int read_end() const { return ends_[0]; }
    int write_end() const { return ends_[1]; }
    void close_read() { close(ends_[0]); }
    void close_write() { close(ends_[1]); }

private:
    static void close(int& fd) {
        if (fd >= 0) ::close(fd);
        fd = -1;
    }
    std::array<int, 2> ends_{-1, -1};
};

bool are_blocked(ValkeyServer& server, const std::string& wanted) {
    const auto text = server.admin_text({"INFO", "clients"});
    if (!text) return false;
    const auto begin = text->find("blocked_clients:");
    if (begin == std::string::npos) return false;
    const auto count = std::atoi(text->c_str() + begin + std::string("blocked_clients:").size());
    return wanted.ends_with('+') ? count >= std::stoi(wanted) : count == std::stoi(wanted);
}

/// Whether the server answers at the place where the application looks for it, be it that it must log in. A proxy whose
/// clients waited in vain (a restart is slow on a busy machine) answers for it until one of its dials succeeds.
bool serves(std::uint16_t port) {
    auto client = RespClient::connect("127.0.0.1", port);
    if (!client) return false;
    const auto reply = client->command({"PING"});
    return reply && !reply->text.starts_with("LOADING");
}

using TimePoint = std::chrono::steady_clock::time_point;

/// @param restart_at set if the server was killed and must come back at that time
/// @return "done", or what went wrong
std::string carry_out(const std::string& request, ValkeyServer& server, std::uint16_t port,
                      std::optional<TimePoint>& restart_at) {
    std::istringstream words(request);
    std::string verb;
    std::string argument;
    words >> verb >> argument;
    if (verb == "restart") {
        server.kill();
        const auto again = server.restart();
        if (!again) return to_string(again.error());
        return eventually([&] { return serves(port); }, kRequestLimit) ? "done" : "the server is not reached again";
    }
    if (verb == "down") {
        server.kill();
        restart_at = std::chrono::steady_clock::now() + std::chrono::milliseconds(std::stoi(argument));
        return "done";
    }
    if (verb == "drop") {
        const auto killed = server.admin_text({"CLIENT", "KILL", "TYPE", argument});
        return killed ? "done" : to_string(killed.error());
    }
    if (verb == "blocked")
        return eventually([&] { return are_blocked(server, argument); }, kRequestLimit) ? "done" : "never blocked";
    return "unknown request";
}

/// What a child prints, line by line.
class LineReader {
public:
    explicit LineReader(int fd) : fd_(fd) {}

    /// @return nothing at the end of the stream or after the deadline
    std::optional<std::string> next(TimePoint deadline) {
        for (;;) {
            if (const auto end = buffer_.find('\n'); end != std::string::npos) {
                auto line = buffer_.substr(0, end);
                buffer_.erase(0, end + 1);
                return line;
            }
            if (!read_more(deadline)) return std::nullopt;
        }
    }

private:
    bool read_more(TimePoint deadline) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd entry{fd_, POLLIN, 0};
        if (left.count() <= 0 || ::poll(&entry, 1, static_cast<int>(left.count())) <= 0) return false;
        std::array<char, 16UL * 1024> piece{};
        const auto count = ::read(fd_, piece.data(), piece.size());
        if (count <= 0) return count < 0 && errno == EINTR;
        buffer_.append(piece.data(), static_cast<std::size_t>(count));
        return true;
    }

    int fd_;
    std::string buffer_;
};

std::string join(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines)
        text += line.substr(0, kLineLimit) + '\n';
    return text;
}

/// Lengths of the longest common subsequences of the tails of two transcripts, to walk along from the front.
std::vector<std::vector<std::size_t>> common_tails(const std::vector<std::string>& a,
                                                   const std::vector<std::string>& b) {
    std::vector<std::vector<std::size_t>> length(a.size() + 1, std::vector<std::size_t>(b.size() + 1, 0));
    for (auto i = a.size(); i-- > 0;)
        for (auto j = b.size(); j-- > 0;)
            length[i][j] = a[i] == b[j] ? length[i + 1][j + 1] + 1 : std::max(length[i + 1][j], length[i][j + 1]);
    return length;
}

}  // namespace

std::size_t Transcript::operations() const {
    return static_cast<std::size_t>(std::count_if(
        lines.begin(), lines.end(), [](const auto& line) { return line.find(" -> ") != std::string::npos; }));
}

Result<Transcript> run_client(const ClientRun& run, ValkeyServer& server) {
    Pipe requests;
    Pipe answers;
    ProcessOptions options;
    options.argv = run.argv;
    options.env = run.env;
    options.env.insert(options.env.end(),
                       {"CVP_HOST=127.0.0.1", "CVP_PORT=" + std::to_string(run.port), "CVP_PASSWORD=" + run.password,
                        "CVP_PROTOCOL=" + (run.protocol ? std::to_string(run.protocol) : "")});
    options.stdin_fd = answers.read_end();
    options.stdout_fd = requests.write_end();
    options.stderr_fd = requests.write_end();
    auto process = Process::start(options);
    if (!process) return fail(std::move(process).error());
    requests.close_write();
    answers.close_read();

    Transcript transcript;
    LineReader reader(requests.read_end());
    const auto deadline = std::chrono::steady_clock::now() + kRunLimit;
    std::optional<TimePoint> restart_at;
    for (;;) {
        const auto line = reader.next(restart_at.value_or(deadline));
        if (restart_at && std::chrono::steady_clock::now() >= *restart_at) {
            if (const auto again = server.restart(); !again) return fail(again.error());
            restart_at.reset();
            if (!line) continue;
        }
        if (!line) break;
        if (!line->starts_with('@')) {
            transcript.lines.push_back(*line);
            continue;
        }
        const auto answer = carry_out(line->substr(1), server, run.port, restart_at) + '\n';
        // A program that is gone cannot be told; its status says so below.
        [[maybe_unused]] const auto written = ::write(answers.write_end(), answer.data(), answer.size());
    }
    const auto status = process->wait(std::chrono::seconds(2));
    if (!status) return fail(ErrorCode::unavailable, "the client does not end:\n" + join(transcript.lines));
    if (*status != 0 || transcript.lines.empty() || transcript.lines.back() != "# end")
        return fail(ErrorCode::unavailable,
                    "the client ended with status " + std::to_string(*status) + ":\n" + join(transcript.lines));
    return transcript;
}

std::string diff(const Transcript& expected, const Transcript& actual) {
    const auto& a = expected.lines;
    const auto& b = actual.lines;
    const auto length = common_tails(a, b);
    struct Line {
        char mark;
        const std::string* text;
    };
    std::vector<Line> all;
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < a.size() || j < b.size()) {
        if (i < a.size() && j < b.size() && a[i] == b[j]) {
            all.push_back({' ', &a[i++]});
            ++j;
        } else if (j == b.size() || (i < a.size() && length[i + 1][j] >= length[i][j + 1])) {
            all.push_back({'-', &a[i++]});
        } else {
            all.push_back({'+', &b[j++]});
        }
    }
    std::vector<bool> is_shown(all.size(), false);
    for (std::size_t at = 0; at < all.size(); ++at)
        if (all[at].mark != ' ')
            for (auto near = at - std::min(at, kContext); near < std::min(all.size(), at + kContext + 1); ++near)
                is_shown[near] = true;
    std::string text;
    for (std::size_t at = 0; at < all.size(); ++at) {
        if (!is_shown[at]) continue;
        if (at > 0 && !is_shown[at - 1]) text += "…\n";
        text.append(1, all[at].mark).append(" ").append(all[at].text->substr(0, kLineLimit)).append("\n");
    }
    return text;
}

}  // namespace cvp::test
