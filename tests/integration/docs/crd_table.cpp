#include "tests/integration/docs/crd_table.hpp"

#include <stdexcept>

namespace cvp::test {
namespace {

const yaml::Node* find(const yaml::Node& node, const std::string& key) {
    for (const auto& [name, value] : node.fields)
        if (name == key) return &value;
    return nullptr;
}

const yaml::Node& at(const yaml::Node& node, const std::string& key) {
    if (const auto* value = find(node, key)) return *value;
    throw std::runtime_error("the CRD has no " + key);
}

std::string text_of(const yaml::Node& node, const std::string& key) {
    const auto* value = find(node, key);
    return value ? value->scalar : std::string();
}

/// "Full, ChainOnly or None", "integer, 1 to 1000000", "list of string".
std::string type_of(const yaml::Node& schema) {
    if (const auto* words = find(schema, "enum")) {
        std::string list;
        for (const auto& word : words->items)
            list += (list.empty() ? "" : ", ") + ("`" + word.scalar + "`");
        return list;
    }
    auto type = text_of(schema, "type");
    if (type == "array") return "list of " + text_of(at(schema, "items"), "type");
    const auto least = text_of(schema, "minimum"), most = text_of(schema, "maximum");
    if (!least.empty()) type += most.empty() ? ", " + least + " or more" : ", " + least + " to " + most;
    return type;
}

std::string in_one_line(std::string text) {
    for (auto& letter : text)
        if (letter == '\n') letter = ' ';
    for (auto bar = text.find('|'); bar != std::string::npos; bar = text.find('|', bar + 2))
        text.replace(bar, 1, "\\|");
    while (text.ends_with(' '))
        text.pop_back();
    return text;
}

void add_fields(const yaml::Node& schema, const std::string& path, std::string& lines) {
    const auto* properties = find(schema, "properties");
    if (properties == nullptr) return;
    for (const auto& [name, field] : properties->fields) {
        const auto here = path + "." + name;
        const auto* fallback = find(field, "default");
        const bool has_value = fallback != nullptr && fallback->kind == yaml::Node::Kind::scalar;
        lines += "| `" + here + "` | " + type_of(field) + " | ";
        if (has_value) lines += fallback->scalar.empty() ? "empty" : "`" + fallback->scalar + "`";
        lines += " | " + in_one_line(text_of(field, "description")) + " |\n";
        add_fields(field, here, lines);
        if (const auto* items = find(field, "items")) add_fields(*items, here + "[]", lines);
    }
}

}  // namespace

std::string crd_table(const yaml::Node& crd, const std::string& part) {
    const auto& schema = at(at(at(at(crd, "spec"), "versions").items.at(0), "schema"), "openAPIV3Schema");
    std::string lines = "| field | type | default | meaning |\n|---|---|---|---|\n";
    add_fields(at(at(schema, "properties"), part), part, lines);
    return lines;
}

}  // namespace cvp::test
