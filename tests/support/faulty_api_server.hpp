#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "common/async/event.hpp"
#include "common/async/task_group.hpp"
#include "common/http/client.hpp"
#include "common/http/stream.hpp"
#include "operator/kube/kubeconfig.hpp"
#include "tests/support/test_ca.hpp"

namespace cvp::test {

/// Stands before a real API server and commits, by script, the faults that a real one commits too rarely for a test.
/// What no rule speaks of passes through untouched.
///
/// Each connection carries one request, on TLS with a certificate of our own CA. One thread: the test's io_context.
class FaultyApiServer {
public:
    /// What becomes of one line of a response's body.
    struct Line {
        std::string text;  ///< sent instead of it, with its own newline; "": nothing
        enum class Then { go_on, freeze, cut } then = Then::go_on;
    };
    /// Sees each line with its newline, and the number of lines before it.
    using Edit = std::function<Line(std::string line, std::size_t number)>;

    /// One fault. The first rule that matches a request is used up by it.
    struct Rule {
        std::string method;                      ///< "GET"
        std::string target_part;                 ///< what the request's target contains
        std::optional<http::Response> answer{};  ///< instead of the real one
        bool drops = false;                      ///< closes without an answer
        bool hangs = false;                      ///< never answers
        SteadyClock::duration between_pieces{};  ///< the body comes in pieces of 100 bytes with such a pause
        Edit edit{};                             ///< else the body as it is
    };

    FaultyApiServer(asio::io_context& io, op::KubeConfig real);
    ~FaultyApiServer();

    /// How a client gets to it: as the same user as with the real one. The CA is a file, which rotate_ca() rewrites.
    op::KubeConfig config(const std::filesystem::path& ca_file) const;

    void add(Rule rule) { rules_.push_back(std::move(rule)); }
    bool has_rules() const { return !rules_.empty(); }

    /// Serves with a new certificate of a new CA, and writes that to the file.
    void rotate_ca(const std::filesystem::path& ca_file);

    /// Method and target of each request so far.
    const std::vector<std::string>& requests() const { return requests_; }
    std::size_t count(const std::string& part) const;

private:
    Awaitable<void> accept();
    Awaitable<void> serve(std::shared_ptr<http::Stream> stream);
    Awaitable<void> answer(http::Stream& client, http::Request request, Rule rule);
    Awaitable<void> pass_on(http::Stream& client, http::BodyStream& body, Rule rule);
    Awaitable<bool> send_line(http::Stream& client, Line line);
    Awaitable<bool> send_slowly(http::Stream& client, std::string text, SteadyClock::duration between_pieces);
    Awaitable<void> freeze();
    Rule take_rule(const http::Request& request);

    asio::io_context& io_;
    op::KubeConfig real_;
    http::Client upstream_;
    asio::ip::tcp::acceptor acceptor_;
    TestCa ca_;
    tls::SslContext context_;
    std::deque<Rule> rules_;
    std::vector<std::string> requests_;
    std::vector<std::weak_ptr<http::Stream>> streams_;
    Event closing_;
    bool closed_ = false;
    TaskGroup tasks_;
};

}  // namespace cvp::test
