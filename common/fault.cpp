#include "common/fault.hpp"

namespace cvp {

std::string describe_faults(std::string_view file, const std::vector<Fault>& faults) {
    std::string text;
    for (const auto& fault : faults) {
        text.append(file).append(": ");
        if (!fault.key_path.empty()) text.append(fault.key_path).append(": ");
        text.append(fault.message).append("\n");
    }
    return text;
}

}  // namespace cvp
