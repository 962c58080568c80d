#include "operator/cloud/cloud_client.hpp"

// cpprestsdk's macro U() breaks other headers.
#define _TURN_OFF_PLATFORM_STRING
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <vector>

#include <boost/asio/post.hpp>
#include <cpprest/http_client.h>
#include <cpprest/rawptrstream.h>
#include <pplx/threadpool.h>

#include "common/async/event.hpp"
#include "common/printable.hpp"

namespace cvp::op {
namespace {

using namespace std::chrono_literals;
namespace rest = web::http;

constexpr auto kTokenPatience = 5s;
constexpr auto kCallTimeout = 10s;
/// A call that is cancelled comes back in milliseconds, unless it looks up a name.
constexpr auto kReturnPatience = 1s;
constexpr std::size_t kMaxBody = 1024 * 1024;
constexpr std::size_t kThreads = 2;

/// cpprestsdk starts 40 threads unless told otherwise before its first use.
void limit_threads() {
    static const bool limited = [] {
        crossplat::threadpool::initialize_with_threads(kThreads);
        return true;
    }();
    (void)limited;
}

/// One call: shared between the coroutine that waits and the library's thread, which touches only `body`.
struct Exchange {
    std::vector<std::uint8_t> body = std::vector<std::uint8_t>(kMaxBody);
    pplx::cancellation_token_source cancel;
    Event done;
    std::optional<Result<http::Response>> result;
};

/// cpprestsdk has no error code of its own for TLS: the text is all there is.
ErrorCode code_of(const std::string& what) {
    for (const auto* word : {"SSL", "TLS", "certificate"}) {
        if (what.find(word) != std::string::npos) return ErrorCode::tls_failed;
    }
    return ErrorCode::unavailable;
}

Result<http::Response> response_of(const rest::http_response& answer, const std::vector<std::uint8_t>& body,
                                   std::size_t length) {
    http::Response response;
    response.status = answer.status_code();
    for (const auto& [name, value] : answer.headers())
        response.headers.add(name, value);
    response.body.assign(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(length));
    return response;
}

rest::client::http_client_config client_config(bool tls) {
    rest::client::http_client_config config;
    config.set_timeout(kCallTimeout);
    config.set_max_redirects(0);
    if (tls) {
        config.set_ssl_context_callback([](boost::asio::ssl::context& context) {
            context.set_options(boost::asio::ssl::context::no_tlsv1 | boost::asio::ssl::context::no_tlsv1_1);
        });
    }
    return config;
}

}  // namespace

/// Outlives the client while a call is in the library: the way back to the loop is closed by close().
struct CloudClient::Impl : std::enable_shared_from_this<CloudClient::Impl> {
    Impl(asio::io_context& loop, http::Origin origin)
        : io(&loop), api(std::move(origin)), client(api.to_string(), client_config(api.tls)) {}

    /// Hands `result` to the loop, if there still is one. Called on the library's threads.
    void deliver(const std::shared_ptr<Exchange>& exchange, Result<http::Response> result) {
        const std::lock_guard lock(mutex);
        if (io == nullptr) return;
        asio::post(*io, [exchange, result = std::move(result)]() mutable {
            if (!exchange->result) exchange->result = std::move(result);
            exchange->done.notify_all();
        });
    }

    void start(const std::shared_ptr<Exchange>& exchange, const std::string& target, const Token& token) {
        namespace streams = concurrency::streams;
        rest::http_request request(rest::methods::GET);
        request.set_request_uri(web::uri(target));
        request.headers().add("Authorization", "Bearer " + std::string(token.value.reveal()));
        request.headers().add("Accept", "application/json");
        const streams::rawptr_buffer<std::uint8_t> buffer(exchange->body.data(), exchange->body.size(), std::ios::out);
        request.set_response_stream(buffer.create_ostream());

        note_given();
        client.request(request, exchange->cancel.get_token())
            .then([](const rest::http_response& answer) { return answer.content_ready(); })
            .then([self = shared_from_this(), exchange, buffer](const pplx::task<rest::http_response>& task) {
                self->deliver(exchange, self->outcome(task, *exchange, buffer));
                self->note_returned();
            });
    }

    void note_given() {
        const std::lock_guard lock(mutex);
        ++given;
    }

    void note_returned() {
        const std::lock_guard lock(mutex);
        --given;
        returned.notify_all();
    }

    /// Until the library has given every call back. What is still queued in it at the process's exit it drops.
    void wait_for_library() {
        std::unique_lock lock(mutex);
        returned.wait_for(lock, kReturnPatience, [this] { return given == 0; });
    }

    template <class Buffer>
    Result<http::Response> outcome(const pplx::task<rest::http_response>& task, const Exchange& exchange,
                                   const Buffer& buffer) {
        try {
            const auto answer = task.get();
            const auto length = static_cast<std::streamoff>(buffer.getpos(std::ios::out));
            return response_of(answer, exchange.body, static_cast<std::size_t>(std::max<std::streamoff>(length, 0)));
        } catch (const pplx::task_canceled&) {
            return fail(ErrorCode::cancelled, "calling " + api.host_header());
        } catch (const std::exception& error) {
            const std::string what = error.what();
            if (what.find("past the end of the buffer") != std::string::npos) {
                return fail(ErrorCode::resource_exhausted, "the answer of " + api.host_header() + " is too large");
            }
            return fail(code_of(what), "calling " + api.host_header() + ": " + printable(what, 200));
        }
    }

    std::mutex mutex;
    std::condition_variable returned;
    std::size_t given = 0;  ///< calls that the library has; guarded by `mutex`
    asio::io_context* io;   ///< nullptr once closed; guarded by `mutex`
    const http::Origin api;
    rest::client::http_client client;
    std::vector<std::weak_ptr<Exchange>> in_flight;
    bool closed = false;
};

CloudClient::CloudClient(asio::io_context& io, http::Origin api, TokenCache& tokens) : tokens_(tokens) {
    limit_threads();
    impl_ = std::make_shared<Impl>(io, std::move(api));
}

CloudClient::~CloudClient() {
    close();
    impl_->wait_for_library();
}

void CloudClient::close() {
    impl_->closed = true;
    for (const auto& weak : std::exchange(impl_->in_flight, {})) {
        const auto exchange = weak.lock();
        if (!exchange) continue;
        exchange->cancel.cancel();
        if (!exchange->result) exchange->result = fail(ErrorCode::cancelled, "calling " + impl_->api.host_header());
        exchange->done.notify_all();
    }
    const std::lock_guard lock(impl_->mutex);
    impl_->io = nullptr;
}

Awaitable<Result<Token>> CloudClient::wait_for_token() {
    const auto impl = impl_;  // the client may end while we wait; the tokens outlive it
    auto& tokens = tokens_;
    const auto deadline = SteadyClock::now() + kTokenPatience;
    while (!impl->closed) {
        if (auto token = tokens.current()) co_return std::move(*token);
        if (const auto& error = tokens.last_error()) {
            co_return fail(error->code, "there is no access token: " + error->context);
        }
        const bool changed = co_await tokens.changed().wait_until(deadline);
        if (!changed && SteadyClock::now() >= deadline)
            co_return fail(ErrorCode::timeout, "there is no access token yet");
    }
    co_return fail(ErrorCode::cancelled, "waiting for an access token");
}

Awaitable<Result<Token>> CloudClient::wait_for_other_token(Token refused) {
    const auto impl = impl_;
    auto& tokens = tokens_;
    tokens.refresh_soon();
    const auto deadline = SteadyClock::now() + kTokenPatience;
    while (!impl->closed) {
        auto token = tokens.current();
        if (token && !(token->value == refused.value)) co_return std::move(*token);
        const bool changed = co_await tokens.changed().wait_until(deadline);
        if (!changed && SteadyClock::now() >= deadline) break;
    }
    co_return fail(ErrorCode::unauthenticated, "the access token was refused and there is no other one yet");
}

Awaitable<Result<http::Response>> CloudClient::get(std::string target) {
    const auto impl = impl_;
    auto token = co_await wait_for_token();
    if (!token) co_return fail(token.error());
    if (impl->closed) co_return fail(ErrorCode::cancelled, "calling " + impl->api.host_header());
    auto response = co_await call(target, *token);
    if (!response || response->status != 401 || impl->closed) co_return response;

    // Refused before its time: another one, once. Where there is none, the refusal is the answer.
    token = co_await wait_for_other_token(std::move(*token));
    if (!token || impl->closed) co_return response;
    co_return co_await call(std::move(target), std::move(*token));
}

Awaitable<Result<http::Response>> CloudClient::call(std::string target, Token token) {
    const auto impl = impl_;
    const auto exchange = std::make_shared<Exchange>();
    std::erase_if(impl->in_flight, [](const auto& weak) { return weak.expired(); });
    impl->in_flight.push_back(exchange);
    impl->start(exchange, target, token);

    const auto deadline = SteadyClock::now() + kCallTimeout;
    while (!exchange->result) {
        const bool notified = co_await exchange->done.wait_until(deadline);
        if (notified || SteadyClock::now() < deadline) continue;
        exchange->cancel.cancel();
        co_return fail(ErrorCode::timeout, "calling " + impl->api.host_header() + ": no answer within 10 s");
    }
    co_return std::move(*exchange->result);
}

}  // namespace cvp::op
