#include "operator/cli/manifest.hpp"

#include <charconv>
#include <istream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "common/config/file.hpp"
#include "common/json_access.hpp"
#include "common/yaml/parser.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;

constexpr yaml::Limits kLimits{.max_bytes = 8 * 1024 * 1024, .max_depth = 64, .max_nodes = 200'000};

/// A scalar without quotes by the rules of YAML 1.2's core schema, and "yes" and the like as kubectl does not take
/// them.
json scalar_of(const yaml::Node& node) {
    const auto& text = node.scalar;
    if (!node.is_plain) return text;
    if (text == "true" || text == "false") return text == "true";
    if (text == "null" || text == "~" || text.empty()) return nullptr;
    const char* const end = text.data() + text.size();
    std::int64_t whole = 0;
    if (std::from_chars(text.data(), end, whole).ptr == end) return whole;
    double number = 0;
    const bool may_be_number = (text[0] >= '0' && text[0] <= '9') || text[0] == '-' || text[0] == '.';
    if (may_be_number && std::from_chars(text.data(), end, number).ptr == end) return number;
    return text;
}

json json_of(const yaml::Node& node) {
    switch (node.kind) {
        case yaml::Node::Kind::null:
            return nullptr;
        case yaml::Node::Kind::scalar:
            return scalar_of(node);
        case yaml::Node::Kind::list: {
            auto list = json::array();
            for (const auto& item : node.items)
                list.push_back(json_of(item));
            return list;
        }
        case yaml::Node::Kind::map: {
            auto map = json::object();
            for (const auto& [key, value] : node.fields)
                map[key] = json_of(value);
            return map;
        }
    }
    return nullptr;
}

/// The documents of a stream: a line "---" separates them.
std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> documents;
    std::size_t begin = 0;
    for (std::size_t line = 0; line < text.size();) {
        const auto end = std::min(text.find('\n', line), text.size());
        const auto content = text.substr(line, end - line);
        if (content == "---" || content.starts_with("--- ") || content == "---\r") {
            documents.push_back(text.substr(begin, line - begin));
            begin = std::min(end + 1, text.size());
        }
        line = end + 1;
    }
    documents.push_back(text.substr(begin));
    return documents;
}

}  // namespace

Result<std::string> load_manifest(const std::string& file, std::istream& in) {
    if (file != "-") return load_file(file);
    return std::string(std::istreambuf_iterator<char>(in), {});
}

Result<std::vector<json>> read_manifests(std::string_view text) {
    std::vector<json> objects;
    std::size_t number = 0;
    for (const auto document : split(text)) {
        ++number;
        const auto node = yaml::parse(document, kLimits);
        if (!node)
            return fail(ErrorCode::invalid_argument,
                        "document " + std::to_string(number) + ": " + describe_faults("", {node.error()}));
        if (node->kind == yaml::Node::Kind::null) continue;
        auto object = json_of(*node);
        if (!object.is_object() || find_string(object, {"kind"}).empty())
            return fail(ErrorCode::invalid_argument,
                        "document " + std::to_string(number) + " is no Kubernetes object: it has no kind");
        if (find_string(object, {"kind"}) == "List") {
            const auto& items = find_array(object, {"items"});
            objects.insert(objects.end(), items.begin(), items.end());
        } else {
            objects.push_back(std::move(object));
        }
    }
    return objects;
}

std::string write_manifests(const std::vector<json>& objects) {
    if (objects.size() == 1) return objects.front().dump(2) + "\n";
    return json{{"apiVersion", "v1"}, {"kind", "List"}, {"items", objects}}.dump(2) + "\n";
}

const char* pod_place(const json& object) {
    const auto& kind = find_string(object, {"kind"});
    if (kind == "Pod") return "";
    for (const auto* workload :
         {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"}) {
        if (kind == workload) return "/spec/template";
    }
    return kind == "CronJob" ? "/spec/jobTemplate/spec/template" : nullptr;
}

json pod_of(const json& object, const char* place) {
    auto pod = object.value(json::json_pointer(place), json::object());
    pod["apiVersion"] = "v1";
    pod["kind"] = "Pod";
    return pod;
}

}  // namespace cvp::op
