#include "operator/reconcile/pod_counter.hpp"

#include <algorithm>
#include <cctype>
#include <functional>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/contract/connection_spec.hpp"
#include "common/contract/names.hpp"
#include "common/json_access.hpp"
#include "common/printable.hpp"
#include "common/rfc3339.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

/// A pod's owner may write our annotation, so what comes from it is bounded.
constexpr std::size_t kMaxVersion = 40;
constexpr std::size_t kMaxVersions = 8;
constexpr std::size_t kMaxReason = 64;

/// A UUID as two numbers; any other text by its hash.
std::array<std::uint64_t, 2> parse_uid(const std::string& text) {
    std::array<std::uint64_t, 2> uid{};
    std::size_t digits = 0;
    for (const char c : text) {
        if (c == '-') continue;
        if (std::isxdigit(static_cast<unsigned char>(c)) == 0 || digits == 32)
            return {std::hash<std::string>()(text), text.size()};
        const auto digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
        auto& half = uid[digits++ / 16];
        half = (half << 4U) | static_cast<std::uint64_t>(digit);
    }
    if (digits != 32) return {std::hash<std::string>()(text), text.size()};
    return uid;
}

json parse_annotation(const json& pod) {
    const auto& text = find_string(pod, {"metadata", "annotations", names::kStatusAnnotation});
    return json::parse(text, nullptr, /*allow_exceptions=*/false);
}

bool is_finished(const json& pod) {
    const auto& phase = find_string(pod, {"status", "phase"});
    return phase == "Succeeded" || phase == "Failed";
}

const json* find_sidecar(const json& pod) {
    const auto& statuses = find_array(pod, {"status", "initContainerStatuses"});
    const auto index = index_of_named(statuses, names::kSidecar);
    return index < 0 ? nullptr : &statuses[static_cast<std::size_t>(index)];
}

bool is_sidecar_ready(const json& pod) {
    const auto* sidecar = find_sidecar(pod);
    const auto* ready = sidecar == nullptr ? nullptr : find_value(*sidecar, {"ready"});
    return ready != nullptr && ready->is_boolean() && ready->get<bool>();
}

/// A container's end that was none of ours: not exit code 0.
const json* find_crash(const json& sidecar, std::string_view member) {
    const auto* ended = find_value(sidecar, {member, "terminated"});
    const auto* code = ended == nullptr ? nullptr : find_value(*ended, {"exitCode"});
    return code != nullptr && *code == 0 ? nullptr : ended;
}

std::optional<PodFailure> find_failure(const json& pod) {
    const auto* sidecar = find_sidecar(pod);
    if (sidecar == nullptr) return std::nullopt;
    const auto& name = find_string(pod, {"metadata", "name"});
    for (const auto* member : {"state", "lastState"}) {
        if (const auto* ended = find_crash(*sidecar, member)) {
            return PodFailure{name, find_string(*ended, {"reason"}), find_string(*ended, {"finishedAt"})};
        }
    }
    const auto& waiting = find_string(*sidecar, {"state", "waiting", "reason"});
    const bool is_trouble = waiting.ends_with("BackOff") || waiting.starts_with("Err") || waiting.ends_with("Error");
    if (!is_trouble) return std::nullopt;
    // The kubelet does not date it: the pod's creation is when it began at the latest.
    return PodFailure{name, waiting, find_string(pod, {"metadata", "creationTimestamp"})};
}

}  // namespace

std::set<ObjectKey> PodCounter::apply(const WatchDelta& delta, std::uint8_t source) {
    std::set<ObjectKey> changed;
    switch (delta.kind) {
        case WatchDelta::Kind::list_started:
            is_synced_.emplace(source, false);
            for (auto& [uid, pod] : pods_) {
                if (pod.source == source) pod.is_listed = false;
            }
            break;
        case WatchDelta::Kind::listed:
        case WatchDelta::Kind::applied:
            put(*delta.object, source, changed);
            break;
        case WatchDelta::Kind::deleted:
            erase(parse_uid(find_string(*delta.object, {"metadata", "uid"})), changed);
            break;
        case WatchDelta::Kind::list_complete:
            sweep(source, changed);
            if (!std::exchange(is_synced_[source], true)) {
                for (const auto& [connection, groups] : groups_of_)
                    changed.insert(connection);
            }
            break;
    }
    return changed;
}

std::optional<PodStatus> PodCounter::find(const ObjectKey& connection) const {
    const auto is_ready = [](const auto& source) { return source.second; };
    if (is_synced_.empty() || !std::all_of(is_synced_.begin(), is_synced_.end(), is_ready)) return std::nullopt;
    PodStatus status;
    const auto groups = groups_of_.find(connection);
    if (groups == groups_of_.end()) return status;
    std::map<std::string, std::int64_t> versions;
    for (const auto id : groups->second) {
        const auto& group = groups_.at(id);
        status.total += group.total;
        status.ready += group.ready;
        versions[group.version] += group.total;
    }
    std::vector<std::pair<std::int64_t, std::string>> ranked;
    for (const auto& [version, count] : versions)
        ranked.emplace_back(-count, version);
    std::sort(ranked.begin(), ranked.end());
    ranked.resize(std::min(ranked.size(), kMaxVersions));
    for (const auto& [count, version] : ranked)
        status.versions += fmt::format("{}{}:{}", status.versions.empty() ? "" : " ", version, -count);
    if (const auto failure = failures_.find(connection); failure != failures_.end()) {
        status.last_failure = failure->second;
    }
    return status;
}

std::uint32_t PodCounter::group_of(const json& pod) {
    const auto annotation = parse_annotation(pod);
    const auto& name_space = find_string(pod, {"metadata", "namespace"});
    auto version = printable(find_string(annotation, {"version"}), kMaxVersion);
    if (version.empty()) version = "unknown";
    std::set<std::string> names;
    for (const auto& connection : find_array(annotation, {"connections"})) {
        const auto& name = find_string(connection, {"name"});
        if (is_connection_name(name) && names.size() < kMaxConnections) names.insert(name);
    }
    auto key = name_space + "\n" + version;
    for (const auto& name : names)
        key += "\n" + name;
    const auto [known, is_new] = group_ids_.emplace(key, next_group_);
    if (!is_new) return known->second;

    Group group;
    group.key = std::move(key);
    group.version = std::move(version);
    for (const auto& name : names) {
        group.connections.push_back({name_space, name});
        groups_of_[group.connections.back()].insert(next_group_);
    }
    groups_.emplace(next_group_, std::move(group));
    return next_group_++;
}

void PodCounter::put(const json& pod, std::uint8_t source, std::set<ObjectKey>& changed) {
    const auto uid = parse_uid(find_string(pod, {"metadata", "uid"}));
    if (is_finished(pod)) {
        if (const auto known = pods_.find(uid); known != pods_.end()) {
            note_failure(pod, groups_.at(known->second.group), changed);
        }
        erase(uid, changed);
        return;
    }
    const auto id = group_of(pod);
    const bool is_ready = is_sidecar_ready(pod);
    const auto known = pods_.find(uid);
    const bool is_same = known != pods_.end() && known->second.group == id && known->second.is_ready == is_ready;
    if (!is_same) {
        auto& group = groups_.at(id);
        ++group.total;  // before the old place is left, so that the group stays
        group.ready += is_ready ? 1 : 0;
        if (known != pods_.end()) leave(known->second, changed);
        changed.insert(group.connections.begin(), group.connections.end());
    }
    pods_[uid] = Pod{id, source, is_ready, true};
    note_failure(pod, groups_.at(id), changed);
}

void PodCounter::erase(const Uid& uid, std::set<ObjectKey>& changed) {
    const auto known = pods_.find(uid);
    if (known == pods_.end()) return;
    leave(known->second, changed);
    pods_.erase(known);
}

void PodCounter::leave(const Pod& pod, std::set<ObjectKey>& changed) {
    const auto place = groups_.find(pod.group);
    auto& group = place->second;
    --group.total;
    group.ready -= pod.is_ready ? 1 : 0;
    changed.insert(group.connections.begin(), group.connections.end());
    if (group.total > 0) return;
    for (const auto& connection : group.connections) {
        auto& groups = groups_of_[connection];
        groups.erase(pod.group);
        if (!groups.empty()) continue;
        groups_of_.erase(connection);
        failures_.erase(connection);
    }
    group_ids_.erase(group.key);
    groups_.erase(place);
}

/// A list is complete: what it did not tell is gone.
void PodCounter::sweep(std::uint8_t source, std::set<ObjectKey>& changed) {
    for (auto it = pods_.begin(); it != pods_.end();) {
        if (it->second.source == source && !it->second.is_listed) {
            leave(it->second, changed);
            it = pods_.erase(it);
        } else {
            ++it;
        }
    }
}

void PodCounter::note_failure(const json& pod, const Group& group, std::set<ObjectKey>& changed) {
    auto failure = find_failure(pod);
    if (!failure || !parse_rfc3339(failure->time)) return;
    failure->reason = printable(failure->reason, kMaxReason);
    if (failure->reason.empty()) failure->reason = "Error";
    for (const auto& connection : group.connections) {
        auto& latest = failures_[connection];
        if (!latest.time.empty() && *parse_rfc3339(failure->time) <= *parse_rfc3339(latest.time)) continue;
        latest = *failure;
        changed.insert(connection);
    }
}

}  // namespace cvp::op
