#include "tests/kubernetes/operator_account.hpp"

#include "tests/kubernetes/chart.hpp"
#include "tests/kubernetes/environment.hpp"
#include "tests/support/value_or_throw.hpp"

namespace cvp::test {

op::KubeConfig install_operator_account(const std::vector<std::string>& chart_arguments) {
    ensure_release_namespace();
    std::vector<std::string> arguments{"--show-only", "templates/serviceaccount.yaml", "--show-only",
                                       "templates/rbac.yaml"};
    arguments.insert(arguments.end(), chart_arguments.begin(), chart_arguments.end());
    value_or_throw(control_plane().kubectl({"apply", "--server-side", "--force-conflicts", "--filename=-"},
                                           render_chart(arguments)));
    const auto file = value_or_throw(
        control_plane().write_kubeconfig_of_service_account(kOperatorNamespace, "cloud-valkey-operator"));
    return value_or_throw(op::load_kubeconfig(file));
}

}  // namespace cvp::test
