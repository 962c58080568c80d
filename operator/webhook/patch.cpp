#include "operator/webhook/patch.hpp"

#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/json_access.hpp"

namespace cvp::op {

using nlohmann::json;

std::string escape_pointer(std::string_view key) {
    std::string escaped;
    for (const char c : key) {
        if (c == '~') {
            escaped += "~0";
        } else if (c == '/') {
            escaped += "~1";
        } else {
            escaped += c;
        }
    }
    return escaped;
}

struct Patch::Impl {
    explicit Impl(const json& original) : document(original) {}

    void add(std::string path, json value) { write("add", std::move(path), std::move(value)); }

    void write(std::string_view op, std::string path, json value) {
        operations.push_back({{"op", op}, {"path", std::move(path)}, {"value", std::move(value)}});
    }

    /// The container at `pointer`, which is added as `empty` first where the document has none.
    const json& container(const std::string& pointer, const json& empty) {
        const json::json_pointer where(pointer);
        if (document.contains(where) && document[where].type() == empty.type()) return document[where];
        if (added.insert(pointer).second) add(pointer, empty);
        return empty;
    }

    const json& document;
    json operations = json::array();
    std::set<std::string> added;
};

Patch::Patch(const json& document) : impl_(std::make_unique<Impl>(document)) {}
Patch::~Patch() = default;

void Patch::set(const std::string& pointer, std::string_view key, json value) {
    static const json kEmpty = json::object();
    impl_->container(pointer, kEmpty);
    impl_->add(pointer + "/" + escape_pointer(key), std::move(value));
}

void Patch::put(const std::string& pointer, json element) {
    static const json kEmpty = json::array();
    const auto index = index_of_named(impl_->container(pointer, kEmpty), find_string(element, {"name"}));
    if (index < 0) {
        impl_->add(pointer + "/-", std::move(element));
    } else {
        impl_->write("replace", pointer + "/" + std::to_string(index), std::move(element));
    }
}

void Patch::prepend(const std::string& pointer, json element) {
    static const json kEmpty = json::array();
    impl_->container(pointer, kEmpty);
    impl_->add(pointer + "/0", std::move(element));
}

const json& Patch::operations() const {
    return impl_->operations;
}

}  // namespace cvp::op
