#include "proxy/connection.hpp"

#include <utility>

#include "common/contract/names.hpp"
#include "common/log/log.hpp"
#include "proxy/destination.hpp"

namespace cvp::proxy {
namespace {

void log_warnings(const std::string& connection, const std::vector<Fault>& warnings) {
    for (const auto& warning : warnings) {
        log::warn("the document says something that is ignored",
                  {{"connection", connection}, {"key", warning.key_path}, {"warning", warning.message}});
    }
}

}  // namespace

Connection::Connection(std::string name, LocalPorts ports, ConnectionContext context)
    : name_(std::move(name)), ports_(std::move(ports)), context_(std::move(context)) {}

Result<void> Connection::open_ports() {
    auto primary = open(EndpointRole::primary, ports_.primary);
    if (!primary) return fail(std::move(primary).error());
    primary_ = *primary;
    if (ports_.readers && !ports_.readers_on_demand) {
        auto readers = open(EndpointRole::reader, *ports_.readers);
        if (!readers) return fail(std::move(readers).error());
        readers_ = *readers;
    }
    return {};
}

Result<void> Connection::apply(Document document) {
    auto& mode = document.connection.proxy.client_auth;
    mode = context_.clients.mode.value_or(mode);
    if (document_ == document) {
        last_rejection_.clear();
        return {};
    }
    if (auto why = find_exposure(mode, context_.clients)) {
        reject("proxy.clientAuth: " + *why);
        return fail(ErrorCode::invalid_argument, "proxy.clientAuth: " + *std::move(why));
    }
    open_readers_on_demand(document);
    if (auto changed = follow(document); !changed) {
        reject(changed.error().context);
        return changed;
    }
    ++applied_;
    applied_at_ = SystemClock::now();
    last_rejection_.clear();
    const auto* endpoint = document.connection.find(EndpointRole::primary);
    log::info("the connection follows a new document", {{"connection", name_},
                                                        {"host", endpoint->host},
                                                        {"port", endpoint->port},
                                                        {"topology", to_string(document.connection.topology)},
                                                        {"auth", to_string(document.connection.auth.mode)},
                                                        {"tls", to_string(document.connection.tls.mode)},
                                                        {"verify", tls::to_string(document.connection.tls.verify)},
                                                        {"generation", applied_}});
    log_warnings(name_, document.warnings);
    document_ = std::move(document);
    return {};
}

Destination Connection::make_destination(const Document& document, EndpointRole role,
                                         std::shared_ptr<LoginSource> login, const ClientPolicy& clients) const {
    auto destination = build_destination(document, role, std::move(login), clients);
    auto* target = std::get_if<Target>(&destination.to);
    if (target != nullptr && target->login && context_.login_age) target->age = context_.login_age;
    return destination;
}

Result<void> Connection::follow(const Document& document) {
    const auto clients =
        build_client_policy(document.connection.proxy.client_auth,
                            client_password_ ? client_password_ : document.client_password, context_.clients);
    if (clients.asks_for_login() && !clients.password) {
        log::warn("clients must log in, but there is no password: nobody is let in",
                  {{"connection", name_}, {"file", names::kClientPasswordFile}});
    }
    auto login = context_.make_login(document);
    auto changed = primary_->set_destination(make_destination(document, EndpointRole::primary, login, clients));
    // What the primary's port accepts the readers' port accepts: both take TLS from the same document.
    if (changed && readers_ != nullptr) {
        changed =
            readers_->set_destination(make_destination(document, EndpointRole::reader, std::move(login), clients));
    }
    return changed;
}

void Connection::set_client_password(std::optional<Secret> password) {
    if (client_password_ == password) return;
    client_password_ = std::move(password);
    if (!document_) {
        if (!unresolved_.empty()) explain_unresolved(std::string(unresolved_));
        return;
    }
    log::info("clients log in with a new password from now on", {{"connection", name_}});
    // The data path has taken this document before.
    static_cast<void>(follow(*document_));
}

void Connection::explain_unresolved(const std::string& why) {
    if (document_) return;
    unresolved_ = why;
    for (auto* port : {primary_, readers_}) {
        if (port == nullptr) continue;
        Destination destination;
        destination.to = make_local_error(Cause::not_resolved, why);
        destination.clients =
            build_client_policy(context_.clients.mode.value_or(ClientAuth::accept), client_password_, context_.clients);
        // A local error needs no TLS context: nothing can be refused.
        static_cast<void>(port->set_destination(std::move(destination)));
    }
}

void Connection::reject(const std::string& why) {
    if (last_rejection_ == why) return;
    ++rejected_;
    last_rejection_ = why;
    log::error(document_ ? "a new document cannot be used: the connection keeps the last good one"
                         : "the document cannot be used",
               {{"connection", name_}, {"faults", why}});
}

Result<Port*> Connection::open(EndpointRole role, std::uint16_t port) {
    PortOptions options;
    options.connection = name_;
    options.role = role;
    options.address = context_.listen;
    options.port = port;
    if (role == EndpointRole::primary) options.unix_socket = ports_.unix_socket;
    options.tls = context_.tls;
    return context_.open_port(std::move(options));
}

/// A default that nobody wrote must not end the process when its port is taken: it is said once.
void Connection::open_readers_on_demand(const Document& document) {
    if (!ports_.readers_on_demand || readers_ != nullptr || readers_failed_) return;
    if (document.connection.find(EndpointRole::reader) == nullptr) {
        if (!document_) {
            log::info("the instance has no reader: the readers' port is not opened",
                      {{"connection", name_}, {"readers_port", *ports_.readers}});
        }
        return;
    }
    auto readers = open(EndpointRole::reader, *ports_.readers);
    if (readers) {
        readers_ = *readers;
        return;
    }
    readers_failed_ = true;
    log::error("readers are not served: give them a free port with --readers-port",
               {{"connection", name_}, {"error", to_string(readers.error())}});
}

}  // namespace cvp::proxy
