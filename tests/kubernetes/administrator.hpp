#pragma once

#include <filesystem>

namespace cvp::test {

/// The administrator's kubeconfig of the cluster that the tests of this process share: each executable has its own.
std::filesystem::path admin_kubeconfig();

}  // namespace cvp::test
