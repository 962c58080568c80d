#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/account.hpp"

namespace cvp::test {

/// The image of the applications: Debian with valkey-cli, Python and app.py.
inline constexpr auto kAppImage = "localhost/valkey/valkey:8.1";

/// How a pod of app.py differs from the usual one.
struct ApplicationOptions {
    std::string connections = "sessions";     ///< the annotation; empty: none
    std::vector<std::string> arguments = {};  ///< of app.py
    nlohmann::json sidecar = {};              ///< an init container that the pod declares itself
    int grace_seconds = 30;
};

/// The manifest of a pod that runs app.py.
nlohmann::json application_pod(const std::string& name, const ApplicationOptions& options = {});

/// app.py in a pod of its own: it writes numbers to a list and says what it knows of each.
///
/// Owner: a test. Calls block and throw where they fail; the pod goes with its namespace.
class Application {
public:
    /// Makes the pod; returns once it is there, not once it runs.
    Application(std::string name_space, const std::string& name, const ApplicationOptions& options = {});

    const std::string& name() const { return name_; }
    nlohmann::json pod() const;
    /// Waits until all containers are ready. @return how long that took
    std::chrono::milliseconds await_ready();

    /// What it knows at this moment.
    Account account() const;
    /// What went wrong from its point of view, a line for each.
    std::vector<std::string> faults() const;
    /// Waits until so many more numbers are acknowledged.
    void await_progress(std::size_t count) const;
    /// Holds what it knows against the server's list: "" or what is lost, doubled or out of order.
    std::string compare_with_server() const;

    int restarts_of_sidecar() const;
    /// The first sample of its sidecar's /metrics with this name; -1 if there is none.
    double metric(const std::string& name) const;
    /// Runs a command in its container. @return what it printed
    std::string run(const std::vector<std::string>& command) const;

private:
    nlohmann::json ask() const;
    const std::string& address() const;

    std::string name_space_;
    std::string name_;
    mutable std::string address_;
};

/// What app.py printed or served, and the list that it wrote: see Application::compare_with_server().
std::string compare_with_server(const std::string& pod, const nlohmann::json& account);

/// The state of a container or sidecar, by name: an entry of the pod's (init)ContainerStatuses. Throws if it has none.
nlohmann::json status_of(const nlohmann::json& pod, const std::string& container);

}  // namespace cvp::test
