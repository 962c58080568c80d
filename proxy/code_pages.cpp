#include "proxy/code_pages.hpp"

#include <charconv>
#include <fstream>
#include <iterator>
#include <string>

#include <sys/mman.h>

namespace cvp::proxy {

std::vector<std::pair<std::uintptr_t, std::uintptr_t>> find_code_mappings(std::string_view maps) {
    std::vector<std::pair<std::uintptr_t, std::uintptr_t>> mappings;
    while (!maps.empty()) {
        // "7f0000000000-7f0000001000 r-xp 00000000 fe:00 1234   /usr/lib/x.so"
        const auto line = maps.substr(0, maps.find('\n'));
        maps.remove_prefix(std::min(maps.size(), line.size() + 1));
        std::uintptr_t begin = 0;
        std::uintptr_t end = 0;
        const auto* last = line.data() + line.size();
        const auto first_number = std::from_chars(line.data(), last, begin, 16);
        if (first_number.ec != std::errc{} || first_number.ptr == last) continue;
        const auto second_number = std::from_chars(first_number.ptr + 1, last, end, 16);
        if (second_number.ec != std::errc{}) continue;
        const std::string_view rest(second_number.ptr, static_cast<std::size_t>(last - second_number.ptr));
        // Private and not writable: only such pages can be dropped without losing anything.
        if (rest.starts_with(" r-xp ") && rest.find(" /") != std::string_view::npos) mappings.emplace_back(begin, end);
    }
    return mappings;
}

void release_code_pages() {
    std::ifstream file("/proc/self/maps");
    const std::string maps{std::istreambuf_iterator<char>(file), {}};
    for (const auto& [begin, end] : find_code_mappings(maps)) {
        // A hint: nothing is lost if it is not taken.
        static_cast<void>(::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED));
    }
}

}  // namespace cvp::proxy
