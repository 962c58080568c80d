#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/http/message.hpp"
#include "common/result.hpp"

namespace cvp::http {

constexpr std::size_t kNoBodyLimit = static_cast<std::size_t>(-1);

/// Makes a message out of the bytes of a connection as they come, without any I/O. `Message` is Request or Response.
///
/// Interim responses (1xx) are skipped. A header may have 64 KiB. Bytes behind the message are kept: they are the next
/// one's. After an error the parser is of no use any more.
/// @source RFC 9112; the grammar is Beast's
template <class Message>
class Parser {
public:
    /// @param without_body the answer to a HEAD request: it may have a Content-Length but has no body
    explicit Parser(std::size_t max_body_bytes, bool without_body = false);
    ~Parser();
    Parser(const Parser&) = delete;
    Parser& operator=(const Parser&) = delete;

    /// Takes the next bytes of the connection.
    /// @errors protocol_error if they are no HTTP/1.x; resource_exhausted if header or body is larger than allowed
    Result<void> feed(std::string_view bytes);

    /// Says that the peer closed, which may be the end of a body that has no length of its own.
    /// @errors protocol_error if the message is not complete
    Result<void> feed_end();

    /// Whether any byte of the message came.
    bool has_begun() const;
    bool has_header() const;
    bool is_done() const;

    /// Whether the connection may carry another message after this one.
    bool keep_alive() const;

    /// Whether feed() failed because of the body, not the header.
    bool is_body_too_large() const;

    /// Whether the client waits for "100 Continue" before it sends the body.
    bool expects_continue() const;

    /// Everything but the body is there once has_header(). The body holds what came so far; it may be taken piece by
    /// piece.
    Message& message();

    /// Takes what came behind the end of the message.
    std::string take_rest();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

using RequestParser = Parser<Request>;
using ResponseParser = Parser<Response>;

}  // namespace cvp::http
