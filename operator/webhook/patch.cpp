#include "operator/webhook/patch.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/json_access.hpp"

namespace cvp::op {

using nlohmann::json;

namespace {

std::string element_of(const std::string& pointer, std::size_t index) {
    return pointer + "/" + std::to_string(index);
}

}  // namespace

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

    /// (A list in braces would copy the value, twice.)
    void write(const char* op, std::string path, json value) {
        json operation = {{"op", op}, {"path", std::move(path)}};
        operation["value"] = std::move(value);
        operations.push_back(std::move(operation));
    }

    void add(std::string path, json value) { write("add", std::move(path), std::move(value)); }

    /// The container at `pointer`, made empty first where there is none of that type.
    json& container(const std::string& pointer, json::value_t type) {
        const json::json_pointer where(pointer);
        if (document.contains(where)) {
            if (auto& found = document[where]; found.type() == type) return found;
        }
        container(pointer.substr(0, pointer.rfind('/')), json::value_t::object);
        add(pointer, json(type));
        return document[where] = json(type);
    }

    json& list(const std::string& pointer) { return container(pointer, json::value_t::array); }

    void insert(json& list, const std::string& pointer, std::size_t index, json element) {
        add(element_of(pointer, index), element);
        list.insert(list.begin() + static_cast<std::ptrdiff_t>(index), std::move(element));
    }

    void replace(json& list, const std::string& pointer, std::size_t index, json element) {
        if (list[index] == element) return;
        write("replace", element_of(pointer, index), element);
        list[index] = std::move(element);
    }

    json document;
    json operations = json::array();
};

Patch::Patch(const json& document) : impl_(std::make_unique<Impl>(document)) {}
Patch::~Patch() = default;

void Patch::set(const std::string& pointer, std::string_view key, json value) {
    auto& object = impl_->container(pointer, json::value_t::object);
    auto& member = object[std::string(key)];
    if (member == value) return;
    impl_->add(pointer + "/" + escape_pointer(key), value);
    member = std::move(value);
}

void Patch::put(const std::string& pointer, json element) {
    auto& list = impl_->list(pointer);
    const auto index = index_of_named(list, find_string(element, {"name"}));
    if (index < 0) {
        impl_->insert(list, pointer, list.size(), std::move(element));
    } else {
        impl_->replace(list, pointer, static_cast<std::size_t>(index), std::move(element));
    }
}

void Patch::place(const std::string& pointer, json element, std::size_t position) {
    auto& list = impl_->list(pointer);
    if (const auto index = index_of_named(list, find_string(element, {"name"})); index >= 0) {
        if (static_cast<std::size_t>(index) == position) {
            impl_->replace(list, pointer, position, std::move(element));
            return;
        }
        impl_->operations.push_back({{"op", "remove"}, {"path", element_of(pointer, static_cast<std::size_t>(index))}});
        list.erase(static_cast<std::size_t>(index));
    }
    impl_->insert(list, pointer, std::min(position, list.size()), std::move(element));
}

void Patch::append(const std::string& pointer, json element) {
    auto& list = impl_->list(pointer);
    impl_->insert(list, pointer, list.size(), std::move(element));
}

void Patch::prepend(const std::string& pointer, std::vector<json> elements) {
    auto& list = impl_->list(pointer);
    for (std::size_t index = 0; index < elements.size(); ++index)
        impl_->insert(list, pointer, index, std::move(elements[index]));
}

const json& Patch::document() const {
    return impl_->document;
}

const json& Patch::operations() const {
    return impl_->operations;
}

}  // namespace cvp::op
