#include "tests/support/podrun/pod_spec.hpp"

#include <utility>

#include "common/json_access.hpp"

namespace cvp::test::podrun {
namespace {

using Json = nlohmann::json;

tl::unexpected<Error> unsupported(const std::string& what) {
    return fail(ErrorCode::invalid_argument, "podrun does not do this: " + what);
}

std::vector<std::string> read_strings(const Json& array) {
    std::vector<std::string> strings;
    for (const auto& each : array)
        strings.push_back(each.get<std::string>());
    return strings;
}

int read_int(const Json& object, const char* key, int otherwise) {
    const auto* value = find_value(object, {key});
    return value && value->is_number_integer() ? value->get<int>() : otherwise;
}

bool read_bool(const Json& object, const char* key) {
    const auto* value = find_value(object, {key});
    return value && value->is_boolean() && value->get<bool>();
}

Result<std::vector<std::string>> read_env(const Json& container, const std::string& where) {
    std::vector<std::string> env;
    for (const auto& each : find_array(container, {"env"})) {
        if (find_value(each, {"valueFrom"})) return unsupported(where + ".env[].valueFrom");
        env.push_back(find_string(each, {"name"}) + "=" + find_string(each, {"value"}));
    }
    return env;
}

Result<std::optional<ExecProbe>> read_probe(const Json& container, const std::string& where) {
    const auto* found = find_value(container, {"startupProbe"});
    if (!found) return std::optional<ExecProbe>();
    if (!find_value(*found, {"exec"})) return unsupported(where + ".startupProbe without exec");
    ExecProbe probe;
    probe.command = read_strings(find_array(*found, {"exec", "command"}));
    probe.initial_delay = std::chrono::seconds(read_int(*found, "initialDelaySeconds", 0));
    probe.period = std::chrono::seconds(read_int(*found, "periodSeconds", 10));
    probe.timeout = std::chrono::seconds(read_int(*found, "timeoutSeconds", 1));
    probe.failure_threshold = read_int(*found, "failureThreshold", 3);
    return probe;
}

VolumeSource read_source(VolumeSource::Kind kind, const Json& source, const char* name_key) {
    VolumeSource made;
    made.kind = kind;
    made.name = find_string(source, {name_key});
    made.is_optional = read_bool(source, "optional");
    if (find_value(source, {"items"})) {
        made.items.emplace();
        for (const auto& item : find_array(source, {"items"})) {
            const int mode = read_int(item, "mode", -1);
            made.items->push_back({find_string(item, {"key"}), find_string(item, {"path"}),
                                   mode < 0 ? std::nullopt : std::optional(static_cast<unsigned>(mode))});
        }
    }
    return made;
}

Result<VolumeSpec> read_volume(const Json& volume) {
    VolumeSpec made;
    made.name = find_string(volume, {"name"});
    const auto where = "volume " + made.name;
    using Kind = VolumeSource::Kind;
    if (find_value(volume, {"emptyDir"})) {
        made.is_empty_dir = true;
    } else if (const auto* config_map = find_value(volume, {"configMap"})) {
        made.default_mode = static_cast<unsigned>(read_int(*config_map, "defaultMode", 0644));
        made.sources.push_back(read_source(Kind::config_map, *config_map, "name"));
    } else if (const auto* secret = find_value(volume, {"secret"})) {
        made.default_mode = static_cast<unsigned>(read_int(*secret, "defaultMode", 0644));
        made.sources.push_back(read_source(Kind::secret, *secret, "secretName"));
    } else if (const auto* projected = find_value(volume, {"projected"})) {
        made.default_mode = static_cast<unsigned>(read_int(*projected, "defaultMode", 0644));
        for (const auto& source : find_array(*projected, {"sources"})) {
            if (const auto* from_map = find_value(source, {"configMap"})) {
                made.sources.push_back(read_source(Kind::config_map, *from_map, "name"));
            } else if (const auto* from_secret = find_value(source, {"secret"})) {
                made.sources.push_back(read_source(Kind::secret, *from_secret, "name"));
            } else {
                return unsupported(where + ": a projected source that is neither configMap nor secret");
            }
        }
    } else {
        return unsupported(where + ": it is none of projected, configMap, secret, emptyDir");
    }
    return made;
}

unsigned read_user(const Json& pod, const Json& container) {
    const auto* user = find_value(container, {"securityContext", "runAsUser"});
    if (!user) user = find_value(pod, {"spec", "securityContext", "runAsUser"});
    return user && user->is_number_integer() ? user->get<unsigned>() : ContainerSpec().run_as_user;
}

Result<ContainerSpec> read_container(const Json& pod, const Json& container) {
    ContainerSpec made;
    made.name = find_string(container, {"name"});
    made.image = find_string(container, {"image"});
    made.argv = read_strings(find_array(container, {"command"}));
    if (made.argv.empty()) return unsupported(made.name + " without command (an image's entry point)");
    for (auto& arg : read_strings(find_array(container, {"args"})))
        made.argv.push_back(std::move(arg));
    auto env = read_env(container, made.name);
    if (!env) return fail(std::move(env).error());
    made.env = std::move(*env);
    auto probe = read_probe(container, made.name);
    if (!probe) return fail(std::move(probe).error());
    made.startup_probe = std::move(*probe);
    made.run_as_user = read_user(pod, container);
    for (const auto& mount : find_array(container, {"volumeMounts"})) {
        if (find_value(mount, {"subPath"}) || find_value(mount, {"subPathExpr"})) {
            return unsupported(made.name + ".volumeMounts[].subPath");
        }
        made.mounts.push_back(
            {find_string(mount, {"name"}), find_string(mount, {"mountPath"}), read_bool(mount, "readOnly")});
    }
    return made;
}

}  // namespace

Result<PodSpec> parse_pod(const Json& pod, const std::string& container) {
    PodSpec made;
    made.name = find_string(pod, {"metadata", "name"});
    made.namespace_name = find_string(pod, {"metadata", "namespace"});
    made.uid = find_string(pod, {"metadata", "uid"});
    const auto& init_containers = find_array(pod, {"spec", "initContainers"});
    const auto index = index_of_named(init_containers, container);
    if (index < 0) return fail(ErrorCode::not_found, "pod " + made.name + " has no initContainer " + container);
    const auto& found = init_containers[static_cast<std::size_t>(index)];
    if (find_string(found, {"restartPolicy"}) != "Always") {
        return unsupported(container + " that is no native sidecar (restartPolicy: Always)");
    }
    auto sidecar = read_container(pod, found);
    if (!sidecar) return fail(std::move(sidecar).error());
    made.sidecar = std::move(*sidecar);

    const auto& volumes = find_array(pod, {"spec", "volumes"});
    for (const auto& mount : made.sidecar.mounts) {
        const auto place = index_of_named(volumes, mount.volume);
        if (place < 0) return fail(ErrorCode::invalid_argument, "no volume " + mount.volume);
        auto volume = read_volume(volumes[static_cast<std::size_t>(place)]);
        if (!volume) return fail(std::move(volume).error());
        made.volumes.push_back(std::move(*volume));
    }
    for (const auto& app : find_array(pod, {"spec", "containers"})) {
        if (auto env = read_env(app, "containers[0]")) made.app_env = std::move(*env);
        break;
    }
    return made;
}

void confine(ContainerSpec& container) {
    const auto id = std::to_string(container.run_as_user);
    // A change of the user clears the signal that the kernel sends when we die: setpriv sets it again.
    const std::vector<std::string> wrapper = {"setpriv",        "--reuid=" + id,       "--regid=" + id,
                                              "--clear-groups", "--inh-caps=-all",     "--bounding-set=-all",
                                              "--no-new-privs", "--pdeathsig=SIGKILL", "--"};
    container.argv.insert(container.argv.begin(), wrapper.begin(), wrapper.end());
    if (auto& probe = container.startup_probe) {
        probe->command.insert(probe->command.begin(), wrapper.begin(), wrapper.end());
    }
}

}  // namespace cvp::test::podrun
