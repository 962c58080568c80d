#include "common/http/parser.hpp"

#include <type_traits>
#include <utility>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace cvp::http {
namespace {

namespace beast = boost::beast;
using boost::system::error_code;

constexpr std::uint32_t kMaxHeaderBytes = 64 * 1024;

std::string text_of(beast::string_view text) {
    return {text.data(), text.size()};
}

/// Fills a Request or a Response with what Beast finds in the bytes.
template <class Message>
class Filler final : public beast::http::basic_parser<std::is_same_v<Message, Request>> {
public:
    Message message;

private:
    void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target, int,
                         error_code&) override {
        if constexpr (std::is_same_v<Message, Request>) {
            message.method = text_of(method);
            message.target = text_of(target);
        }
    }
    void on_response_impl(int code, beast::string_view, int, error_code&) override {
        if constexpr (std::is_same_v<Message, Response>) message.status = static_cast<unsigned>(code);
    }
    void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value, error_code&) override {
        message.headers.add(text_of(name), text_of(value));
    }
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(beast::string_view body, error_code&) override {
        message.body.append(body.data(), body.size());
        return body.size();
    }
    void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, error_code& ec) override {
        return on_body_impl(body, ec);
    }
    void on_finish_impl(error_code&) override {}
};

}  // namespace

template <class Message>
struct Parser<Message>::Impl {
    Impl(std::size_t max_body_bytes_, bool without_body_)
        : max_body_bytes(max_body_bytes_), without_body(without_body_) {
        restart();
    }

    void restart() {
        filler = std::make_unique<Filler<Message>>();
        filler->eager(true);
        filler->skip(without_body);
        filler->header_limit(kMaxHeaderBytes);
        filler->body_limit(max_body_bytes);  // never none: Beast 1.74 then refuses every Content-Length
    }

    Result<void> refuse(error_code ec) {
        if (ec == beast::http::error::body_limit) {
            body_too_large = true;
            return fail(ErrorCode::resource_exhausted,
                        "the body is larger than " + std::to_string(max_body_bytes) + " bytes");
        }
        if (ec == beast::http::error::header_limit) {
            return fail(ErrorCode::resource_exhausted,
                        "the header is larger than " + std::to_string(kMaxHeaderBytes) + " bytes");
        }
        return fail(ErrorCode::protocol_error, "not HTTP/1.1: " + ec.message());
    }

    /// Parses what is in the buffer as far as it goes.
    Result<void> parse() {
        std::size_t used = 0;
        error_code ec;
        while (!filler->is_done() && used < buffer.size() && !ec) {
            used += filler->put(boost::asio::buffer(buffer.data() + used, buffer.size() - used), ec);
        }
        buffer.erase(0, used);
        if (ec && ec != beast::http::error::need_more) return refuse(ec);
        // Beast has no limit of its own for a chunk's extensions and trailer.
        if (!filler->is_done() && buffer.size() > kMaxHeaderBytes) return refuse(beast::http::error::header_limit);
        return {};
    }

    // 101 is not interim: it ends HTTP. We never ask for it.
    bool is_interim() const {
        if constexpr (std::is_same_v<Message, Response>) {
            return filler->is_done() && filler->message.status < 200 && filler->message.status != 101;
        }
        return false;
    }

    std::size_t max_body_bytes;
    bool without_body;
    bool begun = false;
    bool body_too_large = false;
    std::string buffer;
    std::unique_ptr<Filler<Message>> filler;
};

template <class Message>
Parser<Message>::Parser(std::size_t max_body_bytes, bool without_body)
    : impl_(std::make_unique<Impl>(max_body_bytes, without_body)) {}

template <class Message>
Parser<Message>::~Parser() = default;

template <class Message>
Result<void> Parser<Message>::feed(std::string_view bytes) {
    impl_->begun |= !bytes.empty();
    impl_->buffer.append(bytes);
    auto parsed = impl_->parse();
    while (parsed && impl_->is_interim()) {
        impl_->restart();
        parsed = impl_->parse();
    }
    return parsed;
}

template <class Message>
Result<void> Parser<Message>::feed_end() {
    if (is_done()) return {};
    error_code ec = beast::http::error::partial_message;
    if (impl_->filler->got_some()) impl_->filler->put_eof(ec);
    if (ec) return impl_->refuse(ec);
    return {};
}

template <class Message>
bool Parser<Message>::has_begun() const {
    return impl_->begun;
}

template <class Message>
bool Parser<Message>::has_header() const {
    return impl_->filler->is_header_done();
}

template <class Message>
bool Parser<Message>::is_done() const {
    return impl_->filler->is_done();
}

template <class Message>
bool Parser<Message>::keep_alive() const {
    return impl_->filler->keep_alive();
}

template <class Message>
bool Parser<Message>::is_body_too_large() const {
    return impl_->body_too_large;
}

template <class Message>
bool Parser<Message>::expects_continue() const {
    const auto expectation = impl_->filler->message.headers.find("Expect");
    return has_header() && !is_done() && expectation && equal_without_case(*expectation, "100-continue");
}

template <class Message>
Message& Parser<Message>::message() {
    return impl_->filler->message;
}

template <class Message>
std::string Parser<Message>::take_rest() {
    return std::exchange(impl_->buffer, {});
}

template class Parser<Request>;
template class Parser<Response>;

}  // namespace cvp::http
