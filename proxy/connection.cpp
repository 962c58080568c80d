#include "proxy/connection.hpp"

#include <utility>

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
    : name_(std::move(name)), ports_(ports), context_(std::move(context)) {}

Result<void> Connection::open_ports() {
    auto primary = open(EndpointRole::primary, ports_.primary);
    if (!primary) return fail(std::move(primary).error());
    primary_ = *primary;
    if (!ports_.readers || ports_.readers_on_demand) return {};
    auto readers = open(EndpointRole::reader, *ports_.readers);
    if (!readers) return fail(std::move(readers).error());
    readers_ = *readers;
    return {};
}

Result<void> Connection::apply(Document document) {
    if (document_ == document) {
        last_rejection_.clear();
        return {};
    }
    open_readers_on_demand(document);
    auto login = context_.make_login(document);
    auto changed = primary_->set_destination(build_destination(document, EndpointRole::primary, login));
    // What the primary's port accepts the readers' port accepts: both take TLS from the same document.
    if (changed && readers_ != nullptr) {
        changed = readers_->set_destination(build_destination(document, EndpointRole::reader, std::move(login)));
    }
    if (!changed) {
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

void Connection::explain_unresolved(const std::string& why) {
    if (document_) return;
    for (auto* port : {primary_, readers_}) {
        if (port == nullptr) continue;
        Destination destination;
        destination.to = make_local_error(Cause::not_resolved, why);
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
