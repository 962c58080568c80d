#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace cvp::op {

/// Escapes one key for a JSON pointer: '~' becomes "~0", '/' becomes "~1".
/// @source RFC 6901 section 3
std::string escape_pointer(std::string_view key);

/// Collects the operations of a JSON Patch against one document. It only ever adds, or replaces single elements of its
/// own: a list or map that others may have written to is never replaced as a whole, and one that is absent (or null)
/// is added empty first.
///
/// Owner: the caller; the document must outlive it and is not changed.
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

    /// Puts an element in front of the array at `pointer`. Call it after every put() to the same array.
    void prepend(const std::string& pointer, nlohmann::json element);

    /// The operations so far, an array.
    const nlohmann::json& operations() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace cvp::op
