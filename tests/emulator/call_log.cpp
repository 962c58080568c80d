#include "tests/emulator/call_log.hpp"

namespace cvp::emulator {
namespace {

constexpr std::size_t kLogLimit = 10'000;

}  // namespace

void CallLog::add(Call call) {
    ++total_;
    ++counts_[call.surface + " " + call.kind];
    if (log_.size() == kLogLimit) log_.erase(log_.begin(), log_.begin() + kLogLimit / 2);
    log_.push_back(std::move(call));
}

void CallLog::clear() {
    *this = CallLog();
}

std::uint64_t CallLog::count(const std::string& surface, const std::string& kind) const {
    const auto found = counts_.find(surface + " " + kind);
    return found == counts_.end() ? 0 : found->second;
}

}  // namespace cvp::emulator
