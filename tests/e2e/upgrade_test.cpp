// A new release of operator and sidecar, under load.

#include <memory>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/e2e/fixture.hpp"
#include "tests/e2e/node.hpp"
#include "tests/kubernetes/admission_load.hpp"
#include "tests/support/source_tree.hpp"

namespace cvp::test {
namespace {

using namespace std::chrono_literals;

class Upgrade : public NodeTest {
protected:
    static std::string operator_images() {
        return kubectl({"get", "pods", "--namespace=cloud-valkey", "--selector=app.kubernetes.io/component=operator",
                        "--output=jsonpath={.items[*].spec.containers[0].image}"});
    }
    static std::string image_of_sidecar(const Application& app) {
        return app.pod().at("spec").at("initContainers").at(0).at("image");
    }
};

TEST_F(Upgrade, no_admission_and_no_command_of_a_pod_that_stays_fails) {
    connect();
    Application stays(name_space(), unique("stays"));
    stays.await_ready();
    stays.await_progress(20);
    AdmissionLoad load(name_space(), 20);
    load.await_sent(20);
    std::exception_ptr failure;
    std::thread upgrade([&] {
        try {
            helm({"upgrade", "cloud-valkey-proxy", source_path("charts/cloud-valkey-proxy").string(),
                  "--namespace=cloud-valkey", "--reuse-values", "--set=image.tag=next,proxy.image.tag=next", "--wait",
                  "--timeout=3m"});
        } catch (...) {
            failure = std::current_exception();
        }
    });
    // A real pod every 5 s, until both replicas are new, and two of them after that.
    std::vector<std::unique_ptr<Application>> pods;
    const auto began = std::chrono::steady_clock::now();
    auto next = began;
    std::string images;
    for (int after = 0; after < 2; next += 5s) {
        std::this_thread::sleep_until(next);
        pods.push_back(std::make_unique<Application>(name_space(), unique("pod-" + std::to_string(pods.size()))));
        images = operator_images();
        if (images.find(":e2e") == std::string::npos || std::chrono::steady_clock::now() > began + 3min) ++after;
    }
    upgrade.join();
    if (failure) std::rethrow_exception(failure);
    EXPECT_THAT(images, testing::AllOf(testing::HasSubstr(":next"), testing::Not(testing::HasSubstr(":e2e"))));
    const auto admissions = load.finish();
    EXPECT_EQ(admissions.of(Admission::Outcome::failed).size(), 0u) << admissions.summary();
    EXPECT_EQ(admissions.of(Admission::Outcome::bare).size(), 0u) << admissions.summary();
    report("helm upgrade: " + admissions.summary());
    for (auto& pod : pods) {
        pod->await_ready();
        pod->await_progress(5);
        EXPECT_THAT(pod->faults(), testing::IsEmpty());
    }
    EXPECT_EQ(image_of_sidecar(*pods.back()), "localhost/cloud-valkey-proxy:next");
    EXPECT_EQ(image_of_sidecar(stays), "localhost/cloud-valkey-proxy:e2e");
    EXPECT_EQ(stays.restarts_of_sidecar(), 0);
    EXPECT_THAT(stays.faults(), testing::IsEmpty());
    EXPECT_EQ(stays.compare_with_server(), "");
}

}  // namespace
}  // namespace cvp::test
