// Every order in which CRD, release, its namespace and the pods can be deleted: whoever is left can start pods.
//
// All 24 with CVP_REMOVAL_ORDERS=24, else four of them, one for each that may be first.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/clock.hpp"
#include "tests/kubernetes/environment.hpp"
#include "tests/kubernetes/installed_product.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/source_tree.hpp"
#include "tests/support/value_or_throw.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

using Order = std::array<std::string, 4>;

std::vector<Order> orders() {
    Order order{"crd", "namespace", "pods", "release"};
    std::vector<Order> all;
    do
        all.push_back(order);
    while (std::next_permutation(order.begin(), order.end()));
    const auto* wish = std::getenv("CVP_REMOVAL_ORDERS");
    const auto count = wish != nullptr ? std::strtoul(wish, nullptr, 10) : 4;
    std::vector<Order> chosen;
    for (std::size_t i = 0; i < count; ++i)
        chosen.push_back(all[i * all.size() / count + (count < all.size() ? i : 0)]);
    return chosen;
}

std::string name_of(const Order& order) {
    return order[0] + "_" + order[1] + "_" + order[2] + "_" + order[3];
}

class Removal : public testing::TestWithParam<Order> {
protected:
    static void apply_crds() {
        value_or_throw(
            control_plane().kubectl({"apply", "--server-side", "--filename=" + source_path("crds").string()}));
        value_or_throw(control_plane().kubectl(
            {"wait", "--for=condition=Established", "crd/valkeyconnections.cloudvalkey.dev", "--timeout=30s"}));
    }
    static void SetUpTestSuite() { apply_crds(); }
    void TearDown() override { apply_crds(); }

    /// Removes it as somebody does who waits for nothing.
    void remove(const std::string& what) {
        const auto kubectl = [](std::vector<std::string> arguments) {
            arguments.insert(arguments.begin() + 1, {"--ignore-not-found", "--wait=false"});
            value_or_throw(control_plane().kubectl(arguments));
        };
        if (what == "crd") kubectl({"delete", "crd/valkeyconnections.cloudvalkey.dev"});
        if (what == "namespace") kubectl({"delete", "namespace/" + product_.name_space()});
        if (what == "pods") kubectl({"delete", "pods", "--all", "--namespace=" + name_space_});
        if (what == "release") {
            try {
                product_.helm("uninstall");
            } catch (const std::exception& fault) {  // its record was in the namespace
                if (!is_namespace_gone_) throw;
            }
        }
        is_namespace_gone_ = is_namespace_gone_ || what == "namespace";
        // What the Deployment's deletion does to its pods.
        if (product_.has_operator() && (what == "release" || what == "namespace")) {
            if (what == "namespace") await_objects_gone();
            product_.stop_operator();
        }
    }

    /// The namespace owns them: the garbage collector deletes them after it.
    void await_objects_gone() {
        EXPECT_TRUE(eventually([&] { return fate_of_pod(api_, name_space_, true) == "bare"; }, 30s));
    }

    void expect_pods_can_start(const std::string& after) {
        const auto begin = SteadyClock::now();
        EXPECT_EQ(fate_of_pod(api_, name_space_, false), "bare") << "after the deletion of " << after;
        EXPECT_LE(SteadyClock::now() - begin, 2s);
        std::string fate;
        EXPECT_TRUE(eventually(
            [&] {
                fate = fate_of_pod(api_, name_space_, true);
                return fate == "bare" || fate == "injected";
            },
            30s))
            << fate << " after the deletion of " << after;
    }

    InstalledProduct product_;
    const std::string name_space_ = make_fresh_namespace("removal");
    ApiSession api_;
    bool is_namespace_gone_ = false;
};

TEST_P(Removal, leaves_a_cluster_in_which_pods_start) {
    product_.start_operator();
    ASSERT_TRUE(eventually([&] {
        const auto webhook =
            api_.get("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/cloud-valkey-operator");
        return webhook["metadata"].contains("ownerReferences");
    })) << "the leader ties the cluster's objects to its namespace";
    value_or_throw(control_plane().kubectl({"apply", "--filename=-", "--namespace=" + name_space_}, kConnectionAndPod));
    for (const auto& what : GetParam()) {
        remove(what);
        expect_pods_can_start(what);
    }
    for (const auto& name : {product_.name_space(), name_space_}) {
        value_or_throw(control_plane().kubectl({"delete", "namespace/" + name, "--ignore-not-found", "--wait=false"}));
        EXPECT_TRUE(eventually(
            [&] {
                return !control_plane().kubectl({"get", "namespace/" + name});
            },
            60s))
            << name << " hangs in Terminating";
    }
    EXPECT_TRUE(eventually([&] { return fate_of_pod(api_, "default", true) == "bare"; }, 30s));
}

INSTANTIATE_TEST_SUITE_P(Orders, Removal, testing::ValuesIn(orders()),
                         [](const auto& parameter) { return name_of(parameter.param); });

}  // namespace
}  // namespace cvp::test
