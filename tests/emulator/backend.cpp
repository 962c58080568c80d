#include "tests/emulator/backend.hpp"

#include <algorithm>

namespace cvp::emulator {
namespace {

bool contains(const std::vector<Secret>& secrets, const Secret& secret) {
    return std::find(secrets.begin(), secrets.end(), secret) != secrets.end();
}

tls::ServerOptions shown(const test::ValkeyIdentity& identity) {
    tls::ServerOptions options;
    options.certificate_pem = identity.certificate_pem;
    options.key_pem = identity.key_pem;
    return options;
}

Result<test::ValkeyServer> start_server(test::ValkeyOptions options, const std::filesystem::path& dir) {
    std::error_code ec;
    std::filesystem::remove_all(dir, ec);
    std::filesystem::create_directories(dir, ec);
    if (ec) return fail(ErrorCode::internal, dir.string() + ": " + ec.message());
    options.dir = dir;
    return test::ValkeyServer::start(std::move(options));
}

}  // namespace

Result<Backend> Backend::start(const InstanceRequest& request, const std::filesystem::path& dir,
                               const test::TestCa* shared_ca, const std::vector<Secret>& logins) {
    Backend backend(request);
    backend.logins_ = logins;
    backend.cas_.push_back(shared_ca != nullptr ? *shared_ca : test::TestCa("Memorystore Server CA"));

    test::ValkeyOptions options;
    options.bind = request.primary_ip;
    if (request.reader == ReaderKind::primary && request.reader_ip != request.primary_ip)
        options.bind += " " + request.reader_ip;
    options.port = request.has_front ? std::uint16_t{0} : request.port;
    options.require_password = request.has_auth;
    options.passwords = logins;
    if (request.has_tls) options.tls = backend.cas_.back().valkey(request.leaf, backend.primary_ips());
    auto primary = start_server(options, dir / "primary");
    if (!primary) return fail(std::move(primary).error());
    backend.primary_ = std::move(*primary);
    if (request.has_front)
        if (auto started = backend.start_front(); !started) return fail(std::move(started).error());

    if (request.reader == ReaderKind::replica) {
        options.bind = request.reader_ip;
        options.port = 0;
        options.admin_password = backend.primary_->admin_password();
        options.replica_of = {request.primary_ip, backend.primary_->port()};
        if (request.has_tls) options.tls = backend.cas_.back().valkey(request.leaf, {request.reader_ip});
        auto replica = start_server(options, dir / "reader");
        if (!replica) return fail(std::move(replica).error());
        backend.replica_ = std::move(*replica);
    }
    return backend;
}

std::vector<std::string> Backend::primary_ips() const {
    if (request_.reader == ReaderKind::primary) return {request_.primary_ip, request_.reader_ip};
    return {request_.primary_ip};
}

Result<void> Backend::start_front() {
    FrontOptions options;
    options.listen = {request_.primary_ip, request_.port};
    auto front = Front::start(std::move(options));
    if (!front) return fail(std::move(front).error());
    front_ = std::move(*front);
    return follow_primary();
}

Result<void> Backend::follow_primary() {
    if (!front_) return {};
    const auto& identity = primary_->options().tls;
    front_->set_logins(request_.has_auth ? std::optional(logins_) : std::nullopt);
    if (auto led = front_->lead_to({request_.primary_ip, primary_->port()}, identity.has_value()); !led) return led;
    return front_->show(identity ? std::optional(shown(*identity)) : std::nullopt);
}

Address Backend::primary() const {
    return front_ ? front_->address() : Address{request_.primary_ip, primary_->port()};
}

Address Backend::reader() const {
    return {request_.reader_ip, replica_ ? replica_->port() : primary_->port()};
}

std::vector<std::string> Backend::ca_chains() const {
    std::vector<std::string> chains;
    if (request_.has_tls)
        for (const auto& ca : cas_)
            chains.push_back(ca.pem());
    return chains;
}

Result<void> Backend::set_logins(const std::vector<Secret>& logins) {
    Result<void> outcome;
    for (auto* server : {&*primary_, reader_server()}) {
        if (server == nullptr) continue;
        for (const auto& login : logins)
            if (!contains(logins_, login))
                if (auto done = server->allow(login); !done) outcome = done;
        for (const auto& login : logins_)
            if (!contains(logins, login))
                if (auto done = server->refuse(login); !done) outcome = done;
    }
    logins_ = logins;
    if (front_ && request_.has_auth) front_->set_logins(logins);
    return outcome;
}

Result<void> Backend::reconnect_replica() {
    if (!replica_) return {};
    replica_->options().replica_of = {request_.primary_ip, primary_->port()};
    if (!replica_->is_running()) return {};
    auto done = replica_->admin_text({"REPLICAOF", request_.primary_ip, std::to_string(primary_->port())});
    if (!done) return fail(std::move(done).error());
    return {};
}

Result<void> Backend::move(std::uint16_t port) {
    if (front_) return front_->move(port);
    if (auto moved = primary_->restart(port); !moved) return moved;
    return reconnect_replica();
}

Result<void> Backend::rotate_ca(bool keep_old) {
    if (!keep_old) cas_.clear();
    cas_.emplace_back("Memorystore Server CA " + std::to_string(cas_.size() + 1));
    return show(request_.leaf, false);
}

Result<void> Backend::show(test::Leaf leaf, bool foreign_ca) {
    const auto signer = foreign_ca ? test::TestCa("Foreign CA") : cas_.back();
    // A replica trusts what clients trust, so that it follows its primary through a rotation.
    std::string trusted;
    for (const auto& ca : cas_)
        trusted += ca.pem();
    auto identity = signer.valkey(leaf, primary_ips());
    identity.ca_pem = trusted;
    if (auto shown = primary_->show(std::move(identity)); !shown) return shown;
    if (auto followed = follow_primary(); !followed || !replica_) return followed;
    auto reader = signer.valkey(leaf, {request_.reader_ip});
    reader.ca_pem = trusted;
    return replica_->show(std::move(reader));
}

Result<void> Backend::set_modes(bool has_tls, bool has_auth) {
    if (has_auth != request_.has_auth) {
        request_.has_auth = has_auth;
        for (auto* server : {&*primary_, reader_server()})
            if (server != nullptr)
                if (auto done = server->require_password(has_auth); !done) return done;
    }
    if (has_tls == request_.has_tls) return follow_primary();
    request_.has_tls = has_tls;
    primary_->options().tls.reset();
    if (has_tls) primary_->options().tls = cas_.back().valkey(request_.leaf, primary_ips());
    if (auto restarted = primary_->restart(); !restarted) return restarted;
    if (auto followed = follow_primary(); !followed || !replica_) return followed;
    replica_->options().tls.reset();
    if (has_tls) replica_->options().tls = cas_.back().valkey(request_.leaf, {request_.reader_ip});
    return replica_->restart();
}

void follow_backend(InstanceRecord& record, const Backend& backend) {
    const auto [ip, port] = backend.primary();
    for (const auto* type : {"CONNECTION_TYPE_PRIMARY", "CONNECTION_TYPE_DISCOVERY"})
        record.document = with_endpoint(record.document, type, ip, port);
    const auto reader = backend.reader();
    record.document = with_endpoint(record.document, "CONNECTION_TYPE_READER", reader.ip, reader.port);
    record.ca_chains = backend.ca_chains();
}

}  // namespace cvp::emulator
