#pragma once

#include <string>
#include <vector>

namespace cvp::op {

/// Everything besides the pod that the patch depends on: the operator's own flags, fixed for the life of the process.
struct InjectionConfig {
    std::string version;                          ///< of this operator, for the stamp
    std::string proxy_image;                      ///< --proxy-image
    std::vector<std::string> image_pull_secrets;  ///< appended to the pod's list; each namespace's owner creates them
};

}  // namespace cvp::op
