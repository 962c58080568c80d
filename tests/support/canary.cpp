#include "tests/support/canary.hpp"

#include <algorithm>

#include "common/crypto/base64.hpp"
#include "common/http/message.hpp"

namespace cvp::test {
namespace {

/// Any 32 bytes of the secret contain one whole window of half that size.
constexpr std::size_t kWindow = 16;

/// Whether an aligned window of `needle` is in `text`.
bool shows(std::string_view text, std::string_view needle) {
    if (needle.size() < kWindow) return !needle.empty() && text.find(needle) != std::string_view::npos;
    for (std::size_t from = 0; from + kWindow <= needle.size(); from += kWindow)
        if (text.find(needle.substr(from, kWindow)) != std::string_view::npos) return true;
    return false;
}

/// What base64 makes of the secret after `offset` bytes of something else, without the letters that depend on it.
std::string base64_at(std::size_t offset, std::string_view secret) {
    const auto encoded = crypto::base64_encode(std::string(offset, 'x') + std::string(secret));
    const auto first = offset == 0 ? 0U : 4U;
    const auto last = encoded.size() - 4;  // the last group depends on what follows
    return first < last ? encoded.substr(first, last - first) : "";
}

std::string url_alphabet(std::string text) {
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    return text;
}

}  // namespace

std::optional<std::string> find_leak(std::string_view text, std::string_view secret) {
    if (shows(text, secret)) return "raw";
    for (const std::size_t offset : {0U, 1U, 2U}) {
        const auto encoded = base64_at(offset, secret);
        if (shows(text, encoded) || shows(text, url_alphabet(encoded))) return "base64";
    }
    if (shows(text, http::percent_encode(secret))) return "percent-encoded";
    return std::nullopt;
}

std::vector<std::string> find_leaks(const std::vector<Evidence>& evidence, const std::vector<std::string>& secrets) {
    std::vector<std::string> leaks;
    for (const auto& [name, text] : evidence)
        for (std::size_t i = 0; i < secrets.size(); ++i)
            if (const auto form = find_leak(text, secrets[i]))
                leaks.push_back(name + " shows secret " + std::to_string(i + 1) + " of " +
                                std::to_string(secrets.size()) + ", " + *form);
    return leaks;
}

}  // namespace cvp::test
