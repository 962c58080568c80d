#include "tests/emulator/emulator.hpp"

#include <fstream>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "common/log/log.hpp"
#include "tests/emulator/memorystore_api.hpp"
#include "tests/emulator/metadata_api.hpp"

namespace cvp::emulator {
namespace {

using namespace std::chrono_literals;

constexpr auto kStopLimit = 2s;

std::string host_of(const std::string& address) {
    return address.substr(0, address.rfind(':'));
}

Result<void> write_file(const std::filesystem::path& file, const std::string& content) {
    // By rename: whoever waits for the file never sees half of it.
    const auto draft = file.string() + ".new";
    std::ofstream out(draft, std::ios::trunc);
    out << content;
    out.close();
    std::error_code ec;
    std::filesystem::rename(draft, file, ec);
    if (!out || ec) return fail(ErrorCode::internal, "cannot write " + file.string());
    return {};
}

}  // namespace

Emulator::Emulator(asio::io_context& io, EmulatorOptions options)
    : io_(io), options_(std::move(options)), admin_(state_, backends_, fronts_), tasks_(io) {
    state_.metadata = options_.metadata;
    state_.tokens.set_lifetime(options_.token_lifetime);
}

Emulator::~Emulator() = default;

Result<void> Emulator::start() {
    std::error_code ec;
    std::filesystem::create_directories(options_.dir, ec);
    options_.dir = std::filesystem::absolute(options_.dir);
    if (ec) return fail(ErrorCode::invalid_argument, "--dir " + options_.dir.string() + ": " + ec.message());
    for (const auto& request : options_.instances)
        if (auto started = start_instance(request); !started) return started;
    for (const auto& request : options_.fronts)
        if (auto started = start_front(request); !started) return started;

    if (auto started = start_rest(); !started) return started;
    if (auto listening = listen_for_metadata(); !listening) return listening;
    admin_server_ = std::make_unique<http::Server>(
        io_, [this](http::Request request, http::Peer peer) { return on_admin(std::move(request), std::move(peer)); });
    if (auto listening = admin_server_->listen(options_.admin_listen); !listening) return listening;
    tasks_.spawn("expire tokens", expire_tokens());
    return write_file(options_.dir / "ready.json", ready_json());
}

Result<void> Emulator::start_instance(const InstanceRequest& request) {
    auto& record = state_.instances[request.name.full()];
    record.document = build_instance(shape_of(request));
    const test::TestCa* shared_ca = nullptr;
    if (request.has_shared_ca) {
        shared_ca = &shared_cas_.try_emplace(request.name.parent(), "Memorystore Shared CA").first->second;
        state_.shared_cas[request.name.parent()] = {shared_ca->pem()};
    }
    if (!request.has_valkey) return {};
    const auto dir = options_.dir / request.name.project / request.name.location / request.name.instance;
    auto backend = Backend::start(request, dir, shared_ca, {});
    if (!backend) return fail(std::move(backend).error());
    follow_backend(record, *backend);
    backends_.emplace(request.name.full(), std::move(*backend));
    std::string bundle;
    for (const auto& pem : record.ca_chains)
        bundle += pem;
    return write_file(dir / "ca.crt", bundle);
}

Result<void> Emulator::start_front(const FrontRequest& request) {
    const auto name = "front-" + std::to_string(fronts_.size() + 1);
    FrontOptions options;
    options.listen.port = request.port;
    options.server = request.server;
    options.server_has_tls = request.server_has_tls;
    if (request.clients_use_tls) {
        const test::TestCa ca("Front CA");
        auto leaf = ca.sign(test::Leaf::good, {options.listen.ip});
        options.certificate.emplace();
        options.certificate->certificate_pem = std::move(leaf.certificate_pem);
        options.certificate->key_pem = std::move(leaf.key_pem);
        if (auto written = write_file(front_ca_file(name), ca.pem()); !written) return written;
    }
    auto front = Front::start(std::move(options));
    if (!front) return fail(std::move(front).error());
    fronts_.emplace(name, std::move(*front));
    return {};
}

std::filesystem::path Emulator::front_ca_file(const std::string& name) const {
    return options_.dir / (name + "-ca.crt");
}

Result<void> Emulator::start_rest() {
    rest_server_ = std::make_unique<http::Server>(
        io_, [this](http::Request request, http::Peer peer) { return on_rest(std::move(request), std::move(peer)); });
    if (options_.https) {
        const test::TestCa ca("Emulated API CA");
        auto leaf = ca.sign(test::Leaf::good, {host_of(options_.listen)}, {"memorystore.googleapis.com"});
        tls::ServerOptions tls;
        tls.certificate_pem = std::move(leaf.certificate_pem);
        tls.key_pem = std::move(leaf.key_pem);
        if (auto set = rest_server_->set_tls(std::move(tls)); !set) return set;
        if (auto written = write_file(options_.dir / "api-ca.crt", ca.pem()); !written) return written;
    }
    return rest_server_->listen(options_.listen);
}

Result<void> Emulator::listen_for_metadata() {
    if (state_.metadata.is_down) {
        metadata_server_.reset();
        return {};
    }
    if (metadata_server_) return {};
    metadata_server_ = std::make_unique<http::Server>(io_, [this](http::Request request, http::Peer peer) {
        return on_metadata(std::move(request), std::move(peer));
    });
    auto listening = metadata_server_->listen(metadata_address_.empty() ? options_.metadata_listen : metadata_address_);
    if (listening)
        metadata_address_ = host_of(options_.metadata_listen) + ":" + std::to_string(metadata_server_->port());
    return listening;
}

std::string Emulator::ready_json() {
    nlohmann::ordered_json json = {
        {"rest", (options_.https ? "https://" : "http://") + host_of(options_.listen) + ":" +
                     std::to_string(rest_server_->port())},
        {"metadata", metadata_address_},
        {"admin", "http://" + host_of(options_.admin_listen) + ":" + std::to_string(admin_server_->port())},
        {"pid", ::getpid()},
        {"instances", nlohmann::ordered_json::object()},
        {"fronts", nlohmann::ordered_json::object()}};
    for (auto& [name, backend] : backends_) {
        const auto parts = parse_instance_name(name).value();
        json["instances"][name] = {
            {"primary", {{"host", backend.primary().ip}, {"port", backend.primary().port}}},
            {"reader", {{"host", backend.reader().ip}, {"port", backend.reader().port}}},
            {"caFile", (options_.dir / parts.project / parts.location / parts.instance / "ca.crt").string()}};
    }
    for (const auto& [name, front] : fronts_)
        json["fronts"][name] = {
            {"host", front->address().ip}, {"port", front->address().port}, {"caFile", front_ca_file(name).string()}};
    return json.dump() + "\n";
}

Awaitable<http::Response> Emulator::on_rest(http::Request request, http::Peer) {
    auto answer = answer_memorystore(request, state_, SystemClock::now());
    if (answer.delay > 0ms) co_await sleep_for(answer.delay);
    co_return std::move(answer.response);
}

Awaitable<http::Response> Emulator::on_metadata(http::Request request, http::Peer) {
    auto answer = answer_metadata(request, state_, SystemClock::now());
    follow_tokens();
    if (answer.delay > 0ms) co_await sleep_for(answer.delay);
    co_return std::move(answer.response);
}

Awaitable<http::Response> Emulator::on_admin(http::Request request, http::Peer) {
    auto response = admin_.answer(request, SystemClock::now());
    follow_tokens();
    if (const auto listening = listen_for_metadata(); !listening)
        log::error("the metadata server does not listen", {{"error", to_string(listening.error())}});
    co_return response;
}

void Emulator::follow_tokens() {
    const auto live = state_.tokens.live(SystemClock::now());
    for (auto& [name, backend] : backends_)
        if (const auto done = backend.set_logins(live); !done)
            log::error("a Valkey does not take its logins", {{"instance", name}, {"error", to_string(done.error())}});
    tokens_changed_.notify_all();
}

Awaitable<void> Emulator::expire_tokens() {
    while (!stopped_) {
        const auto now = SystemClock::now();
        const auto next = state_.tokens.next_expiry(now);
        const auto wake = next ? SteadyClock::now() + (*next - now) : SteadyClock::time_point::max();
        const bool changed = co_await tokens_changed_.wait_until(wake);
        if (!changed && !stopped_) follow_tokens();
    }
}

Awaitable<void> Emulator::stop() {
    stopped_ = true;
    tokens_changed_.notify_all();
    const auto deadline = SteadyClock::now() + kStopLimit;
    for (auto* server : {rest_server_.get(), metadata_server_.get(), admin_server_.get()}) {
        if (server == nullptr) continue;
        server->stop_accepting();
        co_await server->drain(deadline);
    }
    co_await tasks_.join(deadline);
    backends_.clear();
    fronts_.clear();
}

}  // namespace cvp::emulator
