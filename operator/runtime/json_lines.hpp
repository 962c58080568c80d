#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "common/result.hpp"

namespace cvp::op {

/// Cuts a stream of bytes into JSON documents, one per line: the body of a watch.
///
/// Bytes may be cut anywhere, inside a character too. Empty lines are passed over. Bounded by one line.
class JsonLines {
public:
    /// @param max_line_bytes an object is at most 3 MB (etcd 1.5 MB, doubled by managedFields), so 16 MB is no limit
    explicit JsonLines(std::size_t max_line_bytes = 16 * 1024 * 1024) : max_line_bytes_(max_line_bytes) {}

    /// Adds a piece of the stream.
    void feed(std::string_view piece);

    /// The next whole document, or nothing until more is fed.
    /// @errors protocol_error: a line that is no JSON or too long. The stream cannot be trusted any more: close it.
    Result<std::optional<nlohmann::json>> next();

private:
    std::size_t max_line_bytes_;
    std::string buffer_;
    std::size_t begin_ = 0;    ///< of the first line not yet handed out
    std::size_t scanned_ = 0;  ///< there is no newline in [begin_, scanned_)
};

}  // namespace cvp::op
