#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/async/asio.hpp"
#include "common/async/event.hpp"
#include "common/async/task_group.hpp"
#include "common/http/server.hpp"
#include "common/result.hpp"
#include "tests/emulator/admin_api.hpp"
#include "tests/emulator/front_request.hpp"
#include "tests/emulator/instance_request.hpp"
#include "tests/emulator/state.hpp"

namespace cvp::emulator {

struct EmulatorOptions {
    std::string listen = "127.0.0.1:0";           ///< Memorystore REST
    std::string metadata_listen = "127.0.0.1:0";  ///< metadata server
    std::string admin_listen = "127.0.0.1:0";     ///< admin API
    bool https = false;         ///< REST over TLS, also by Google's name; its CA goes to DIR/api-ca.crt
    std::filesystem::path dir;  ///< files of the Valkeys, ready.json
    std::vector<InstanceRequest> instances;
    std::vector<FrontRequest> fronts;  ///< "front-1", … in this order
    MetadataSettings metadata;
    std::chrono::seconds token_lifetime{3600};
};

/// The emulated cloud: three HTTP servers and the Valkeys behind its instances.
///
/// Owner: main() or a test; one io_context, one thread, and it must outlive the io_context's run. Its Valkeys end with
/// it. Every minted token is a login of every Valkey before the answer that carries it is sent.
class Emulator {
public:
    Emulator(asio::io_context& io, EmulatorOptions options);
    ~Emulator();

    /// Starts Valkeys and servers and writes DIR/ready.json.
    /// @errors as ValkeyServer::start and http::Server::listen
    Result<void> start();

    /// Where everything is: {"rest", "metadata", "admin", "pid", "instances": {NAME: {"primary", "reader", "caFile"}},
    /// "fronts": {NAME: {"host", "port", "caFile"}}}.
    std::string ready_json();

    /// Closes the servers and ends the Valkeys.
    Awaitable<void> stop();

    State& state() { return state_; }

private:
    Awaitable<http::Response> on_rest(http::Request request, http::Peer peer);
    Awaitable<http::Response> on_metadata(http::Request request, http::Peer peer);
    Awaitable<http::Response> on_admin(http::Request request, http::Peer peer);

    Result<void> start_instance(const InstanceRequest& request);
    Result<void> start_front(const FrontRequest& request);
    std::filesystem::path front_ca_file(const std::string& name) const;
    Result<void> start_rest();
    /// Opens or closes the metadata server's port as the state says; a port once given stays its own.
    Result<void> listen_for_metadata();
    void follow_tokens();
    Awaitable<void> expire_tokens();

    asio::io_context& io_;
    EmulatorOptions options_;
    State state_;
    Backends backends_;
    Fronts fronts_;
    std::map<std::string, test::TestCa> shared_cas_;  ///< by "projects/P/locations/L"
    AdminApi admin_;
    std::unique_ptr<http::Server> rest_server_;
    std::unique_ptr<http::Server> metadata_server_;  ///< nullptr while it is down
    std::unique_ptr<http::Server> admin_server_;
    std::string metadata_address_;  ///< "127.0.0.1:port" once bound
    TaskGroup tasks_;
    Event tokens_changed_;
    bool stopped_ = false;
};

}  // namespace cvp::emulator
