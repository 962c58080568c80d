#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cvp::test {

/// Where a secret shows in a text: raw, percent-encoded, or base64 (both alphabets, at any alignment inside something
/// larger, as in an Authorization header or a Secret). A part of 32 bytes is enough: a log line may have been cut.
///
/// The secret must be random: a text holds none of its parts by chance.
/// @return "raw", "base64" or "percent-encoded"; nothing if it does not show
std::optional<std::string> find_leak(std::string_view text, std::string_view secret);

/// A text that must hold no secret, and what it is called in a failure.
struct Evidence {
    std::string name;
    std::string text;
};

/// One sentence for each secret that shows in a piece of evidence; the secret itself is not in it.
std::vector<std::string> find_leaks(const std::vector<Evidence>& evidence, const std::vector<std::string>& secrets);

}  // namespace cvp::test
