#include "tests/support/podrun/projection.hpp"

#include <filesystem>
#include <utility>

#include "common/crypto/base64.hpp"
#include "common/json_access.hpp"

namespace cvp::test::podrun {
namespace {

using Json = nlohmann::json;
using Kind = VolumeSource::Kind;

/// All keys of an object, decoded.
Result<std::map<std::string, std::string>> contents(Kind kind, const Json& object) {
    std::map<std::string, std::string> values;
    const auto take = [&](const char* member, bool is_base64) -> Result<void> {
        const auto* data = find_value(object, {member});
        if (!data || !data->is_object()) return {};
        for (const auto& [key, value] : data->items()) {
            auto text = value.get<std::string>();
            if (is_base64) {
                auto decoded = crypto::base64_decode(text);
                if (!decoded) return fail(std::move(decoded).error());
                text = std::move(*decoded);
            }
            values.insert_or_assign(key, std::move(text));
        }
        return {};
    };
    auto taken = take("data", kind == Kind::secret);
    if (taken && kind == Kind::config_map) taken = take("binaryData", true);
    if (!taken) return fail(std::move(taken).error());
    return values;
}

bool stays_inside(const std::string& path) {
    if (path.empty() || path.front() == '/' || path.starts_with("..")) return false;
    for (const auto& part : std::filesystem::path(path)) {
        if (part == "..") return false;
    }
    return true;
}

Result<void> add_source(const VolumeSource& source, unsigned default_mode, const std::string& namespace_name,
                        const ObjectLookup& lookup, Payload& payload) {
    const char* word = source.kind == Kind::secret ? "secret" : "configmap";
    const auto* object = lookup(source.kind, source.name);
    if (!object) {
        if (source.is_optional) return {};
        return fail(ErrorCode::not_found,
                    std::string(word) + " \"" + namespace_name + "/" + source.name + "\" not found");
    }
    auto values = contents(source.kind, *object);
    if (!values) return fail(std::move(values).error());
    if (!source.items) {
        for (auto& [key, value] : *values)
            payload.insert_or_assign(key, PayloadFile{std::move(value), default_mode});
        return {};
    }
    for (const auto& item : *source.items) {
        const auto found = values->find(item.key);
        if (found == values->end()) {
            if (source.is_optional) continue;
            return fail(ErrorCode::not_found, std::string(word) + " references non-existent key: " + item.key);
        }
        if (!stays_inside(item.path)) return fail(ErrorCode::invalid_argument, "path leaves the volume: " + item.path);
        payload.insert_or_assign(item.path, PayloadFile{found->second, item.mode.value_or(default_mode)});
    }
    return {};
}

}  // namespace

Result<Payload> project(const VolumeSpec& volume, const std::string& namespace_name, const ObjectLookup& lookup) {
    Payload payload;
    for (const auto& source : volume.sources) {
        auto added = add_source(source, volume.default_mode, namespace_name, lookup, payload);
        if (!added) return fail(std::move(added).error());
    }
    return payload;
}

}  // namespace cvp::test::podrun
