#pragma once

#include <cstddef>

namespace cvp::test {

/// Bytes of memory that this process uses now: what is allocated, under AddressSanitizer (whose own memory is larger
/// than what is measured); RssAnon of /proc/self/status otherwise.
std::size_t memory_in_use();

}  // namespace cvp::test
