#include "tests/integration/proxy_data/memory.hpp"

#if defined(__SANITIZE_ADDRESS__)

// The header of it is not in every gcc package.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();

namespace cvp::test {

std::size_t memory_in_use() {
    return __sanitizer_get_current_allocated_bytes();
}

}  // namespace cvp::test

#else

#include <array>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

namespace cvp::test {

std::size_t memory_in_use() {
    std::array<char, 4096> text{};
    const int fd = ::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    const auto size = ::read(fd, text.data(), text.size() - 1);
    ::close(fd);
    const char* line = size > 0 ? std::strstr(text.data(), "RssAnon:") : nullptr;
    return line == nullptr ? 0 : std::strtoul(line + std::strlen("RssAnon:"), nullptr, 10) * 1024;
}

}  // namespace cvp::test

#endif
