#include "operator/cli/kubectl.hpp"

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace cvp::op {
namespace {

constexpr int kCannotStart = 127;  ///< as a shell says it

/// A file in memory for one of the child's streams: no pipe that could fill up while another is read.
class Stream {
public:
    Stream() : fd_(::memfd_create("kubectl", MFD_CLOEXEC)) {}
    ~Stream() {
        if (fd_ >= 0) ::close(fd_);
    }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    int fd() const { return fd_; }

    void fill(std::string_view text) const {
        while (!text.empty()) {
            const auto written = ::write(fd_, text.data(), text.size());
            if (written <= 0) break;
            text.remove_prefix(static_cast<std::size_t>(written));
        }
        ::lseek(fd_, 0, SEEK_SET);
    }

    std::string read() const {
        std::string text;
        ::lseek(fd_, 0, SEEK_SET);
        char buffer[16 * 1024];
        for (ssize_t count = 0; (count = ::read(fd_, buffer, sizeof buffer)) > 0;)
            text.append(buffer, static_cast<std::size_t>(count));
        return text;
    }

private:
    int fd_;
};

bool says_not_found(std::string_view text) {
    return text.find("(NotFound)") != std::string_view::npos ||
           text.find("the server doesn't have a resource type") != std::string_view::npos ||
           text.find("no matches for kind") != std::string_view::npos;
}

}  // namespace

Result<nlohmann::json> Kubectl::get(std::vector<std::string> arguments, const std::string& input) {
    arguments.emplace_back("--output=json");
    const auto answer = run(arguments, input);
    if (!answer.is_ok()) {
        const auto words = answer.err.empty() ? answer.out : answer.err;
        return fail(says_not_found(words) ? ErrorCode::not_found : ErrorCode::unavailable,
                    words.substr(0, words.find_last_not_of("\r\n") + 1));
    }
    auto object = nlohmann::json::parse(answer.out, nullptr, /*allow_exceptions=*/false);
    if (object.is_discarded()) return fail(ErrorCode::protocol_error, "kubectl's answer is no JSON");
    return object;
}

KubectlAnswer KubectlProgram::run(const std::vector<std::string>& arguments, const std::string& input) {
    std::vector<std::string> words{"kubectl"};
    words.insert(words.end(), flags_.begin(), flags_.end());
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (auto& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);

    const Stream in;
    const Stream out;
    const Stream err;
    in.fill(input);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in.fd(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out.fd(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err.fd(), STDERR_FILENO);
    pid_t child = 0;
    const int error = ::posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return {kCannotStart, "", std::string("kubectl cannot be started: ") + std::strerror(error)};
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), out.read(), err.read()};
}

}  // namespace cvp::op
