#pragma once

#include <cstddef>
#include <cstdint>

namespace cvp::oracle {

/// The random numbers of one program: the same seed gives the same program on every machine (SplitMix64).
class Rng {
public:
    explicit Rng(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        auto z = state_ += 0x9E3779B97F4A7C15ULL;
        z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
        return z ^ (z >> 31U);
    }

    /// 0 to n - 1. @param n at least 1
    std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }
    /// low to high, both included.
    std::size_t between(std::size_t low, std::size_t high) { return low + below(high - low + 1); }
    bool chance(double probability) { return static_cast<double>(next() >> 11U) * 0x1.0p-53 < probability; }

    /// An element of something that is not empty.
    template <class Container>
    const auto& pick(const Container& container) {
        return container[below(container.size())];
    }

private:
    std::uint64_t state_;
};

/// A number that depends on both, for the seed of a part.
inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    return Rng(a ^ (b * 0xD6E8FEB86659FD93ULL)).next();
}

}  // namespace cvp::oracle
