#include "proxy/version.hpp"

namespace cvp::proxy {

std::string_view version() {
    return CVP_VERSION;
}

}  // namespace cvp::proxy
