#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"
#include "tests/support/byte_stream.hpp"

namespace cvp::test {

/// One reply of RESP2 or RESP3, as a tree.
struct RespReply {
    char type = 0;                    ///< the first byte: '+', '-', ':', '$', '*', '_', '%', '>', …
    bool is_null = false;             ///< "$-1", "*-1" or "_"
    std::string text;                 ///< of '+', '-', ':', '$', ',', '#', '=', '('
    std::vector<RespReply> elements;  ///< of '*', '~', '>'; of '%' key, value, key, value

    bool is_error() const { return type == '-' || type == '!'; }
};

/// One line for test output: `-WRONGPASS invalid …`, `"value"`, `["a", 1]`.
std::string to_string(const RespReply& reply);

/// A command as an array of bulk strings.
std::string encode_command(const std::vector<std::string>& words);

/// A blocking RESP client for tests: small, strict, without retries.
class RespClient {
public:
    using Limit = ByteStream::Limit;
    static constexpr Limit kLimit = std::chrono::seconds(10);

    explicit RespClient(ByteStream stream) : stream_(std::move(stream)) {}

    static Result<RespClient> connect(const std::string& host, std::uint16_t port, Limit limit = kLimit);
    static Result<RespClient> connect_tls(const std::string& host, std::uint16_t port,
                                          const TlsClientSettings& settings, Limit limit = kLimit);
    static Result<RespClient> connect_unix(const std::filesystem::path& path, Limit limit = kLimit);

    /// Sends one command and reads one reply. An error reply is a value.
    /// @errors as ByteStream; `unavailable` when the stream ended; `protocol_error`
    Result<RespReply> command(const std::vector<std::string>& words, Limit limit = kLimit);

    Result<void> send(std::string_view bytes, Limit limit = kLimit) { return stream_.write_all(bytes, limit); }
    Result<RespReply> read_reply(Limit limit = kLimit);
    /// Everything up to the end of the stream.
    Result<std::string> read_to_end(Limit limit = kLimit);

    ByteStream& stream() { return stream_; }

private:
    Result<std::string> read_line(Limit limit);
    Result<std::string> read_bulk(std::size_t size, Limit limit);
    Result<void> read_more(Limit limit);

    ByteStream stream_;
    std::string buffer_;
    std::size_t position_ = 0;
};

}  // namespace cvp::test
