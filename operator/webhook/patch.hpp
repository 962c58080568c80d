#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace cvp::op {

/// Escapes one key for a JSON pointer: '~' becomes "~0", '/' becomes "~1".
/// @source RFC 6901 section 3
std::string escape_pointer(std::string_view key);

/// Changes a document and writes down how, as a JSON Patch. It only ever adds, or replaces or moves single elements of
/// its own: a list or map that others may have written to is never replaced as a whole, and one that is absent, null
/// or of another type is made empty first. What is there already costs no operation: no operation, no change.
///
/// Pointers mean the document as it is by then. Owner: the caller.
/// @source RFC 6902
class Patch {
public:
    explicit Patch(const nlohmann::json& document);
    ~Patch();
    Patch(const Patch&) = delete;
    Patch& operator=(const Patch&) = delete;

    /// Sets member `key` of the object at `pointer`.
    void set(const std::string& pointer, std::string_view key, nlohmann::json value);

    /// Puts an element with a `name` into the array at `pointer`: in the place of the one of that name, else at the
    /// end.
    void put(const std::string& pointer, nlohmann::json element);

    /// Puts an element with a `name` into the array at `pointer` and to that position: counted without the one of that
    /// name, which it replaces, and at most at the end.
    void place(const std::string& pointer, nlohmann::json element, std::size_t position);

    /// Puts an element at the end of the array at `pointer`.
    void append(const std::string& pointer, nlohmann::json element);

    /// Puts elements in front of the array at `pointer`, in their order.
    void prepend(const std::string& pointer, std::vector<nlohmann::json> elements);

    /// The document with all changes.
    const nlohmann::json& document() const;

    /// The operations so far, an array.
    const nlohmann::json& operations() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace cvp::op
