#include "tests/oracle/pass.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/oracle/client_connection.hpp"

namespace cvp::oracle {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

Result<int> connected(int fd, const sockaddr* address, socklen_t size) {
    if (::connect(fd, address, size) == 0) return fd;
    const std::string reason = std::strerror(errno);
    ::close(fd);
    return fail(ErrorCode::unavailable, "cannot connect: " + reason);
}

/// The state of one pass.
class Pass {
public:
    Pass(const Program& program, const Connect& connect, ServerUnderTest& server, const PassOptions& options)
        : program_(program),
          connect_(connect),
          server_(server),
          options_(options),
          clients_(program.connections),
          ids_(program.connections) {}

    PassResult run() {
        if (program_.uses_client_ids) learn_ids();
        for (step_ = 0; step_ < program_.steps.size() && trouble_.empty(); ++step_)
            run_step(program_.steps[step_]);
        if (trouble_.empty()) finish();
        PassResult result;
        for (auto& client : clients_)
            result.streams.push_back(client.take_stream());
        result.trouble = std::move(trouble_);
        return result;
    }

private:
    ClientConnection& client(std::size_t n) {
        auto& opened = clients_[n];
        if (opened.is_open() || std::find(used_.begin(), used_.end(), n) != used_.end()) return opened;
        used_.push_back(n);
        if (auto fd = connect_())
            opened = ClientConnection(*fd);
        else
            trouble_ = fd.error().context;
        return opened;
    }

    void learn_ids() {
        for (std::size_t n = 0; n < clients_.size() && trouble_.empty(); ++n) {
            auto& asked = client(n);
            asked.queue("*2\r\n$6\r\nCLIENT\r\n$2\r\nID\r\n", Part{});
            if (!turn_until([&] { return !asked.is_open() || asked.stream().ends_with("\r\n"); }, "CLIENT ID")) return;
            if (asked.stream().size() > 3) ids_[n] = asked.stream().substr(1, asked.stream().size() - 3);
            asked.forget(asked.stream().size());
        }
    }

    void run_step(const Step& step) {
        std::size_t blocked_before = 0;
        for (const auto& part : step)
            if (part.wait == Wait::reply_or_blocked) blocked_before = server_.blocked_clients().value_or(0);
        for (const auto& part : step) {
            std::string bytes;
            for (const auto& command : part.commands)
                append_bytes(command, ids_, bytes);
            auto& sender = client(part.connection);
            if (sender.is_open()) sender.queue(std::move(bytes), part);
        }
        // Every nonce is looked for by one search of its connection, so a part that is done is not asked again.
        std::vector<bool> done(step.size());
        const auto is_done = [&](bool idle) {
            bool all = true;
            for (std::size_t i = 0; i < step.size(); ++i) {
                if (!done[i]) done[i] = is_part_done(step[i], idle, blocked_before);
                all = all && done[i];
            }
            return all;
        };
        turn_until_idle(is_done, "step " + std::to_string(step_));
    }

    bool is_part_done(const Part& part, bool idle, std::size_t blocked_before) {
        auto& waiting = clients_[part.connection];
        if (!waiting.is_open()) return true;
        if (waiting.has_output()) return false;
        switch (part.wait) {
            case Wait::nothing:
                return true;
            case Wait::close:
                return false;
            case Wait::reply:
                return waiting.has_seen(part.nonce);
            case Wait::reply_or_blocked:
                if (waiting.has_seen(part.nonce)) return true;
                return idle && server_.blocked_clients().value_or(0) > blocked_before;
        }
        return true;
    }

    void finish() {
        for (auto& open : clients_)
            open.finish_writing();
        turn_until(
            [&] { return std::none_of(clients_.begin(), clients_.end(), [](const auto& c) { return c.is_open(); }); },
            "the end of the streams");
    }

    template <class Condition>
    bool turn_until(Condition condition, const std::string& what) {
        return turn_until_idle([&](bool) { return condition(); }, what);
    }

    /// Writes and reads until the condition holds; it is told whether nothing has happened for a moment.
    template <class Condition>
    bool turn_until_idle(Condition condition, const std::string& what) {
        const auto deadline = Clock::now() + options_.limit;
        bool idle = false;
        while (!condition(idle)) {
            idle = !turn();
            if (!idle) continue;
            server_.poke();
            if (Clock::now() > deadline) {
                trouble_ = "waited in vain for " + what + "; the server's clients:\n" + server_.clients();
                return false;
            }
        }
        return true;
    }

    /// One round of writes, one look at all sockets. @return whether anything happened
    bool turn() {
        bool writes = false;
        polled_.clear();
        owners_.clear();
        for (auto& open : clients_) {
            if (!open.is_open()) continue;
            open.write_piece();
            short events = open.may_read() ? POLLIN : 0;
            if (open.has_output()) {
                if (open.is_stuck())
                    events = static_cast<short>(events | POLLOUT);
                else
                    writes = true;
            }
            polled_.push_back({open.fd(), events, 0});
            owners_.push_back(&open);
        }
        const timespec wait{0, writes ? 0 : 500'000};
        const auto ready = ::ppoll(polled_.data(), polled_.size(), &wait, nullptr);
        if (ready <= 0) return writes;
        for (std::size_t i = 0; i < polled_.size(); ++i)
            if ((polled_[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0) owners_[i]->read_some();
        return true;
    }

    const Program& program_;
    const Connect& connect_;
    ServerUnderTest& server_;
    const PassOptions& options_;
    std::vector<ClientConnection> clients_;
    std::vector<std::string> ids_;
    std::vector<std::size_t> used_;
    std::vector<pollfd> polled_;
    std::vector<ClientConnection*> owners_;
    std::size_t step_ = 0;
    std::string trouble_;
};

void append_bulk(std::string_view word, std::string& out) {
    out.append("$").append(std::to_string(word.size())).append("\r\n").append(word).append("\r\n");
}

}  // namespace

Connect connect_to_socket(const std::filesystem::path& socket) {
    return [socket]() -> Result<int> {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        socket.string().copy(address.sun_path, sizeof address.sun_path - 1);
        const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        return connected(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    };
}

Connect connect_to_port(std::uint16_t port) {
    return [port]() -> Result<int> {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        return connected(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    };
}

void append_bytes(const Command& command, const std::vector<std::string>& ids, std::string& out) {
    if (command.form == Form::inline_line) {
        for (const auto& word : command.words)
            out.append(&word == &command.words.front() ? "" : " ").append(word);
        out.append("\r\n");
        return;
    }
    if (command.form != Form::multibulk) {
        out += command.words.front();
        return;
    }
    out.append("*").append(std::to_string(command.words.size())).append("\r\n");
    for (const auto& word : command.words) {
        if (word.size() == client_id_mark(0).size() && word.front() == '\x01' && word.back() == '\x01') {
            const auto n = static_cast<std::size_t>(word[4] - '0');
            append_bulk(n < ids.size() && !ids[n].empty() ? ids[n] : "0", out);
        } else {
            append_bulk(word, out);
        }
    }
}

PassResult run_pass(const Program& program, const Connect& connect, ServerUnderTest& server,
                    const PassOptions& options) {
    return Pass(program, connect, server, options).run();
}

}  // namespace cvp::oracle
