#pragma once

#include <cstddef>
#include <vector>

#include <nlohmann/json.hpp>

namespace cvp::test {

/// Makes pods that do not ask for a sidecar, as odd as the API allows and a little odder: without annotations, with
/// null, with foreign prefixes, with 200 KiB of them, with names and ports like ours, of Windows, on the host's
/// network, some of them invalid. The same count gives the same pods.
std::vector<nlohmann::json> make_odd_pods(std::size_t count);

}  // namespace cvp::test
