#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/async/asio.hpp"
#include "proxy/client_rules.hpp"
#include "proxy/config.hpp"
#include "proxy/data_plane.hpp"
#include "proxy/document.hpp"

namespace cvp::proxy {

/// What a connection needs of the application.
struct ConnectionContext {
    std::string listen;                     ///< IP literal
    std::shared_ptr<TlsServerProfile> tls;  ///< what TCP clients meet; null: plain
    ClientRules clients;
    std::function<Result<Port*>(PortOptions)> open_port;
    /// Who logs in with what that document says; null for auth.mode None.
    std::function<std::shared_ptr<LoginSource>(const Document&)> make_login;
    std::optional<AgeLimits> login_age;  ///< of every login, instead of what its provider allows: for tests
};

/// One connection that is served: its ports and the document that they follow.
///
/// Owner: the App. Its document comes from a ConnectionWatcher or from the LoneResolver, whole and checked; a bad one
/// is reported with reject() and the last good one stays. Main loop only.
class Connection {
public:
    Connection(std::string name, LocalPorts ports, ConnectionContext context);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Binds the primary's port and unix socket, and the readers' port unless it waits for a reader.
    /// @errors as DataPlane::open(): the process exits 69
    Result<void> open_ports();

    /// Follows `document` from now on: new clients go where it says. The same document again changes nothing.
    /// @errors invalid_argument if the data path cannot use it (CA, certificate), or if it would open to everybody what
    ///         other machines can reach: everything stays as it was
    Result<void> apply(Document document);

    /// Asks clients for `password` from now on, in place of the document's: the flag's outranks it. Running sessions
    /// keep what they have.
    void set_client_password(std::optional<Secret> password);

    /// Says to clients that may come in why there is no document yet. Without effect once there is one.
    void explain_unresolved(const std::string& why);

    /// Takes note that a new document is not usable and why; the same again changes nothing.
    void reject(const std::string& why);

    const std::string& name() const { return name_; }
    const std::optional<Document>& document() const { return document_; }
    /// Null until bound.
    const Port* primary() const { return primary_; }
    const Port* readers() const { return readers_; }

    std::uint64_t applied() const { return applied_; }    ///< documents followed so far; 0: not resolved yet
    std::uint64_t rejected() const { return rejected_; }  ///< documents refused so far
    std::optional<SystemClock::time_point> applied_at() const { return applied_at_; }
    const std::string& last_rejection() const { return last_rejection_; }  ///< "" while the newest document is in use

private:
    Destination make_destination(const Document& document, EndpointRole role, std::shared_ptr<LoginSource> login,
                                 const ClientPolicy& clients) const;
    Result<Port*> open(EndpointRole role, std::uint16_t port);
    void open_readers_on_demand(const Document& document);
    Result<void> follow(const Document& document);

    std::string name_;
    LocalPorts ports_;
    ConnectionContext context_;
    Port* primary_ = nullptr;
    Port* readers_ = nullptr;
    bool readers_failed_ = false;
    std::optional<Document> document_;
    std::string unresolved_;                 ///< what clients are told while there is no document
    std::optional<Secret> client_password_;  ///< the flag's
    std::uint64_t applied_ = 0;
    std::uint64_t rejected_ = 0;
    std::optional<SystemClock::time_point> applied_at_;
    std::string last_rejection_;
};

}  // namespace cvp::proxy
