#include "tests/emulator/faults.hpp"

#include <algorithm>

namespace cvp::emulator {

Disturbance Faults::take(std::string_view kind) {
    Disturbance result;
    for (auto& fault : faults_) {
        if (!fault.kind.empty() && fault.kind != kind) continue;
        if (fault.status != 0 && result.error) continue;
        result.delay += fault.delay;
        if (fault.status != 0) result.error = fault;
        if (fault.remaining) --*fault.remaining;
    }
    std::erase_if(faults_, [](const Fault& fault) { return fault.remaining && *fault.remaining <= 0; });
    return result;
}

}  // namespace cvp::emulator
