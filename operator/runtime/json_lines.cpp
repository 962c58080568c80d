#include "operator/runtime/json_lines.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace cvp::op {

void JsonLines::feed(std::string_view piece) {
    if (begin_ > 0) {
        buffer_.erase(0, begin_);
        scanned_ -= begin_;
        begin_ = 0;
    }
    buffer_.append(piece);
}

Result<std::optional<nlohmann::json>> JsonLines::next() {
    for (;;) {
        const auto newline = buffer_.find('\n', scanned_);
        const auto end = newline == std::string::npos ? buffer_.size() : newline;
        if (end - begin_ > max_line_bytes_) {
            return fail(ErrorCode::protocol_error,
                        "a watch line is longer than " + std::to_string(max_line_bytes_) + " bytes");
        }
        scanned_ = end;
        if (newline == std::string::npos) return std::nullopt;

        const auto line = std::string_view(buffer_).substr(begin_, end - begin_);
        begin_ = scanned_ = end + 1;
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        auto document = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
        if (document.is_discarded()) return fail(ErrorCode::protocol_error, "a watch line is no JSON");
        return document;
    }
}

}  // namespace cvp::op
