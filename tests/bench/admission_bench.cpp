// What the webhook's handler takes for one pod, from the body to the answer. The aim: 99 of 100 within a millisecond,
// in the time of the CPU too, where other programs do not count.

#include <algorithm>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>
#include <time.h>

#include "operator/webhook/mutate.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

const InjectionConfig kConfig{.version = "1.2.3", .proxy_image = "proxy:1", .image_pull_secrets = {"pull"}};

/// The review of a pod as an API server sends it.
/// @param containers of the pod, each with as many variables and mounts as a large one has
std::string make_review(const std::string& connections, int containers) {
    json pod = {
        {"metadata", {{"generateName", "shop-"}, {"annotations", {{"cloudvalkey.dev/connections", connections}}}}}};
    for (int c = 0; c < containers; ++c) {
        json container = {{"name", "app-" + std::to_string(c)},
                          {"image", "registry.example/shop/app:1"},
                          {"imagePullPolicy", "IfNotPresent"},
                          {"terminationMessagePath", "/dev/termination-log"},
                          {"resources", {{"requests", {{"cpu", "500m"}, {"memory", "64Mi"}}}}}};
        for (int i = 0; i < 30; ++i) {
            container["env"].push_back({{"name", "VARIABLE_" + std::to_string(i)}, {"value", "some value"}});
            container["volumeMounts"].push_back(
                {{"name", "volume-" + std::to_string(i)}, {"mountPath", "/data/" + std::to_string(i)}});
        }
        pod["spec"]["containers"].push_back(std::move(container));
    }
    return json{{"apiVersion", "admission.k8s.io/v1"},
                {"kind", "AdmissionReview"},
                {"request",
                 {{"uid", "705ab4f5-6393-11e8-b7cc-42010a800002"},
                  {"operation", "CREATE"},
                  {"resource", {{"group", ""}, {"version", "v1"}, {"resource", "pods"}}},
                  {"object", std::move(pod)}}}}
        .dump();
}

double micros_of(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return double(now.tv_sec) * 1e6 + double(now.tv_nsec) / 1e3;
}

double percentile(std::vector<double>& values, double share) {
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(share * double(values.size() - 1))];
}

void admit(benchmark::State& state, const std::string& connections) {
    const auto review = make_review(connections, static_cast<int>(state.range(0)));
    std::vector<double> wall;
    std::vector<double> cpu;
    for (auto _ : state) {
        const auto wall_begin = micros_of(CLOCK_MONOTONIC);
        const auto cpu_begin = micros_of(CLOCK_THREAD_CPUTIME_ID);
        auto mutation = mutate(review, kConfig);
        benchmark::DoNotOptimize(mutation);
        cpu.push_back(micros_of(CLOCK_THREAD_CPUTIME_ID) - cpu_begin);
        wall.push_back(micros_of(CLOCK_MONOTONIC) - wall_begin);
        if (!mutation || mutation->result != "injected") state.SkipWithError("was not injected");
    }
    state.counters["p50_us"] = percentile(wall, .5);
    state.counters["p99_us"] = percentile(wall, .99);
    state.counters["p99_cpu_us"] = percentile(cpu, .99);
    state.counters["review_bytes"] = double(review.size());
}

BENCHMARK_CAPTURE(admit, one_connection, "sessions")->Arg(1)->Arg(5);
BENCHMARK_CAPTURE(admit, eight_connections, "a:7000/7001,b,c,d,e,f,g,h")->Arg(1)->Arg(5);

}  // namespace
}  // namespace cvp::op

BENCHMARK_MAIN();
