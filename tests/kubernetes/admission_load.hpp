#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace cvp::test {

/// One pod that asked for a sidecar, and what the API server made of it.
struct Admission {
    enum class Outcome { injected, bare, failed };

    std::chrono::steady_clock::time_point sent_at;
    std::chrono::steady_clock::duration latency{};
    Outcome outcome = Outcome::failed;
    std::string fault;  ///< of one that failed: what the API server or the wire said
};

/// What came of a load.
struct AdmissionReport {
    std::vector<Admission> admissions;

    std::vector<Admission> of(Admission::Outcome outcome) const;
    std::chrono::milliseconds max_latency() const;
    std::chrono::milliseconds median_latency() const;
    /// "600 admissions, 0 failed, 0 bare, median 8 ms, max 120 ms", then the first faults.
    std::string summary() const;
};

/// Creates annotated pods in server-side dry runs at a steady rate, whatever the answers take, over keep-alive
/// connections to the API server of admin_kubeconfig().
///
/// It begins at once, on a thread of its own. Owner: a test.
class AdmissionLoad {
public:
    explicit AdmissionLoad(const std::string& name_space, int per_second = 50);
    ~AdmissionLoad();

    /// Waits until so many were sent since the beginning.
    void await_sent(std::size_t count) const;
    std::size_t sent() const;

    /// Ends it once at least so many were sent and all are answered.
    AdmissionReport finish(std::size_t at_least = 0);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace cvp::test
