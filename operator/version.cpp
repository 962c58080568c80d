#include "operator/version.hpp"

namespace cvp::op {

std::string_view version() {
    return CVP_VERSION;
}

}  // namespace cvp::op
