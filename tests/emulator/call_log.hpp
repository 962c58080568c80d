#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/async/asio.hpp"

namespace cvp::emulator {

/// One call that came in. The target holds no secret: tokens travel in headers and bodies.
struct Call {
    SystemClock::time_point at;
    std::string surface;  ///< "rest" or "metadata"
    std::string kind;     ///< "instances.get", "instance/service-accounts/default/token", …
    std::string target;
    unsigned status = 0;
};

/// Every call that the emulated clouds got. The counts are exact for ever; the log keeps the newest 10,000.
class CallLog {
public:
    void add(Call call);
    void clear();

    std::uint64_t total() const { return total_; }
    /// Calls of "surface kind".
    const std::map<std::string, std::uint64_t>& counts() const { return counts_; }
    std::uint64_t count(const std::string& surface, const std::string& kind) const;
    const std::vector<Call>& log() const { return log_; }

private:
    std::uint64_t total_ = 0;
    std::map<std::string, std::uint64_t> counts_;
    std::vector<Call> log_;
};

}  // namespace cvp::emulator
