#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/async/event.hpp"
#include "operator/kube/api.hpp"

namespace cvp::test {

/// A Kubernetes API in memory, for unit tests of what talks to KubeApi.
///
/// It keeps uid, resourceVersion and generation as the real one does, refuses a POST of what exists (409), an apply
/// with a stale resourceVersion (409) or a foreign uid (422), and writes nothing where an apply changes nothing. An
/// apply is a merge of maps in which lists are replaced. Selectors are "key=value", comma separated. What it cannot
/// show (schema, admission, ownership of fields, garbage collection) is tested on a real API server.
class FakeKubeApi final : public op::KubeApi {
public:
    /// One call, as it came.
    struct Call {
        /// "get", "list", "create", "replace", "apply", "patch", "delete", "watch", "watchlist"
        std::string verb;
        op::ResourcePath path;
        nlohmann::json body;
        std::string field_manager;
        bool force = false;
    };

    /// Stores an object as if somebody else had written it; watchers see it. Returns it as stored.
    nlohmann::json put(const op::ResourcePath& path, nlohmann::json object);
    /// Deletes an object as if somebody else had.
    void erase(const op::ResourcePath& path);
    /// The object as stored; null where there is none.
    nlohmann::json stored(const op::ResourcePath& path) const;

    /// The next call of this verb fails so; several are used up in order.
    void fail_next(const std::string& verb, op::KubeError error);
    void fail_next(const std::string& verb, ErrorCode code, const std::string& reason = {});

    /// Ends every open watch: with EOF, or with an ERROR event of that status code first.
    void end_watches(int error_code = 0);
    /// Sends a bookmark with the current version to every open watch.
    void send_bookmark();
    std::size_t open_watches() const;
    /// From now on it answers WatchLists, as servers from 1.32 on do; before, it answers 422.
    void stream_lists() { streams_lists_ = true; }

    const std::vector<Call>& calls() const { return calls_; }
    std::size_t count(const std::string& verb) const;
    void forget_calls() { calls_.clear(); }
    /// Signalled on every call and every change.
    Event& changed() { return changed_; }

    Awaitable<op::KubeResult<nlohmann::json>> get(op::ResourcePath path) override;
    Awaitable<op::KubeResult<std::unique_ptr<http::BodyStream>>> list(op::ResourcePath path,
                                                                      op::ListOptions options) override;
    Awaitable<op::KubeResult<nlohmann::json>> create(op::ResourcePath path, nlohmann::json object) override;
    Awaitable<op::KubeResult<nlohmann::json>> replace(op::ResourcePath path, nlohmann::json object) override;
    Awaitable<op::KubeResult<nlohmann::json>> apply(op::ResourcePath path, nlohmann::json object,
                                                    op::ApplyOptions options) override;
    /// Merge patches only.
    Awaitable<op::KubeResult<nlohmann::json>> patch(op::ResourcePath path, op::PatchType type,
                                                    nlohmann::json patch) override;
    Awaitable<op::KubeResult<void>> remove(op::ResourcePath path) override;
    Awaitable<op::KubeResult<std::unique_ptr<http::BodyStream>>> watch(op::ResourcePath path,
                                                                       op::WatchOptions options) override;

private:
    class Stream;
    struct Watch;

    std::optional<op::KubeError> begin(Call call);
    nlohmann::json write(const op::ResourcePath& path, nlohmann::json object, const char* event);
    void tell(const op::ResourcePath& path, const nlohmann::json& object, const char* event);

    std::map<std::string, std::pair<op::ResourcePath, nlohmann::json>> objects_;  ///< by target
    bool streams_lists_ = false;
    std::vector<std::weak_ptr<Watch>> watches_;
    std::vector<Call> calls_;
    std::map<std::string, std::deque<op::KubeError>> failures_;
    std::uint64_t version_ = 100;
    std::uint64_t uids_ = 0;
    Event changed_;
};

}  // namespace cvp::test
