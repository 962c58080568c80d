#pragma once

#include <stdexcept>
#include <utility>

#include "common/result.hpp"

namespace cvp::test {

/// The value, where a test cannot go on without it: throws std::runtime_error with what went wrong.
template <class T>
T value_or_throw(Result<T> result) {
    if (!result) throw std::runtime_error(to_string(result.error()));
    return std::move(*result);
}

}  // namespace cvp::test
