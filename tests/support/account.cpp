#include "tests/support/account.hpp"

#include <algorithm>

namespace cvp::test {

std::string find_fault(const Account& account, const std::vector<std::string>& list) {
    std::size_t last = 0;
    std::set<std::size_t> there;
    for (const auto& text : list) {
        const auto number = std::stoul(text);
        if (!there.insert(number).second) return text + " was executed twice";
        if (number < last) return text + " came after " + std::to_string(last);
        if (number >= account.next) return text + " was never sent";
        if (account.refused.contains(number)) return text + " was refused and executed";
        last = number;
    }
    const auto lost = std::find_if(account.done.begin(), account.done.end(),
                                   [&](const auto number) { return !there.contains(number); });
    return lost == account.done.end() ? "" : std::to_string(*lost) + " was acknowledged and is lost";
}

}  // namespace cvp::test
