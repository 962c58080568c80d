#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace cvp::test {

/// What an application knows of the numbers 1, 2, 3 … that it sent, each once and in order.
struct Account {
    std::set<std::size_t> done = {};     ///< acknowledged
    std::set<std::size_t> refused = {};  ///< answered with an error; of all others it knows nothing
    std::size_t next = 1;                ///< the first one that it has not sent
};

/// What is wrong with the list that the server made of them: a number that was done and is not there, one that is there
/// twice or out of order, one that was refused and is there, one that nobody sent. Empty if nothing is.
std::string find_fault(const Account& account, const std::vector<std::string>& list);

}  // namespace cvp::test
