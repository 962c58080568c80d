#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "common/async/asio.hpp"
#include "common/http/client.hpp"
#include "operator/kube/list_options.hpp"
#include "operator/kube/resource_path.hpp"
#include "operator/kube/status_error.hpp"

namespace cvp::op {

/// How a server-side apply owns its fields. Not an aggregate.
struct ApplyOptions {
    explicit ApplyOptions(std::string field_manager_, bool force_ = true)
        : field_manager(std::move(field_manager_)), force(force_) {}

    std::string field_manager;
    bool force;  ///< take fields that another manager owns
};

/// Kinds of PATCH besides apply.
enum class PatchType {
    merge,      ///< RFC 7386, application/merge-patch+json
    json,       ///< RFC 6902, application/json-patch+json
    strategic,  ///< built-in kinds only
};

/// The Kubernetes API as we use it: the process edge. Tests put a fake here; `KubeClient` is the real one.
///
/// Objects are JSON documents as the server writes them. Every call has a deadline of its own and is made once: who
/// calls decides about retries (`is_retryable`, `retry_after`). An expired token is read again and the call repeated
/// once inside. One io_context, one thread; it outlives its users.
///
/// @errors of every call: KubeError with the server's Status, or http_status 0 with timeout, unavailable, tls_failed,
///         cancelled (close())
class KubeApi {
public:
    virtual ~KubeApi() = default;

    /// Reads an object.
    virtual Awaitable<KubeResult<nlohmann::json>> get(ResourcePath path) = 0;

    /// Opens one page of a collection: the body of a List, for runtime/list_decoder. Its items carry no apiVersion and
    /// kind.
    /// @errors gone: the continue token is too old
    virtual Awaitable<KubeResult<std::unique_ptr<http::BodyStream>>> list(ResourcePath path, ListOptions options) = 0;

    /// Creates an object by POST; `path` is its collection or its full path (the name is then left out).
    /// @return the object as stored
    /// @errors conflict with reason AlreadyExists
    virtual Awaitable<KubeResult<nlohmann::json>> create(ResourcePath path, nlohmann::json object) = 0;

    /// Replaces an object by PUT; its metadata.resourceVersion is the precondition.
    /// @return the object as stored
    /// @errors conflict: somebody else was faster
    virtual Awaitable<KubeResult<nlohmann::json>> replace(ResourcePath path, nlohmann::json object) = 0;

    /// Server-side apply. `object` holds apiVersion, kind, metadata.name and the fields to own; metadata.uid and
    /// metadata.resourceVersion are preconditions. The subresource is the path's.
    /// @return the object as stored
    virtual Awaitable<KubeResult<nlohmann::json>> apply(ResourcePath path, nlohmann::json object,
                                                        ApplyOptions options) = 0;

    /// Patches an object.
    /// @return the object as stored
    virtual Awaitable<KubeResult<nlohmann::json>> patch(ResourcePath path, PatchType type, nlohmann::json patch) = 0;

    /// Deletes an object, in the background where it has dependents.
    virtual Awaitable<KubeResult<void>> remove(ResourcePath path) = 0;

    /// Opens a watch: a stream of JSON objects {"type","object"}, one per line, cut anywhere (runtime/json_lines).
    /// @errors gone: resource_version is too old (the same can come inside the stream as an ERROR event);
    ///         invalid_argument: the server knows no WatchList
    virtual Awaitable<KubeResult<std::unique_ptr<http::BodyStream>>> watch(ResourcePath path, WatchOptions options) = 0;
};

}  // namespace cvp::op
