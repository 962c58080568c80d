#include "tests/support/faulty_api_server.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "common/http/parser.hpp"
#include "common/http/writer.hpp"
#include "tests/support/value_or_throw.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;

constexpr std::size_t kSmallPiece = 100;
constexpr auto kLimit = 10min;  ///< of anything: the test ends before

tls::SslContext make_context(const TestCa& ca) {
    const auto leaf = ca.sign(Leaf::good);
    tls::ServerOptions options;
    options.certificate_pem = leaf.certificate_pem;
    options.key_pem = leaf.key_pem;
    return value_or_throw(tls::make_server_context(options));
}

SteadyClock::time_point far_away() {
    return SteadyClock::now() + kLimit;
}

/// The request of a connection, or nothing if there is none.
Awaitable<std::optional<http::Request>> read_request(http::Stream& stream) {
    http::RequestParser parser(http::kNoBodyLimit);
    std::array<char, 16384> buffer{};
    while (!parser.is_done()) {
        const auto count = co_await stream.read_some(buffer.data(), buffer.size(), far_away());
        if (!count || *count == 0 || !parser.feed({buffer.data(), *count})) co_return std::nullopt;
    }
    co_return std::move(parser.message());
}

/// A header whose body ends with the connection.
std::string write_header(unsigned status, const http::Headers& headers) {
    auto text = "HTTP/1.1 " + std::to_string(status) + " -\r\nConnection: close\r\n";
    for (const auto* name : {"Content-Type", "Retry-After"}) {
        if (const auto value = headers.find(name)) text.append(name).append(": ").append(*value).append("\r\n");
    }
    return text + "\r\n";
}

}  // namespace

FaultyApiServer::FaultyApiServer(asio::io_context& io, op::KubeConfig real)
    : io_(io),
      real_(std::move(real)),
      upstream_(io, real_.server.origin, value_or_throw(op::load_kube_credentials(real_)).tls),
      acceptor_(io, {asio::ip::address_v4::loopback(), 0}),
      context_(make_context(ca_)),
      tasks_(io) {
    tasks_.spawn("faulty API server", accept());
}

FaultyApiServer::~FaultyApiServer() {
    closed_ = true;
    acceptor_.close();
    closing_.notify_all();
    upstream_.close();
    for (const auto& weak : streams_) {
        if (const auto stream = weak.lock()) stream->close();
    }
    while (tasks_.running() > 0)
        io_.run_one_for(100ms), io_.restart();
}

op::KubeConfig FaultyApiServer::config(const std::filesystem::path& ca_file) const {
    std::ofstream(ca_file) << ca_.pem();
    op::KubeConfig config;
    config.server.origin = {true, "127.0.0.1", acceptor_.local_endpoint().port()};
    config.server.target = "/";
    config.namespace_name = real_.namespace_name;
    config.ca_file = ca_file;
    return config;
}

void FaultyApiServer::rotate_ca(const std::filesystem::path& ca_file) {
    ca_ = TestCa("another CA");
    context_ = make_context(ca_);
    std::ofstream(ca_file) << ca_.pem();
}

std::size_t FaultyApiServer::count(const std::string& part) const {
    return static_cast<std::size_t>(std::count_if(requests_.begin(), requests_.end(), [&](const auto& request) {
        return request.find(part) != std::string::npos;
    }));
}

Awaitable<void> FaultyApiServer::accept() {
    while (!closed_) {
        boost::system::error_code ec;
        tcp::socket socket(io_);
        co_await acceptor_.async_accept(socket, asio::redirect_error(asio::use_awaitable, ec));
        if (ec) co_return;
        auto stream = std::make_shared<http::Stream>(io_, std::move(socket));
        streams_.push_back(stream);
        tasks_.spawn("faulty connection", serve(std::move(stream)));
    }
}

Awaitable<void> FaultyApiServer::serve(std::shared_ptr<http::Stream> stream) {
    if (!co_await stream->accept_tls(context_, far_away())) co_return;
    auto request = co_await read_request(*stream);
    if (!request) co_return;
    requests_.push_back(request->method + " " + request->target);
    auto rule = take_rule(*request);
    co_await answer(*stream, std::move(*request), std::move(rule));
    co_await stream->finish(SteadyClock::now() + 1s);
}

FaultyApiServer::Rule FaultyApiServer::take_rule(const http::Request& request) {
    const auto found = std::find_if(rules_.begin(), rules_.end(), [&](const Rule& rule) {
        return rule.method == request.method && request.target.find(rule.target_part) != std::string::npos;
    });
    if (found == rules_.end()) return {};
    auto rule = std::move(*found);
    rules_.erase(found);
    return rule;
}

Awaitable<void> FaultyApiServer::answer(http::Stream& client, http::Request request, Rule rule) {
    if (rule.drops) {
        client.close();
        co_return;
    }
    if (rule.hangs) {
        co_await freeze();
        co_return;
    }
    if (rule.answer) {
        const auto text = http::write_response(*rule.answer, false, false);
        (void)co_await client.write(text, far_away());
        co_return;
    }
    auto body = co_await upstream_.open(std::move(request), far_away());
    if (!body) co_return;
    const auto header = write_header((*body)->status(), (*body)->headers());
    if (co_await client.write(header, far_away())) co_await pass_on(client, **body, std::move(rule));
}

Awaitable<void> FaultyApiServer::pass_on(http::Stream& client, http::BodyStream& body, Rule rule) {
    std::string pending;
    std::size_t number = 0;
    while (!closed_ && !client.is_closed()) {
        auto piece = co_await body.read_some(far_away());
        if (!piece || piece->empty()) break;
        if (!rule.edit) {
            if (!co_await send_slowly(client, std::move(*piece), rule.between_pieces)) co_return;
            continue;
        }
        pending += *piece;
        for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
            auto line = rule.edit(pending.substr(0, end + 1), number++);
            pending.erase(0, end + 1);
            if (!co_await send_line(client, std::move(line))) co_return;
        }
    }
    if (!pending.empty()) (void)co_await client.write(pending, far_away());
}

/// Returns whether the stream goes on.
Awaitable<bool> FaultyApiServer::send_line(http::Stream& client, Line line) {
    const auto sent = co_await client.write(line.text, far_away());
    if (!sent) co_return false;
    if (line.then == Line::Then::freeze) co_await freeze();
    co_return line.then == Line::Then::go_on;
}

Awaitable<bool> FaultyApiServer::send_slowly(http::Stream& client, std::string text,
                                             SteadyClock::duration between_pieces) {
    const auto size = between_pieces == SteadyClock::duration::zero() ? text.size() : kSmallPiece;
    for (std::size_t at = 0; at < text.size(); at += size) {
        const auto piece = text.substr(at, size);
        if (!co_await client.write(piece, far_away())) co_return false;
        if (size < text.size()) co_await closing_.wait_until(SteadyClock::now() + between_pieces);
    }
    co_return true;
}

/// Keeps the connection open and silent, as one whose peer has vanished.
Awaitable<void> FaultyApiServer::freeze() {
    while (!closed_)
        co_await closing_.wait();
}

}  // namespace cvp::test
