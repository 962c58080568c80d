#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/result.hpp"

namespace cvp::test::podrun {

/// An exec probe.
struct ExecProbe {
    std::vector<std::string> command;
    std::chrono::seconds initial_delay{0};
    std::chrono::seconds period{10};
    std::chrono::seconds timeout{1};
    int failure_threshold = 3;

    bool operator==(const ExecProbe&) const = default;
};

/// Where a volume appears in the container.
struct Mount {
    std::string volume;
    std::string path;
    bool is_read_only = false;

    bool operator==(const Mount&) const = default;
};

/// One container of a pod, as far as podrun runs it.
struct ContainerSpec {
    std::string name;
    std::string image;
    std::vector<std::string> argv;  ///< command and args
    std::vector<std::string> env;   ///< "NAME=value"
    std::vector<Mount> mounts;
    std::optional<ExecProbe> startup_probe;
    unsigned run_as_user = 65532;  ///< the container's, the pod's, or that of our images
};

/// One source of a projected volume (a plain configMap or secret volume has one).
struct VolumeSource {
    enum class Kind { config_map, secret };
    /// A key and where it goes.
    struct Item {
        std::string key;
        std::string path;
        std::optional<unsigned> mode;
    };
    Kind kind = Kind::config_map;
    std::string name;
    bool is_optional = false;
    std::optional<std::vector<Item>> items;  ///< nothing: all keys, by their names
};

/// A volume: files from sources, or an empty directory where there are none.
struct VolumeSpec {
    std::string name;
    unsigned default_mode = 0644;
    std::vector<VolumeSource> sources;
    bool is_empty_dir = false;
};

/// A native sidecar with the volumes that it mounts.
struct PodSpec {
    std::string name;
    std::string namespace_name;
    std::string uid;
    ContainerSpec sidecar;
    std::vector<VolumeSpec> volumes;
    /// env of the first application container, for a command that is run in its place.
    std::vector<std::string> app_env;
};

/// Takes the container of that name out of initContainers[].
///
/// @errors not_found where there is none; invalid_argument for what podrun does not do (subPath, other kinds of
///         volumes, other probes than exec, valueFrom), naming the key path
Result<PodSpec> parse_pod(const nlohmann::json& pod, const std::string& container);

/// Wraps the container's commands so that they run as restricted as in a pod: as its user, without capabilities,
/// without new privileges (setpriv does it). They still die with us.
void confine(ContainerSpec& container);

}  // namespace cvp::test::podrun
