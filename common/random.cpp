#include "common/random.hpp"

#include <random>
#include <string_view>

namespace cvp {

namespace {

/// Made once: that asks the processor what it can, which takes a virtual machine tens of microseconds.
std::random_device& device() {
    thread_local std::random_device random;
    return random;
}

}  // namespace

double random_fraction() {
    // Each number of the processor's own takes it a microsecond, and each connection asks for two.
    thread_local std::mt19937_64 generator(device()());
    return std::uniform_real_distribution<>(0, 1)(generator);
}

std::string random_hex(std::size_t digits) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::uniform_int_distribution<std::size_t> digit(0, kDigits.size() - 1);
    std::string text;
    for (std::size_t i = 0; i < digits; ++i)
        text += kDigits[digit(device())];
    return text;
}

}  // namespace cvp
