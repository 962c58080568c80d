#include "tests/support/fake_kube_api.hpp"

#include <algorithm>
#include <utility>

namespace cvp::test {
namespace {

using Json = nlohmann::json;
using op::KubeError;
using op::KubeResult;
using op::ResourcePath;

ResourcePath object_of(const ResourcePath& path) {
    return path.with_subresource("");
}

KubeError refusal(unsigned status, const std::string& reason, const std::string& message) {
    KubeError error;
    error.http_status = status;
    error.reason = reason;
    error.error = {op::error_code_of(status), message};
    return error;
}

bool is_selected(const std::string& selector, const Json& values) {
    for (std::size_t begin = 0; begin < selector.size();) {
        const auto end = std::min(selector.find(',', begin), selector.size());
        const auto term = selector.substr(begin, end - begin);
        const auto equals = term.find('=');
        if (values.value(term.substr(0, equals), std::string()) != term.substr(equals + 1)) return false;
        begin = end + 1;
    }
    return true;
}

/// Whether an object at `path` belongs to the collection and the selectors.
bool is_in(const ResourcePath& collection, const std::string& labels, const std::string& fields,
           const ResourcePath& path, const Json& object) {
    if (collection.group != path.group || collection.plural != path.plural) return false;
    if (!collection.namespace_name.empty() && collection.namespace_name != path.namespace_name) return false;
    const Json by_field = {{"metadata.name", path.name}, {"metadata.namespace", path.namespace_name}};
    return is_selected(labels, object["metadata"].value("labels", Json::object())) && is_selected(fields, by_field);
}

Json without_version(Json object) {
    object["metadata"].erase("resourceVersion");
    return object;
}

}  // namespace

struct FakeKubeApi::Watch {
    ResourcePath collection{"", "", ""};
    op::WatchOptions options;
    std::deque<std::string> lines;
    bool ended = false;
    bool closed = false;
    Event changed;

    void push(const char* type, const Json& object) {
        lines.push_back(Json{{"type", type}, {"object", object}}.dump() + "\n");
        changed.notify_all();
    }
};

class FakeKubeApi::Stream final : public http::BodyStream {
public:
    explicit Stream(std::shared_ptr<Watch> watch) : watch_(std::move(watch)) {}

    unsigned status() const override { return 200; }
    const http::Headers& headers() const override { return headers_; }

    Awaitable<Result<std::string>> read_some(SteadyClock::time_point deadline) override {
        const auto watch = watch_;
        while (watch->lines.empty() && !watch->ended && !watch->closed) {
            if (!co_await watch->changed.wait_until(deadline) && SteadyClock::now() >= deadline) {
                co_return fail(ErrorCode::timeout, "nothing came");
            }
        }
        if (watch->closed) co_return fail(ErrorCode::cancelled, "closed");
        std::string piece;
        if (!watch->lines.empty()) {
            piece = std::move(watch->lines.front());
            watch->lines.pop_front();
        }
        co_return piece;
    }

    void close() override {
        watch_->closed = true;
        watch_->changed.notify_all();
    }

private:
    std::shared_ptr<Watch> watch_;
    http::Headers headers_;
};

Json FakeKubeApi::put(const ResourcePath& path, Json object) {
    const bool is_new = stored(path).is_null();
    auto made = write(object_of(path), std::move(object), is_new ? "ADDED" : "MODIFIED");
    changed_.notify_all();
    return made;
}

void FakeKubeApi::erase(const ResourcePath& path) {
    const auto found = objects_.find(object_of(path).target());
    if (found == objects_.end()) return;
    auto object = std::move(found->second.second);
    objects_.erase(found);
    object["metadata"]["resourceVersion"] = std::to_string(++version_);
    tell(object_of(path), object, "DELETED");
    changed_.notify_all();
}

Json FakeKubeApi::stored(const ResourcePath& path) const {
    const auto found = objects_.find(object_of(path).target());
    return found == objects_.end() ? Json() : found->second.second;
}

void FakeKubeApi::fail_next(const std::string& verb, KubeError error) {
    failures_[verb].push_back(std::move(error));
}

void FakeKubeApi::fail_next(const std::string& verb, ErrorCode code, const std::string& reason) {
    KubeError error;
    error.error = {code, "scripted failure of " + verb};
    error.reason = reason;
    fail_next(verb, std::move(error));
}

void FakeKubeApi::end_watches(int error_code) {
    for (const auto& weak : watches_) {
        const auto watch = weak.lock();
        if (!watch) continue;
        if (error_code != 0) watch->push("ERROR", {{"kind", "Status"}, {"code", error_code}, {"message", "scripted"}});
        watch->ended = true;
        watch->changed.notify_all();
    }
    watches_.clear();
}

void FakeKubeApi::send_bookmark() {
    for (const auto& weak : watches_) {
        if (const auto watch = weak.lock()) {
            watch->push("BOOKMARK", {{"metadata", {{"resourceVersion", std::to_string(version_)}}}});
        }
    }
}

std::size_t FakeKubeApi::open_watches() const {
    return static_cast<std::size_t>(
        std::count_if(watches_.begin(), watches_.end(), [](const auto& weak) { return !weak.expired(); }));
}

std::size_t FakeKubeApi::count(const std::string& verb) const {
    return static_cast<std::size_t>(
        std::count_if(calls_.begin(), calls_.end(), [&](const Call& call) { return call.verb == verb; }));
}

Awaitable<KubeResult<Json>> FakeKubeApi::get(ResourcePath path) {
    if (auto error = begin({"get", path, {}, {}, false})) co_return tl::unexpected(std::move(*error));
    auto object = stored(path);
    if (object.is_null()) co_return tl::unexpected(refusal(404, "NotFound", "get " + path.describe() + ": not found"));
    co_return object;
}

Awaitable<KubeResult<std::unique_ptr<http::BodyStream>>> FakeKubeApi::list(ResourcePath path, op::ListOptions options) {
    if (auto error = begin({"list", path, {}, {}, false})) co_return tl::unexpected(std::move(*error));
    Json list = {{"metadata", {{"resourceVersion", std::to_string(version_)}}}, {"items", Json::array()}};
    // A page goes on after the target that its token names.
    auto next = options.continue_token.empty() ? objects_.begin() : objects_.upper_bound(options.continue_token);
    for (; next != objects_.end(); ++next) {
        const auto& [place, object] = next->second;
        if (!is_in(path, options.label_selector, options.field_selector, place, object)) continue;
        if (options.limit > 0 && list["items"].size() == static_cast<std::size_t>(options.limit)) {
            list["metadata"]["continue"] = std::prev(next)->first;
            break;
        }
        list["items"].push_back(object);
    }
    auto page = std::make_shared<Watch>();
    page->lines.push_back(list.dump());
    page->ended = true;
    std::unique_ptr<http::BodyStream> stream = std::make_unique<Stream>(std::move(page));
    co_return stream;
}

Awaitable<KubeResult<Json>> FakeKubeApi::create(ResourcePath path, Json object) {
    if (auto error = begin({"create", path, object, {}, false})) co_return tl::unexpected(std::move(*error));
    auto place = path.collection();
    place.name = object.at("metadata").at("name").get<std::string>();
    if (!stored(place).is_null()) {
        co_return tl::unexpected(refusal(409, "AlreadyExists", "create " + place.describe() + ": already exists"));
    }
    co_return put(place, std::move(object));
}

Awaitable<KubeResult<Json>> FakeKubeApi::replace(ResourcePath path, Json object) {
    if (auto error = begin({"replace", path, object, {}, false})) co_return tl::unexpected(std::move(*error));
    const auto before = stored(path);
    if (before.is_null()) co_return tl::unexpected(refusal(404, "NotFound", path.describe() + " not found"));
    const auto& version = object["metadata"]["resourceVersion"];
    if (!version.is_null() && version != before["metadata"]["resourceVersion"]) {
        co_return tl::unexpected(refusal(409, "Conflict", "the object has been modified"));
    }
    co_return put(path, std::move(object));
}

Awaitable<KubeResult<Json>> FakeKubeApi::apply(ResourcePath path, Json object, op::ApplyOptions options) {
    if (auto error = begin({"apply", path, object, options.field_manager, options.force})) {
        co_return tl::unexpected(std::move(*error));
    }
    auto merged = stored(path);
    if (merged.is_null()) {
        if (!path.subresource.empty() || object["metadata"].contains("uid")) {
            const unsigned status = path.subresource.empty() ? 409 : 404;
            co_return tl::unexpected(refusal(status, "", "apply " + path.describe() + ": there is none"));
        }
        co_return put(path, std::move(object));
    }
    auto& metadata = object["metadata"];
    if (metadata.contains("uid") && metadata["uid"] != merged["metadata"]["uid"]) {
        co_return tl::unexpected(refusal(422, "Invalid", "metadata.uid: field is immutable"));
    }
    if (metadata.contains("resourceVersion") && metadata["resourceVersion"] != merged["metadata"]["resourceVersion"]) {
        co_return tl::unexpected(refusal(409, "Conflict", "the object has been modified"));
    }
    const auto before = merged;
    if (path.subresource.empty()) {
        merged.merge_patch(object);
    } else {
        merged[path.subresource].merge_patch(object.value(path.subresource, Json::object()));
    }
    if (without_version(merged) == without_version(before)) co_return before;
    co_return put(path, std::move(merged));
}

Awaitable<KubeResult<Json>> FakeKubeApi::patch(ResourcePath path, op::PatchType, Json patch) {
    if (auto error = begin({"patch", path, patch, {}, false})) co_return tl::unexpected(std::move(*error));
    auto merged = stored(path);
    if (merged.is_null()) co_return tl::unexpected(refusal(404, "NotFound", path.describe() + " not found"));
    merged.merge_patch(patch);
    co_return put(path, std::move(merged));
}

Awaitable<KubeResult<void>> FakeKubeApi::remove(ResourcePath path) {
    if (auto error = begin({"delete", path, {}, {}, false})) co_return tl::unexpected(std::move(*error));
    if (stored(path).is_null()) co_return tl::unexpected(refusal(404, "NotFound", path.describe() + " not found"));
    erase(path);
    co_return KubeResult<void>();
}

Awaitable<KubeResult<std::unique_ptr<http::BodyStream>>> FakeKubeApi::watch(ResourcePath path,
                                                                            op::WatchOptions options) {
    const bool is_list = options.send_initial_events;
    if (auto error = begin({is_list ? "watchlist" : "watch", path, options.resource_version, {}, false})) {
        co_return tl::unexpected(std::move(*error));
    }
    if (is_list && !streams_lists_) {
        co_return tl::unexpected(refusal(422, "Invalid", "sendInitialEvents is forbidden"));
    }
    auto watch = std::make_shared<Watch>();
    watch->collection = std::move(path);
    watch->options = std::move(options);
    watches_.push_back(watch);
    // What was written between the list and now.
    for (const auto& [target, entry] : objects_) {
        const auto& [place, object] = entry;
        const auto version = object["metadata"]["resourceVersion"].get<std::string>();
        if (std::stoull(version) > std::stoull("0" + watch->options.resource_version) &&
            is_in(watch->collection, watch->options.label_selector, watch->options.field_selector, place, object)) {
            watch->push(is_list ? "ADDED" : "MODIFIED", object);
        }
    }
    if (is_list) {
        watch->push("BOOKMARK", {{"metadata",
                                  {{"resourceVersion", std::to_string(version_)},
                                   {"annotations", {{"k8s.io/initial-events-end", "true"}}}}}});
    }
    std::unique_ptr<http::BodyStream> stream = std::make_unique<Stream>(std::move(watch));
    co_return stream;
}

std::optional<KubeError> FakeKubeApi::begin(Call call) {
    auto& scripted = failures_[call.verb];
    calls_.push_back(std::move(call));
    changed_.notify_all();
    if (scripted.empty()) return std::nullopt;
    auto error = std::move(scripted.front());
    scripted.pop_front();
    return error;
}

Json FakeKubeApi::write(const ResourcePath& path, Json object, const char* event) {
    const auto before = stored(path);
    auto& metadata = object["metadata"];
    metadata["name"] = path.name;
    if (!path.namespace_name.empty()) metadata["namespace"] = path.namespace_name;
    if (before.is_null()) {
        metadata["uid"] = "uid-" + std::to_string(++uids_);
        metadata["generation"] = 1;
    } else {
        metadata["uid"] = before["metadata"]["uid"];
        const bool same_spec = before.value("spec", Json()) == object.value("spec", Json());
        metadata["generation"] = before["metadata"]["generation"].get<int>() + (same_spec ? 0 : 1);
    }
    metadata["resourceVersion"] = std::to_string(++version_);
    objects_.insert_or_assign(path.target(), std::pair(path, object));
    tell(path, object, event);
    return object;
}

void FakeKubeApi::tell(const ResourcePath& path, const Json& object, const char* event) {
    for (const auto& weak : watches_) {
        const auto watch = weak.lock();
        if (!watch) continue;
        if (is_in(watch->collection, watch->options.label_selector, watch->options.field_selector, path, object)) {
            watch->push(event, object);
        }
    }
}

}  // namespace cvp::test
