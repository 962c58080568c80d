#include "operator/runtime/host_name.hpp"

#include <array>

#include <unistd.h>

namespace cvp::op {

std::string host_name() {
    std::array<char, 256> host{};
    if (::gethostname(host.data(), host.size() - 1) != 0) return "";
    return host.data();
}

}  // namespace cvp::op
