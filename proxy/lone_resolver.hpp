#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/http/client.hpp"
#include "common/providers/memorystore_valkey.hpp"
#include "proxy/config.hpp"
#include "proxy/connection.hpp"
#include "proxy/iam.hpp"
#include "proxy/view.hpp"

namespace cvp::proxy {

/// When the lone proxy resolves again: every interval; but one minute after the last try already while its upstream is
/// not reached, because the instance may have moved.
bool is_resolve_due(SteadyClock::time_point now, SteadyClock::time_point last_try, SteadyClock::duration interval,
                    bool is_upstream_reached);

/// Does for `--instance` what the operator does in a cluster: asks the cloud where the instance is and hands the
/// resolved document to the connection. What the answers mean is common/providers' business.
///
/// It never ends the process: faults are retried (1 s doubling to 60 s, or as the cloud says) and told to clients, and
/// the last good document stays. Owner: the App. Main loop only.
class LoneResolver {
public:
    /// @param iam, connection outlive the resolver
    LoneResolver(asio::io_context& io, InstanceSource source, Iam& iam, Connection& connection);
    LoneResolver(const LoneResolver&) = delete;
    LoneResolver& operator=(const LoneResolver&) = delete;

    /// Resolves, waits, resolves again, until stop().
    Awaitable<void> run();
    void stop();

    const ResolverView& view() const { return view_; }

private:
    /// What is wrong with a document that was handed over all the same (a cluster); empty: nothing.
    using Caveat = std::string;

    Awaitable<providers::Resolved<Caveat>> resolve();
    Awaitable<providers::Resolved<providers::InstanceName>> find_name();
    Awaitable<providers::Resolved<http::Response>> ask(const providers::InstanceName& name, std::string target);
    Awaitable<std::optional<Token>> wait_for_token();
    providers::Resolved<Caveat> hand_over(const providers::InstanceName& name,
                                          const providers::memorystore::InstanceFacts& facts);
    Awaitable<void> wait_until_due();
    Awaitable<void> pause(SteadyClock::duration duration);
    void note_success(const Caveat& caveat);
    void note_failure(const providers::Refusal& refusal);
    void note_error(std::string_view reason, const std::string& message);

    asio::io_context& io_;
    InstanceSource source_;
    Iam& iam_;
    Connection& connection_;
    std::unique_ptr<http::Client> client_;  ///< only while resolving: the system's CA bundle is a megabyte
    std::string ca_pem_;                    ///< the last good one
    std::optional<ResolvedConnection> last_good_;
    SteadyClock::time_point last_try_;
    ResolverView view_;
    Event wake_;
    bool stopped_ = false;
};

}  // namespace cvp::proxy
