#include "tests/oracle/faulty_relay.hpp"

#include <cerrno>
#include <charconv>
#include <memory>
#include <optional>
#include <stdexcept>
#include <unordered_set>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/oracle/command_name.hpp"
#include "tests/oracle/frames.hpp"
#include "tests/oracle/relay_end.hpp"
#include "tests/oracle/session_model.hpp"
#include "tests/support/resp_client.hpp"

namespace cvp::oracle {
namespace {

constexpr long long kMostWords = 1024 * 1024;
constexpr std::size_t kLongestLine = std::size_t{64} * 1024;
constexpr long long kLongest = 512 * 1024 * 1024;
constexpr std::string_view kMarker = "relay-marker";
constexpr std::string_view kMarkerFrame = "$12\r\nrelay-marker\r\n";

const std::unordered_set<std::string_view> kNotReplayed = {
    "client|caching",  "client|capa",     "client|id",      "client|import-source",
    "client|no-evict", "client|no-touch", "client|setinfo", "client|setname",
    "client|tracking", "readonly",        "replconf"};

/// The first command of what a client has sent so far: its words, none for lines and noise.
struct Request {
    std::size_t size = 0;
    Command command;
};

/// @return nothing while it is not whole; size 0 for what is no command at all
std::optional<Request> first_request(std::string_view bytes) {
    const auto line = bytes.find('\n');
    if (line == std::string_view::npos) {
        if (bytes.size() > kLongestLine) return Request{};
        return std::nullopt;
    }
    if (bytes.front() != '*') return Request{line + 1, {}};
    const auto count = number_of(bytes.substr(1));
    if (count > kMostWords) return Request{};
    Request request{line + 1, {}};
    for (long long i = 0; i < count; ++i) {
        const auto rest = bytes.substr(request.size);
        if (rest.empty()) return std::nullopt;
        const auto end = rest.find("\r\n");
        if (rest.front() != '$') return Request{};
        if (end == std::string_view::npos) return std::nullopt;
        long long size = -1;
        const auto [stop, ec] = std::from_chars(rest.data() + 1, rest.data() + end, size);
        if (ec != std::errc() || stop != rest.data() + end || size < 0 || size > kLongest) return Request{};
        const auto body = static_cast<std::size_t>(size);
        if (rest.size() < end + 2 + body + 2) return std::nullopt;
        request.command.words.emplace_back(rest.substr(end + 2, body));
        request.size += end + 2 + body + 2;
    }
    return request;
}

}  // namespace

const char* to_string(Fault fault) {
    switch (fault) {
        case Fault::none:
            return "none";
        case Fault::swapped_replies:
            return "swapped_replies";
        case Fault::lost_push:
            return "lost_push";
        case Fault::dropped_byte:
            return "dropped_byte";
        case Fault::resp3_null:
            return "resp3_null";
        case Fault::wrong_db_after_swap:
            return "wrong_db_after_swap";
        case Fault::eaten_skip:
            return "eaten_skip";
        case Fault::extra_exec_element:
            return "extra_exec_element";
        case Fault::duplicated_message:
            return "duplicated_message";
        case Fault::leaked_nonce:
            return "leaked_nonce";
        case Fault::reset_left_as_default:
            return "reset_left_as_default";
    }
    return "?";
}

std::optional<Fault> parse_fault(std::string_view name) {
    for (auto number = 0; number <= static_cast<int>(Fault::reset_left_as_default); ++number)
        if (const auto fault = static_cast<Fault>(number); name == to_string(fault)) return fault;
    return std::nullopt;
}

/// One client and its upstream connection.
class FaultyRelay::Link {
public:
    Link(FaultyRelay& relay, int client) : relay_(relay), client_(client) { dial(); }

    RelayEnd& client() { return client_; }
    RelayEnd& upstream() { return upstream_; }
    bool is_over() const { return !client_.is_open(); }

    /// Takes what came on either side and passes it on.
    void work() {
        if (client_.is_open()) client_.read();
        if (upstream_.is_open()) upstream_.read();
        pass_requests();
        pass_replies();
        if (client_.has_ended() && client_.input().empty() && !std::exchange(told_, true)) upstream_.finish();
        upstream_.write();
        client_.write();
        if (upstream_.has_ended() && !client_.has_output()) client_.close();
    }

private:
    void dial() {
        upstream_ = RelayEnd(connect_unix(relay_.socket_.string()));
        upstream_.send(test::encode_command({"AUTH", "default", relay_.password_}));
        ++swallow_;
    }

    /// Whether now is a time to be at fault: each `n`th time.
    bool errs(Fault fault, std::size_t n) {
        if (relay_.fault_ != fault || ++chances_ % n != 0) return false;
        ++relay_.committed_;
        return true;
    }

    void pass_requests() {
        auto& input = client_.input();
        std::size_t at = 0;
        while (!waits_for_marker_ && at < input.size()) {
            const auto request = is_opaque_ ? Request{} : first_request(std::string_view(input).substr(at));
            if (!request && !client_.has_ended()) break;
            const auto size = request && request->size > 0 ? request->size : input.size() - at;
            is_opaque_ = is_opaque_ || !request || request->size == 0;
            if (request && errs(Fault::leaked_nonce, 40))
                upstream_.send(test::encode_command({"PING", "0123456789abcdef"}));
            upstream_.send(std::string_view(input).substr(at, size));
            at += size;
            if (request) after_request(request->command);
        }
        input.erase(0, at);
    }

    void after_request(const Command& command) {
        const auto name = full_name(command);
        model_.apply(command);
        if (name == "select" && is_replaceable()) {
            database_ = command.words.back();
            upstream_.send(test::encode_command({"PING", std::string(kMarker)}));
            waits_for_marker_ = true;
        } else if (name == "reset") {
            if (errs(Fault::reset_left_as_default, 1)) return;
            upstream_.send(test::encode_command({"AUTH", "default", relay_.password_}));
            ++resets_;
        } else if (name == "client|reply" && lower(command.words.back()) == "skip") {
            if (errs(Fault::eaten_skip, 2)) upstream_.send(test::encode_command({"AUTH", "default", relay_.password_}));
        }
        if (name == "watch") watches_ = true;
        if (name == "exec" || name == "discard" || name == "unwatch" || name == "reset") watches_ = false;
        if (kNotReplayed.contains(name)) is_altered_ = true;
    }

    /// Whether SELECT and HELLO are all that would have to be replayed.
    bool is_replaceable() const {
        return model_.replies() && !model_.is_in_multi() && model_.subscriptions() == 0 && !model_.is_monitor() &&
               !model_.is_closed() && !watches_ && !is_altered_;
    }

    /// Another upstream connection in the place of this one, which has nothing outstanding.
    void swap() {
        dial();
        ++relay_.swaps_;
        if (model_.protocol() == 3) {
            upstream_.send(test::encode_command({"HELLO", "3"}));
            ++swallow_;
        }
        if (database_ != "0" && errs(Fault::wrong_db_after_swap, 1)) return;
        upstream_.send(test::encode_command({"SELECT", database_}));
        ++swallow_;
    }

    void pass_replies() {
        bool broken = false;
        std::string held;
        std::size_t at = 0;
        while (!upstream_.input().empty() && !is_opaque_reply_) {
            const std::string_view input = upstream_.input();
            const auto end = frame_end(input, at, broken);
            if (end == std::string_view::npos) break;
            const auto frame = input.substr(at, end - at);
            at = end;
            if (swallow_ > 0) {
                --swallow_;
            } else if (waits_for_marker_ && frame == kMarkerFrame) {
                waits_for_marker_ = false;
                at = 0;
                swap();  // whose input is empty
                pass_requests();
                break;
            } else {
                pass_reply(frame, held);
            }
        }
        upstream_.input().erase(0, at);
        client_.send(held);
        if (broken || is_opaque_reply_ || upstream_.has_ended()) {
            is_opaque_reply_ = true;
            client_.send(std::exchange(upstream_.input(), {}));
        }
    }

    void pass_reply(std::string_view frame, std::string& held) {
        const bool pushed = is_out_of_band(frame);
        const bool is_exec = std::exchange(queued_, frame == "+QUEUED\r\n") && frame.front() == '*';
        if (std::exchange(just_reset_, false) && frame == "+OK\r\n") return;
        if (resets_ > 0 && frame == "+RESET\r\n") {
            --resets_;
            just_reset_ = true;
        }
        std::string bytes(frame);
        if (frame == "$-1\r\n" && errs(Fault::resp3_null, 5)) bytes = "_\r\n";
        if (pushed && errs(Fault::lost_push, 3)) bytes.clear();
        if (pushed && errs(Fault::duplicated_message, 3)) bytes += frame;
        if (frame.size() > 20 && frame.front() == '$' && errs(Fault::dropped_byte, 10))
            bytes.erase(bytes.size() - 4, 1);
        if (is_exec && errs(Fault::extra_exec_element, 2))
            bytes = "*" + std::to_string(number_of(frame.substr(1)) + 1) + bytes.substr(bytes.find('\r')) + "+PONG\r\n";
        if (!pushed && held.empty() && errs(Fault::swapped_replies, 20)) {
            held = std::move(bytes);
            return;
        }
        client_.send(bytes);
        client_.send(std::exchange(held, {}));
    }

    FaultyRelay& relay_;
    RelayEnd client_;
    RelayEnd upstream_;
    std::string database_ = "0";
    std::size_t swallow_ = 0;  ///< replies to the relay's own commands that come first
    std::size_t chances_ = 0;
    std::size_t resets_ = 0;  ///< after which it logged in again, not answered yet
    SessionModel model_;
    bool watches_ = false;
    bool is_altered_ = false;  ///< something was set, or an id was told, that a new connection would not have
    bool waits_for_marker_ = false;
    bool just_reset_ = false;
    bool queued_ = false;
    bool is_opaque_ = false;
    bool is_opaque_reply_ = false;
    bool told_ = false;
};

FaultyRelay::FaultyRelay(Fault fault, std::filesystem::path socket, std::string password)
    : fault_(fault), socket_(std::move(socket)), password_(std::move(password)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    stop_ = ::eventfd(0, EFD_CLOEXEC);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, plain, size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, plain, &size) != 0)
        throw std::runtime_error("the relay cannot listen");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
}

FaultyRelay::~FaultyRelay() {
    const std::uint64_t one = 1;
    (void)!::write(stop_, &one, sizeof one);
    thread_.join();
    ::close(listener_);
    ::close(stop_);
}

void FaultyRelay::run() {
    std::vector<std::unique_ptr<Link>> links;
    for (;;) {
        std::vector<pollfd> polled = {{stop_, POLLIN, 0}, {listener_, POLLIN, 0}};
        for (const auto& link : links)
            for (auto* end : {&link->client(), &link->upstream()})
                polled.push_back(
                    {end->is_open() ? end->fd() : -1,
                     static_cast<short>((end->has_ended() ? 0 : POLLIN) | (end->has_output() ? POLLOUT : 0)), 0});
        ::poll(polled.data(), polled.size(), -1);
        if (polled[0].revents != 0) return;
        for (std::size_t i = 0; i < links.size(); ++i)
            if ((polled[2 + 2 * i].revents | polled[3 + 2 * i].revents) != 0) links[i]->work();
        if (polled[1].revents != 0) {
            const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            const int on = 1;
            if (fd >= 0) {
                ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                links.push_back(std::make_unique<Link>(*this, fd));
                links.back()->work();
            }
        }
        std::erase_if(links, [](const auto& link) { return link->is_over(); });
    }
}

}  // namespace cvp::oracle
