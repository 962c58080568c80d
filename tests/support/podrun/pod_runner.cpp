#include "tests/support/podrun/pod_runner.hpp"

#include <csignal>
#include <iostream>
#include <utility>

#include "common/json_access.hpp"
#include "common/log/log.hpp"
#include "tests/support/podrun/atomic_writer.hpp"
#include "tests/support/podrun/pod_root.hpp"

namespace cvp::test::podrun {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr int kNotPermitted = 69;
constexpr int kFailed = 1;

op::WatchFsm::Selection only(const std::string& name) {
    return {"", "metadata.name=" + name};
}

op::ResourcePath source_path(VolumeSource::Kind kind, const std::string& namespace_name, const std::string& name) {
    return kind == VolumeSource::Kind::secret ? op::secrets(namespace_name, name)
                                              : op::config_maps(namespace_name, name);
}

}  // namespace

PodRunner::Source::Source(op::KubeApi& api, op::ResourcePath path)
    : key{path.namespace_name, path.name},
      watcher(api, path.collection(), only(path.name), store, [](const op::StoreChange&) {}) {}

PodRunner::PodRunner(asio::io_context& io, op::KubeApi& api, RunOptions options)
    : io_(io),
      api_(api),
      options_(std::move(options)),
      tasks_(io),
      pod_watcher_(api, op::pods(options_.namespace_name), only(options_.pod_name), pods_,
                   [this](const op::StoreChange&) { wake_.notify_all(); }) {}

Awaitable<int> PodRunner::run() {
    tasks_.spawn("pod watcher", pod_watcher_.run());
    if (!co_await wait_for_pod()) co_return co_await end(0);
    auto prepared = prepare();
    if (!prepared) {
        log::error("cannot run the pod", {{"error", to_string(prepared.error())}});
        co_return co_await end(prepared.error().code == ErrorCode::permission_denied ? kNotPermitted : kFailed);
    }
    tasks_.spawn("status writer", write_statuses());
    watch_sources();
    if (!co_await wait_for_volumes()) co_return co_await end(0);
    container_ = std::make_unique<Container>(io_, pod_.sidecar, options_.container_options, [this] { changed(); });
    tasks_.spawn("sidecar", container_->run());
    co_await live();
    const auto& app_exit = state_.app ? state_.app->last_exit : std::optional<Exit>();
    co_return co_await end(app_exit ? app_exit->code : 0);
}

void PodRunner::stop() {
    stopped_ = true;
    wake_.notify_all();
}

bool PodRunner::is_pod_there() const {
    return pods_.find({options_.namespace_name, options_.pod_name}) != nullptr;
}

Awaitable<bool> PodRunner::wait_for_pod() {
    while (!stopped_ && !is_pod_there())
        co_await wake_.wait();
    co_return !stopped_;
}

/// From the pod's document to a root with empty volumes in it.
Result<void> PodRunner::prepare() {
    const auto document = pods_.find({options_.namespace_name, options_.pod_name});
    auto pod = parse_pod(*document, options_.container);
    if (!pod) return fail(std::move(pod).error());
    pod_ = std::move(*pod);
    for (const auto& app : find_array(*document, {"spec", "containers"})) {
        app_name_ = find_string(app, {"name"});
        break;
    }
    state_.seen_at = state_.changed_at = std::chrono::system_clock::now();
    state_.sidecar.waiting_reason = "ContainerCreating";

    const auto by_image = options_.binaries.find(pod_.sidecar.image);
    const auto binary = by_image != options_.binaries.end() ? by_image : options_.binaries.find("");
    if (binary == options_.binaries.end()) {
        return fail(ErrorCode::invalid_argument,
                    "no binary for image " + pod_.sidecar.image + ": give --binary PATH or --image IMAGE=PATH");
    }
    if (!std::filesystem::is_regular_file(binary->second)) {
        return fail(ErrorCode::invalid_argument, binary->second.string() + " is no file");
    }
    const auto program = resolved(pod_.sidecar.argv.front());
    std::vector<std::string> places;
    for (const auto& mount : pod_.sidecar.mounts)
        places.push_back(resolved(mount.path));
    auto entered = enter_pod_root(places, {program});
    if (!entered) return entered;
    auto mounted = mount_at(std::filesystem::absolute(binary->second), program, /*is_read_only=*/true);
    if (!mounted) return mounted;
    for (const auto& volume : pod_.volumes) {
        if (volume_directories_.contains(volume.name)) continue;
        auto directory = make_volume(volume.name, volume.is_empty_dir);
        if (!directory) return fail(std::move(directory).error());
        volume_directories_.emplace(volume.name, std::move(*directory));
    }
    for (const auto& mount : pod_.sidecar.mounts) {
        mounted = mount_at(volume_directories_.at(mount.volume), resolved(mount.path), mount.is_read_only);
        if (!mounted) return mounted;
    }
    confine(pod_.sidecar);
    return {};
}

void PodRunner::watch_sources() {
    for (const auto& volume : pod_.volumes) {
        for (const auto& source : volume.sources) {
            auto& slot = sources_[{source.kind, source.name}];
            if (slot) continue;
            slot = std::make_unique<Source>(api_, source_path(source.kind, options_.namespace_name, source.name));
            slot->watcher.set_on_step([this] { wake_.notify_all(); });
            tasks_.spawn("watcher of " + source.name, slot->watcher.run());
        }
    }
}

/// The kubelet's "FailedMount … retry", driven by events.
Awaitable<bool> PodRunner::wait_for_volumes() {
    while (!stopped_ && is_pod_there()) {
        const auto synced = sync_volumes();
        if (synced) co_return true;
        if (synced.error().context != last_complaint_) {
            last_complaint_ = synced.error().context;
            state_.sidecar.waiting_message = last_complaint_;
            log::info("the volumes are not ready, waiting", {{"pod", pod_.name}, {"reason", last_complaint_}});
            changed();
        }
        co_await wake_.wait();
    }
    co_return false;
}

/// Brings every volume to what its sources say now. A volume that has content keeps it where that fails.
Result<void> PodRunner::sync_volumes() {
    for (const auto& [id, source] : sources_) {
        if (!source->store.is_synced()) return fail(ErrorCode::unavailable, "reading " + id.second);
    }
    std::vector<op::ObjectPtr> held;  // for as long as the volumes are written
    const ObjectLookup lookup = [&](VolumeSource::Kind kind, const std::string& name) -> const Json* {
        const auto& source = *sources_.at({kind, name});
        return held.emplace_back(source.store.find(source.key)).get();
    };
    Result<void> outcome;
    for (const auto& volume : pod_.volumes) {
        if (volume.is_empty_dir) continue;
        auto payload = project(volume, options_.namespace_name, lookup);
        if (!payload) {
            if (outcome) outcome = fail(ErrorCode::not_found, "volume " + volume.name + ": " + payload.error().context);
            continue;
        }
        auto& before = payloads_[volume.name];
        auto written = write_atomically(volume_directories_.at(volume.name), before, *payload);
        if (!written) return written;
        if (before != *payload) log::info("wrote a volume", {{"volume", volume.name}, {"files", payload->size()}});
        before = std::move(*payload);
    }
    return outcome;
}

/// Follows everything until it is time to end.
Awaitable<void> PodRunner::live() {
    while (!stopped_ && is_pod_there()) {
        state_.sidecar = container_->state();
        if (state_.sidecar.is_started && !options_.app.empty() && !state_.app) {
            state_.app.emplace();
            tasks_.spawn("application", run_app());
        }
        if (state_.app && !state_.app->is_running && state_.app->last_exit) co_return;
        const auto synced = sync_volumes();
        if (!synced && synced.error().context != last_complaint_) {
            last_complaint_ = synced.error().context;
            log::warn("a volume keeps its last content", {{"reason", last_complaint_}});
        }
        co_await wake_.wait();
    }
}

Awaitable<void> PodRunner::run_app() {
    ProcessOptions options;
    options.argv = options_.app;
    options.env = pod_.app_env;
    auto started = Process::start(options);
    auto& state = *state_.app;
    state.started_at = std::chrono::system_clock::now();
    if (started) {
        app_.emplace(std::move(*started));
        state.is_running = state.is_started = true;
        changed();
        co_await wait_for(*app_, SteadyClock::time_point::max());
    } else {
        log::error("cannot start the application", {{"error", to_string(started.error())}});
    }
    const int code = app_ ? app_->kill() : 127;
    app_.reset();
    state.is_running = state.is_started = false;
    state.last_exit = Exit{code, state.started_at, std::chrono::system_clock::now()};
    changed();
}

void PodRunner::changed() {
    if (container_) state_.sidecar = container_->state();
    const bool is_ready = state_.sidecar.is_running && state_.sidecar.is_started;
    if (is_ready != was_ready_) state_.changed_at = std::chrono::system_clock::now();
    if (is_ready && !was_ready_ && state_.sidecar.restarts == 0) {
        std::cout << "started " << container_->pid() << std::endl;
    }
    was_ready_ = is_ready;
    status_is_due_ = true;
    wake_.notify_all();
}

Awaitable<void> PodRunner::write_statuses() {
    while (!ended_) {
        if (status_is_due_) {
            status_is_due_ = false;
            co_await write_status();
        } else {
            co_await wake_.wait();
        }
    }
}

Awaitable<void> PodRunner::write_status() {
    const auto path = op::pods(options_.namespace_name, options_.pod_name).with_subresource("status");
    const auto written = co_await api_.patch(path, op::PatchType::strategic, build_status(pod_, app_name_, state_));
    if (written || written.error().error.code == ErrorCode::not_found) co_return;
    log::warn("cannot write the pod's status", {{"error", to_string(written.error().error)}});
    if (!is_retryable(written.error().error)) co_return;
    status_is_due_ = true;
    co_await wake_.wait_until(SteadyClock::now() + 1s);
}

/// The application first, then the sidecar: a native sidecar outlives its application.
Awaitable<int> PodRunner::end(int code) {
    if (app_) app_->signal(SIGTERM);
    const auto deadline = SteadyClock::now() + options_.container_options.grace;
    while (app_ && SteadyClock::now() < deadline)
        co_await wake_.wait_until(deadline);
    if (container_) container_->stop();
    while (container_ && container_->pid() >= 0)
        co_await wake_.wait();
    if (is_pod_there() && container_) co_await write_status();
    ended_ = true;
    pod_watcher_.stop();
    for (const auto& [id, source] : sources_)
        source->watcher.stop();
    wake_.notify_all();
    co_await tasks_.join(SteadyClock::now() + 5s);
    co_return code;
}

}  // namespace cvp::test::podrun
