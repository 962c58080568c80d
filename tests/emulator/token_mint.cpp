#include "tests/emulator/token_mint.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <sys/random.h>

#include "common/crypto/base64.hpp"

namespace cvp::emulator {
namespace {

constexpr auto kShortestCache = std::chrono::minutes(4);
constexpr std::size_t kRandomBytes = 128;

std::string random_token() {
    std::array<char, kRandomBytes> bytes;
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        throw std::runtime_error("getrandom failed");
    return "ya29.c." + crypto::base64url_encode({bytes.data(), bytes.size()});
}

}  // namespace

const MintedToken& TokenMint::mint(SystemClock::time_point now, std::vector<std::string> scopes,
                                   std::optional<SystemClock::duration> lifetime) {
    return tokens_.emplace_back(
        MintedToken{Secret(random_token()), now, now + lifetime.value_or(lifetime_), std::move(scopes)});
}

const MintedToken& TokenMint::current(SystemClock::time_point now, const std::vector<std::string>& scopes) {
    const auto newest = std::find_if(tokens_.rbegin(), tokens_.rend(),
                                     [&](const MintedToken& token) { return token.scopes == scopes; });
    if (newest != tokens_.rend()) {
        const auto left = newest->expires_at - now;
        if (left > std::min<SystemClock::duration>(kShortestCache, (newest->expires_at - newest->issued_at) / 4))
            return *newest;
    }
    return mint(now, scopes);
}

const MintedToken* TokenMint::find(std::string_view value) const {
    const auto found = std::find_if(tokens_.begin(), tokens_.end(),
                                    [&](const MintedToken& token) { return token.value.reveal() == value; });
    return found == tokens_.end() ? nullptr : &*found;
}

void TokenMint::expire_all(SystemClock::time_point now) {
    for (auto& token : tokens_)
        token.expires_at = std::min(token.expires_at, now);
}

std::optional<SystemClock::time_point> TokenMint::next_expiry(SystemClock::time_point now) const {
    std::optional<SystemClock::time_point> next;
    for (const auto& token : tokens_)
        if (token.is_live(now)) next = std::min(next.value_or(token.expires_at), token.expires_at);
    return next;
}

std::vector<Secret> TokenMint::live(SystemClock::time_point now) const {
    std::vector<Secret> values;
    for (const auto& token : tokens_)
        if (token.is_live(now)) values.push_back(token.value);
    return values;
}

}  // namespace cvp::emulator
