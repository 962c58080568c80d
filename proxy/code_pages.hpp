#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace cvp::proxy {

/// Address ranges [begin, end) of executable, never written file mappings, out of the text of /proc/self/maps. Pure.
std::vector<std::pair<std::uintptr_t, std::uintptr_t>> find_code_mappings(std::string_view maps);

/// Gives back the code pages that only starting needed: they are clean pages of files and come back when touched. A
/// sidecar's resident memory is mostly such pages. Blocking, about a millisecond.
void release_code_pages();

}  // namespace cvp::proxy
