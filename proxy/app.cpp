#include "proxy/app.hpp"

#include <csignal>
#include <cstdlib>
#include <utility>

#include <fmt/core.h>
#include <sys/resource.h>

#include "common/log/log.hpp"
#include "proxy/code_pages.hpp"
#include "proxy/doctor/diagnosis.hpp"
#include "proxy/login.hpp"
#include "proxy/service_notice.hpp"
#include "proxy/version.hpp"

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;

/// By then the first login is done, as a rule: what only starting needed is given back.
constexpr auto kStartTime = 3s;
constexpr auto kTaskPatience = 2s;
constexpr auto kLookEvery = 20ms;  ///< of the doctor
constexpr auto kReadListenFilesEvery = 10s;

/// As many descriptors as the system lets us have: the data path bounds its sessions by them.
void raise_descriptor_limit() {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    static_cast<void>(::setrlimit(RLIMIT_NOFILE, &files));
}

std::string text_of(const http::ListenAddress& address) {
    if (address.host.empty()) return fmt::format(":{}", address.port);
    return http::Origin{false, address.host, address.port}.authority();
}

std::string short_name(const std::string& instance) {
    return instance.substr(instance.rfind('/') + 1);
}

/// A document's error has a line for each of its faults.
void add_lines(Faults& faults, std::string_view text) {
    while (true) {
        const auto end = text.find('\n');
        faults.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return;
        text.remove_prefix(end + 1);
    }
}

PortView view_of(const Port& port) {
    const auto& options = port.options();
    PortView view;
    view.role = options.role;
    view.address = http::Origin{false, options.address, port.port()}.authority();
    if (options.unix_socket) view.unix_socket = options.unix_socket->path;
    view.has_tls = options.tls != nullptr;
    view.stats = port.stats();
    view.upstream = port.upstream();
    return view;
}

ConnectionView view_of(const Connection& connection) {
    ConnectionView view;
    view.name = connection.name();
    for (const auto* port : {connection.primary(), connection.readers()}) {
        if (port != nullptr) view.ports.push_back(view_of(*port));
    }
    if (connection.document()) view.document = connection.document()->connection;
    view.generation = connection.applied();
    view.changed_at = connection.applied_at();
    view.rejected = connection.rejected();
    view.last_rejection = connection.last_rejection();
    return view;
}

TokensView view_of(const std::string& scope, const TokenCache& cache) {
    TokensView view;
    view.scope = scope;
    if (const auto token = cache.current()) view.expires_at = token->expires_at;
    view.refreshes = cache.refreshes();
    view.failures = cache.failures();
    if (cache.last_error()) view.last_error = to_string(*cache.last_error());
    return view;
}

}  // namespace

App::App(Config config)
    : config_(std::move(config)),
      iam_(io_, tasks_, config_.metadata_server),
      listen_files_(config_.listen_files),
      data_plane_((raise_descriptor_limit(), io_)),
      admin_([this] { return view(); }, [this] { quit(); }),
      admin_server_(io_, [this](http::Request request, http::Peer peer) {
          return answer_admin(std::move(request), std::move(peer));
      }) {}

ExitCode App::run(Faults& faults) {
    std::signal(SIGPIPE, SIG_IGN);
    if (const auto code = start(faults); code != kExitOk) return code;
    loop();
    log::info("the proxy has ended");
    return kExitOk;
}

ExitCode App::examine(Faults& faults, std::chrono::milliseconds patience, View& found) {
    std::signal(SIGPIPE, SIG_IGN);
    if (const auto code = start(faults); code != kExitOk) return code;
    ending_.spawn("settle", settle(patience, found));
    io_.run();
    return kExitOk;
}

/// Nothing tells us of every step on the way, so it looks.
Awaitable<void> App::settle(std::chrono::milliseconds patience, View& found) {
    const auto deadline = SteadyClock::now() + patience;
    do {
        co_await sleep_for(kLookEvery);
        found = view();
    } while (!is_settled(found) && SteadyClock::now() < deadline && !draining_);
    if (!std::exchange(draining_, true)) co_await shut_down();
}

ExitCode App::start(Faults& faults) {
    std::vector<Document> documents;
    load_documents(documents, faults);
    if (auto loaded = listen_files_.load(); !loaded) faults.push_back(std::move(loaded.error().context));
    if (!faults.empty()) return kExitUsage;
    for (std::size_t i = 0; i < documents.size(); ++i) {
        add_connection(documents[i].connection.name, config_.documents[i].ports);
    }
    if (config_.instance) add_connection(short_name(config_.instance->instance), config_.instance->ports);
    if (auto opened = open_ports(); !opened) {
        faults.push_back(std::move(opened.error().context));
        return kExitCannotBind;
    }
    if (config_.instance) connections_.front()->explain_unresolved("the instance is not known yet");
    for (std::size_t i = 0; i < documents.size(); ++i) {
        if (auto applied = connections_[i]->apply(std::move(documents[i])); !applied) {
            faults.push_back(fmt::format("{}: {}", config_.documents[i].file.string(), applied.error().context));
        }
    }
    if (!faults.empty()) return kExitUsage;

    for (std::size_t i = 0; i < config_.documents.size(); ++i) {
        watchers_.push_back(std::make_unique<ConnectionWatcher>(io_, config_.documents[i], *connections_[i]));
        watchers_.back()->start(tasks_);
    }
    if (config_.instance) start_lone_resolver();
    if (config_.owns_process) {
        signals_.add(SIGTERM);
        signals_.add(SIGINT);
        tasks_.spawn("signals", wait_for_signals());
        tasks_.spawn("start memory", release_start_memory());
    }
    if (!config_.listen_files.empty()) tasks_.spawn("listen files", follow_listen_files());
    log_start();
    warn_of_clear_text();
    notify("READY=1");  // ports are bound; whether the cloud answers is not the service manager's business
    return kExitOk;
}

/// All documents are looked at, so that all that is wrong is said at once.
void App::load_documents(std::vector<Document>& documents, Faults& faults) const {
    for (const auto& source : config_.documents) {
        auto document = load_document(source.file, source.name);
        if (!document) {
            add_lines(faults, document.error());
            continue;
        }
        const auto mode = config_.clients.mode.value_or(document->connection.proxy.client_auth);
        if (const auto why = find_exposure(mode, config_.clients)) {
            faults.push_back(fmt::format("{}: proxy.clientAuth: {}", source.file.string(), *why));
        }
        documents.push_back(std::move(*document));
    }
}

Connection& App::add_connection(std::string name, LocalPorts ports) {
    ConnectionContext context;
    context.listen = config_.listen;
    context.tls = listen_files_.tls();
    context.clients = config_.clients;
    context.open_port = [this](PortOptions options) {
        options.latency_by_command = config_.latency_by_command;
        return data_plane_.open(std::move(options));
    };
    context.make_login = [this](const Document& document) { return make_login(document); };
    context.login_age = config_.login_age;
    auto& connection =
        *connections_.emplace_back(std::make_unique<Connection>(std::move(name), std::move(ports), std::move(context)));
    connection.set_client_password(listen_files_.password());
    return connection;
}

Result<void> App::open_ports() {
    for (const auto& connection : connections_) {
        if (auto opened = connection->open_ports(); !opened) return opened;
    }
    if (!config_.admin) return {};
    return admin_server_.listen(text_of(*config_.admin));
}

void App::start_lone_resolver() {
    const auto& source = *config_.instance;
    if (source.api_is_overridden) {
        log::warn("CVP_GOOGLE_API_BASE is set: the instance is resolved somewhere else than at Google",
                  {{"api", source.api.to_string()}});
    }
    resolver_ = std::make_unique<LoneResolver>(io_, source, iam_, *connections_.front());
    tasks_.spawn("lone resolver", resolver_->run());
}

void App::log_start() const {
    std::string serving;
    for (const auto& connection : view().connections) {
        for (const auto& port : connection.ports) {
            serving.append(serving.empty() ? "" : ", ")
                .append(fmt::format("{} {} on {}", connection.name, to_string(port.role), port.address))
                .append(port.unix_socket.empty() ? "" : " and " + port.unix_socket);
        }
    }
    if (config_.login_age) log::warn("CVP_TEST_* is set: logins grow old as a test wants it");
    log::info("cloud-valkey-proxy serves",
              {{"version", version()}, {"ports", serving}, {"admin", config_.admin ? text_of(*config_.admin) : "off"}});
}

void App::warn_of_clear_text() const {
    if (!config_.clients.is_exposed || listen_files_.tls()) return;
    log::warn("clients of other machines log in, and there is no TLS: the password travels in clear text",
              {{"listen", config_.listen}, {"remedy", "--listen-cert and --listen-key"}});
}

/// To go on without is right: we serve, and a manager that waits in vain says so itself.
void App::notify(std::string_view state) const {
    if (auto sent = notify_service_manager(config_.notify_socket, state); !sent) {
        log::warn("the service manager was not told", {{"state", state}, {"error", sent.error().context}});
    }
}

std::shared_ptr<LoginSource> App::make_login(const Document& document) {
    const auto& auth = document.connection.auth;
    switch (auth.mode) {
        case AuthMode::google_iam:
            return iam_.make_login(auth.scope);
        case AuthMode::password:
            return std::make_shared<PasswordLogin>(
                document.password,
                fmt::format("the password is missing: there is no file {} beside connection.yaml; in Kubernetes put it "
                            "into that key of the Secret cloudvalkey-{}",
                            auth.password_file, document.connection.name));
        case AuthMode::none:
            break;
    }
    return nullptr;
}

View App::view() const {
    View view;
    view.now = SteadyClock::now();
    view.started = started_;
    view.started_at = started_at_;
    view.last_turn = data_plane_.last_turn();
    view.draining = draining_;
    view.sessions = data_plane_.sessions();
    view.identity_email = iam_.email();
    view.identity_warning = iam_.warning();
    for (const auto& [scope, tokens] : iam_.scopes())
        view.tokens.push_back(view_of(scope, tokens->cache));
    for (const auto& connection : connections_)
        view.connections.push_back(view_of(*connection));
    if (resolver_) view.resolver = resolver_->view();
    if (!config_.listen_files.empty()) {
        view.listen_files = ListenFilesView{listen_files_.errors(), listen_files_.last_error(),
                                            listen_files_.expires_at(), config_.clients.demands_certificate};
    }
    return view;
}

Awaitable<http::Response> App::answer_admin(http::Request request, http::Peer peer) {
    co_return admin_.answer(request, peer);
}

void App::quit() {
    if (std::exchange(draining_, true)) return;
    log::info("draining", {{"sessions", data_plane_.sessions()}});
    notify("STOPPING=1");
    ending_.spawn("shut down", shut_down());
}

Awaitable<void> App::wait_for_signals() {
    while (true) {
        boost::system::error_code ec;
        co_await signals_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
        if (ec) co_return;
        if (draining_) std::_Exit(kExitOk);  // the second one: at once
        quit();
    }
}

Awaitable<void> App::release_start_memory() {
    boost::system::error_code ec;
    start_memory_timer_.expires_after(kStartTime);
    co_await start_memory_timer_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    if (!ec) release_code_pages();
}

Awaitable<void> App::follow_listen_files() {
    while (true) {
        boost::system::error_code ec;
        listen_files_timer_.expires_after(kReadListenFilesEvery);
        co_await listen_files_timer_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
        if (ec) co_return;
        if (!listen_files_.reload()) continue;
        for (const auto& connection : connections_)
            connection->set_client_password(listen_files_.password());
    }
}

Awaitable<void> App::shut_down() {
    const auto begun = SteadyClock::now();
    if (config_.min_drain > 0ms) co_await sleep_for(config_.min_drain);
    co_await data_plane_.drain(begun + config_.max_drain);

    for (const auto& watcher : watchers_)
        watcher->stop();
    if (resolver_) resolver_->stop();
    iam_.stop();
    start_memory_timer_.cancel();
    listen_files_timer_.cancel();
    admin_server_.stop_accepting();
    co_await admin_server_.drain(SteadyClock::now() + kTaskPatience);
    boost::system::error_code ignored;
    signals_.cancel(ignored);
    co_await tasks_.join(SteadyClock::now() + kTaskPatience);
    io_.stop();
}

}  // namespace cvp::proxy
