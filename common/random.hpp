#pragma once

#include <cstddef>
#include <string>

namespace cvp {

/// From 0 to 1, another sequence in each process: what spreads the deadlines of many.
double random_fraction();

/// `digits` hexadecimal digits, unforeseeable.
std::string random_hex(std::size_t digits);

}  // namespace cvp
