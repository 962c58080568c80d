#include "tests/emulator/front.hpp"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <list>
#include <mutex>
#include <random>
#include <system_error>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cvp::emulator {
namespace {

using Context = std::optional<tls::SslContext>;

constexpr int kBacklog = 512;

std::string last_error() {
    return std::generic_category().message(errno);
}

Result<int> listen_on(const Address& address) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(address.port);
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (inet_pton(AF_INET, address.ip.c_str(), &at.sin_addr) == 1 &&
        ::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 && ::listen(fd, kBacklog) == 0)
        return fd;
    const auto reason = last_error();
    ::close(fd);
    return fail(ErrorCode::unavailable, address.ip + ":" + std::to_string(address.port) + ": " + reason);
}

std::uint16_t port_of(int listener) {
    sockaddr_in at{};
    socklen_t size = sizeof at;
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size);
    return ntohs(at.sin_port);
}

Result<Context> server_context(const std::optional<tls::ServerOptions>& certificate) {
    if (!certificate) return std::nullopt;
    auto context = tls::make_server_context(*certificate);
    if (!context) return fail(std::move(context).error());
    return *context;
}

Result<Context> client_context(bool has_tls) {
    if (!has_tls) return std::nullopt;
    tls::ClientOptions options;
    options.verify = tls::Verify::none;
    auto context = tls::make_client_context(options);
    if (!context) return fail(std::move(context).error());
    return *context;
}

std::string random_tag() {
    std::random_device source;
    std::string tag = "cvpfront";
    for (int i = 0; i < 32; ++i)
        tag += "0123456789abcdef"[source() & 15U];
    return tag;
}

}  // namespace

struct Front::Impl final : LoginJudge {
    ~Impl() override {
        {
            const std::lock_guard lock(mutex);
            stops = true;
        }
        wake();
        if (thread.joinable()) thread.join();
        connections.clear();
        for (const int fd : {listener, next_listener, waker})
            if (fd >= 0) ::close(fd);
    }

    void wake() const { ::eventfd_write(waker, 1); }

    template <class Change>
    void change(Change change) {
        {
            const std::lock_guard lock(mutex);
            change();
        }
        wake();
    }

    /// Returns once the thread has cut all connections.
    void cut_now() {
        change([&] { cuts_all = true; });
        std::unique_lock lock(mutex);
        followed.wait(lock, [&] { return !cuts_all || stops; });
    }

    LoginVerdict judge(const LoginAttempt& attempt, SteadyClock::time_point now) override {
        const std::lock_guard lock(mutex);
        const auto [answer, delay] = faults.take(attempt.is_later, now);
        const bool is_default = attempt.username.empty() || attempt.username == "default";
        const auto is_it = [&](const Secret& login) { return login.reveal() == attempt.password; };
        const bool is_valid = !logins || (is_default && std::any_of(logins->begin(), logins->end(), is_it));
        ++counts.logins_seen;
        counts.logins_delayed += delay.count() > 0 ? 1 : 0;
        ++counter_of(answer, is_valid);
        if (answer == LoginAnswer::pass && is_valid && attempt.is_later) ++counts.relogins_passed;
        return {answer, delay, is_valid};
    }

    std::uint64_t& counter_of(LoginAnswer answer, bool is_valid) {
        switch (answer) {
            case LoginAnswer::pass:
                return is_valid ? counts.logins_passed : counts.logins_invalid;
            case LoginAnswer::silence:
                return counts.logins_silenced;
            case LoginAnswer::cut:
                return counts.logins_cut;
            default:
                return counts.logins_refused;
        }
    }

    void run() {
        while (!follow_orders()) {
            bool has_moved = false;
            for (auto& connection : connections)
                has_moved |= serve(connection, SteadyClock::now());
            connections.remove_if([](const auto& connection) { return connection.is_over(); });
            count_open();
            wait(has_moved);
            accept_all();
        }
    }

    /// Takes over what was changed from outside. @return whether to stop
    bool follow_orders() {
        const std::lock_guard lock(mutex);
        if (next_listener >= 0) {
            ::close(listener);
            listener = std::exchange(next_listener, -1);
        }
        if (std::exchange(cuts_all, false)) {
            for (auto& connection : connections)
                connection.cut();
            followed.notify_all();
        }
        age_now = age;
        return stops;
    }

    bool serve(FrontConnection& connection, SteadyClock::time_point now) {
        const bool has_moved = connection.pump(now);
        if (!connection.is_expired(age_now, now)) return has_moved;
        {
            const std::lock_guard lock(mutex);
            ++counts.cut_by_age;
        }
        connection.cut();
        return false;
    }

    void count_open() {
        const auto waiting = std::count_if(connections.begin(), connections.end(),
                                           [](const auto& connection) { return connection.has_login_waiting(); });
        const std::lock_guard lock(mutex);
        counts.connections_open = connections.size();
        counts.logins_waiting = static_cast<std::uint64_t>(waiting);
        counts.most_logins_waiting = std::max(counts.most_logins_waiting, counts.logins_waiting);
    }

    void wait(bool has_moved) {
        std::vector<pollfd> entries = {{waker, POLLIN, 0}, {listener, POLLIN, 0}};
        std::optional<SteadyClock::time_point> soonest;
        for (const auto& connection : connections) {
            connection.add_to(entries);
            const auto time = connection.wakes_at(age_now);
            if (time && (!soonest || *time < *soonest)) soonest = time;
        }
        int timeout = has_moved ? 0 : -1;
        if (soonest && !has_moved) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(*soonest - SteadyClock::now()).count();
            timeout = static_cast<int>(std::clamp<long long>(left, 0, 60'000));
        }
        ::poll(entries.data(), entries.size(), timeout);
        eventfd_t ignored = 0;
        ::eventfd_read(waker, &ignored);
    }

    void accept_all() {
        for (;;) {
            const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) return;
            const std::lock_guard lock(mutex);
            auto client = FrontSocket::accepted(fd, for_clients);
            auto to_server = FrontSocket::connecting(server, for_server);
            if (!to_server) continue;
            ++counts.connections_total;
            connections.emplace_back(std::move(client), std::move(*to_server), *this, random_tag());
        }
    }

    int waker = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    std::thread thread;
    // The thread's own:
    int listener = -1;
    std::list<FrontConnection> connections;
    LoginAge age_now;

    mutable std::mutex mutex;
    std::condition_variable followed;
    // Under `mutex`:
    Address listens;
    int next_listener = -1;
    Context for_clients;
    Address server;
    Context for_server;
    std::optional<std::vector<Secret>> logins;
    LoginFaults faults;
    LoginAge age;
    bool cuts_all = false;
    bool stops = false;
    FrontCounts counts;
};

Front::Front(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Front::~Front() = default;

Result<std::unique_ptr<Front>> Front::start(FrontOptions options) {
    auto impl = std::make_unique<Impl>();
    auto for_clients = server_context(options.certificate);
    if (!for_clients) return fail(std::move(for_clients).error());
    auto for_server = client_context(options.server_has_tls);
    if (!for_server) return fail(std::move(for_server).error());
    const auto listener = listen_on(options.listen);
    if (!listener) return fail(listener.error());
    impl->listener = *listener;
    impl->listens = {options.listen.ip, port_of(*listener)};
    impl->for_clients = std::move(*for_clients);
    impl->for_server = std::move(*for_server);
    impl->server = std::move(options.server);
    impl->thread = std::thread([raw = impl.get()] { raw->run(); });
    return std::unique_ptr<Front>(new Front(std::move(impl)));
}

Address Front::address() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->listens;
}

Result<void> Front::show(const std::optional<tls::ServerOptions>& certificate) {
    auto context = server_context(certificate);
    if (!context) return fail(std::move(context).error());
    impl_->change([&] { impl_->for_clients = std::move(*context); });
    return {};
}

Result<void> Front::lead_to(Address server, bool has_tls) {
    auto context = client_context(has_tls);
    if (!context) return fail(std::move(context).error());
    impl_->change([&] {
        impl_->server = std::move(server);
        impl_->for_server = std::move(*context);
    });
    return {};
}

Result<void> Front::move(std::uint16_t port) {
    const auto listener = listen_on({address().ip, port});
    if (!listener) return fail(listener.error());
    impl_->change([&] {
        if (impl_->next_listener >= 0) ::close(impl_->next_listener);
        impl_->next_listener = *listener;
        impl_->listens.port = port_of(*listener);
        impl_->cuts_all = true;
    });
    return {};
}

void Front::set_logins(std::optional<std::vector<Secret>> logins) {
    impl_->change([&] { impl_->logins = std::move(logins); });
}

void Front::add_fault(LoginFault fault) {
    impl_->change([&] { impl_->faults.add(fault); });
}

void Front::clear_faults() {
    impl_->change([&] { impl_->faults.clear(); });
}

std::vector<LoginFault> Front::faults() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->faults.active();
}

void Front::limit_age(LoginAge age) {
    impl_->change([&] { impl_->age = age; });
}

LoginAge Front::age() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->age;
}

void Front::cut_all() {
    impl_->cut_now();
}

FrontCounts Front::counts() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->counts;
}

}  // namespace cvp::emulator
