#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/async/asio.hpp"
#include "common/async/event.hpp"
#include "common/async/task_group.hpp"
#include "operator/kube/api.hpp"
#include "operator/runtime/store.hpp"
#include "operator/runtime/watcher.hpp"
#include "tests/support/podrun/container.hpp"
#include "tests/support/podrun/pod_spec.hpp"
#include "tests/support/podrun/pod_status.hpp"
#include "tests/support/podrun/projection.hpp"

namespace cvp::test::podrun {

/// What to run and how.
struct RunOptions {
    std::string namespace_name;
    std::string pod_name;
    std::string container = "cloud-valkey-proxy";
    std::map<std::string, std::filesystem::path> binaries;  ///< by image; "" for any other
    std::vector<std::string> app;                           ///< run in the place of the first application container
    Container::Options container_options;
};

/// The kubelet's part for one pod and one native sidecar of it.
///
/// Expected flow: wait for the pod, enter a mount namespace, wait until every volume can be projected, run the sidecar,
/// follow ConfigMaps and Secrets, write pods/status on every change; end when told, when the pod is deleted, or when
/// the application's command has ended. One pod per process, because the mount namespace is the process' own.
class PodRunner {
public:
    PodRunner(asio::io_context& io, op::KubeApi& api, RunOptions options);

    /// @return the process' exit code: 0, the application's status, or 69 where we may not mount
    Awaitable<int> run();

    /// Stops sidecar and application, in that order reversed, and ends run().
    void stop();

private:
    /// A ConfigMap or Secret that we follow.
    struct Source {
        Source(op::KubeApi& api, op::ResourcePath path);
        op::Store store;
        op::ObjectKey key;
        op::Watcher watcher;
    };
    using SourceId = std::pair<VolumeSource::Kind, std::string>;

    Awaitable<bool> wait_for_pod();
    Result<void> prepare();
    void watch_sources();
    Awaitable<bool> wait_for_volumes();
    Result<void> sync_volumes();
    Awaitable<void> live();
    Awaitable<void> run_app();
    Awaitable<void> write_statuses();
    Awaitable<void> write_status();
    Awaitable<int> end(int code);
    void changed();
    bool is_pod_there() const;

    asio::io_context& io_;
    op::KubeApi& api_;
    RunOptions options_;
    TaskGroup tasks_;
    Event wake_;
    bool stopped_ = false;
    bool ended_ = false;  ///< nothing runs any more: the last status may be written

    op::Store pods_;
    op::Watcher pod_watcher_;
    PodSpec pod_;
    std::string app_name_;
    std::map<std::string, std::filesystem::path> volume_directories_;
    std::map<std::string, Payload> payloads_;  ///< what is in the directories
    std::map<SourceId, std::unique_ptr<Source>> sources_;
    std::unique_ptr<Container> container_;
    PodState state_;
    std::string last_complaint_;
    bool was_ready_ = false;
    bool status_is_due_ = false;
    std::optional<Process> app_;
};

}  // namespace cvp::test::podrun
