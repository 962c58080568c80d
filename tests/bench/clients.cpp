// The clients that valkey-benchmark is not: many connections, one after another or held open; and one that measures to
// the microsecond, where valkey-benchmark counts in steps of 8.
//
//   bench_clients rate MILLISECONDS WORKERS PLACE…    connect, PING, reply, close, over and over, on WORKERS threads;
//                                                     prints "CONNECTIONS SECONDS"
//   bench_clients hold COUNT PLACE…                   opens COUNT connections, has PING answered on each, prints
//                                                     "open", and keeps them until its standard input ends
//   bench_clients latency MILLISECONDS KEY PLACE…     GETs the KEY, one request after the other; prints
//                                                     "REQUESTS P50 MEAN P99", times in µs
//   PLACE: [--tls CA_FILE] [--password PASSWORD] PORT|SOCKET_PATH
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

/// Where the clients go. A client does what a library does by default: with TLS a full handshake that verifies, and its
/// own AUTH where the path does not log in for it.
struct Place {
    SSL_CTX* tls = nullptr;
    std::string greeting;  ///< AUTH, if any, and PING
    int replies = 1;       ///< lines that answer it
    std::uint16_t port = 0;
    std::string path;
};

Place parse_place(const std::vector<std::string>& words) {
    Place place;
    place.greeting = "PING\r\n";
    for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
        if (words[i] == "--tls") {
            place.tls = SSL_CTX_new(TLS_client_method());
            X509_VERIFY_PARAM_set1_ip_asc(SSL_CTX_get0_param(place.tls), "127.0.0.1");
            SSL_CTX_set_verify(place.tls, SSL_VERIFY_PEER, nullptr);
            if (SSL_CTX_load_verify_locations(place.tls, words[i + 1].c_str(), nullptr) != 1)
                throw std::runtime_error("no CA in " + words[i + 1]);
        } else if (words[i] == "--password") {
            place.greeting = "AUTH " + words[i + 1] + "\r\nPING\r\n";
            place.replies = 2;
        } else {
            throw std::runtime_error("unknown word " + words[i]);
        }
    }
    if (words.back().find('/') != std::string::npos) {
        place.path = words.back();
    } else {
        place.port = static_cast<std::uint16_t>(std::stoi(words.back()));
    }
    return place;
}

/// One blocking connection; throws where anything is not as it should be.
class Client {
public:
    explicit Client(const Place& place) {
        connect(place);
        if (place.tls != nullptr) {
            ssl_ = SSL_new(place.tls);
            SSL_set_fd(ssl_, fd_);
            if (SSL_connect(ssl_) != 1) throw std::runtime_error("TLS handshake failed");
        }
        write(place.greeting);
        std::string replies;
        const auto expected = std::string(place.replies == 2 ? "+OK\r\n" : "") + "+PONG\r\n";
        while (replies.size() < expected.size() && expected.starts_with(replies))
            read(replies);
        if (replies != expected) throw std::runtime_error("an answer was not PONG: " + replies);
    }
    ~Client() {
        if (ssl_ != nullptr) SSL_free(ssl_);
        if (fd_ >= 0) ::close(fd_);
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// Sends a command that is answered by a bulk string, and waits for all of that.
    void ask_bulk(const std::string& command) {
        write(command);
        reply_.clear();
        std::size_t whole = 0;
        while (whole == 0 || reply_.size() < whole) {
            read(reply_);
            const auto line = reply_.find("\r\n");
            if (reply_[0] != '$' || reply_.starts_with("$-")) throw std::runtime_error("no value: " + reply_);
            if (line != std::string::npos) whole = line + 2 + std::stoul(reply_.substr(1)) + 2;
        }
    }

private:
    void connect(const Place& place) {
        const sockaddr_in at{AF_INET, htons(place.port), {htonl(INADDR_LOOPBACK)}, {}};
        sockaddr_un local{AF_UNIX, {}};
        place.path.copy(local.sun_path, sizeof local.sun_path - 1);
        const bool is_local = !place.path.empty();
        fd_ = ::socket(is_local ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
        const auto* address =
            is_local ? reinterpret_cast<const sockaddr*>(&local) : reinterpret_cast<const sockaddr*>(&at);
        if (::connect(fd_, address, is_local ? sizeof local : sizeof at) != 0)
            throw std::runtime_error("connect failed");
        const int on = 1;
        if (!is_local) ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    void write(const std::string& bytes) {
        const auto size = static_cast<int>(bytes.size());
        const auto sent =
            ssl_ != nullptr ? SSL_write(ssl_, bytes.data(), size) : ::write(fd_, bytes.data(), bytes.size());
        if (sent != size) throw std::runtime_error("write failed");
    }
    void read(std::string& to) {
        char bytes[512];
        const auto got = ssl_ != nullptr ? SSL_read(ssl_, bytes, sizeof bytes) : ::read(fd_, bytes, sizeof bytes);
        if (got <= 0) throw std::runtime_error("the connection ended before PONG");
        to.append(bytes, static_cast<std::size_t>(got));
    }

    int fd_ = -1;
    SSL* ssl_ = nullptr;
    std::string reply_;
};

int rate(std::chrono::milliseconds time, int workers, const Place& place) {
    std::atomic<long> count = 0;
    std::atomic<bool> has_failed = false;
    const auto begun = Clock::now();
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < workers; ++i) {
            threads.emplace_back([&] {
                try {
                    for (; Clock::now() < begun + time; ++count)
                        Client{place};
                } catch (const std::exception& error) {
                    if (!has_failed.exchange(true)) std::fprintf(stderr, "bench_clients: %s\n", error.what());
                }
            });
        }
    }
    std::printf("%ld %f\n", count.load(), std::chrono::duration<double>(Clock::now() - begun).count());
    return has_failed ? 1 : 0;
}

int hold(std::size_t count, const Place& place) {
    std::vector<std::unique_ptr<Client>> clients;
    while (clients.size() < count)
        clients.push_back(std::make_unique<Client>(place));
    std::printf("open\n");
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
    return 0;
}

int latency(std::chrono::milliseconds time, const std::string& key, const Place& place) {
    Client client(place);
    const auto command = "*2\r\n$3\r\nGET\r\n$" + std::to_string(key.size()) + "\r\n" + key + "\r\n";
    std::vector<double> micros;
    const auto end = Clock::now() + time;
    for (auto begun = Clock::now(); begun < end;) {
        client.ask_bulk(command);
        const auto now = Clock::now();
        micros.push_back(std::chrono::duration<double, std::micro>(now - begun).count());
        begun = now;
    }
    std::sort(micros.begin(), micros.end());
    const auto mean = std::accumulate(micros.begin(), micros.end(), 0.0) / static_cast<double>(micros.size());
    std::printf("%zu %f %f %f\n", micros.size(), micros[micros.size() / 2], mean, micros[micros.size() * 99 / 100]);
    return 0;
}

int run(const std::vector<std::string>& words) {
    if (words.size() >= 4 && words[0] == "rate") {
        return rate(std::chrono::milliseconds(std::stoi(words[1])), std::stoi(words[2]),
                    parse_place({words.begin() + 3, words.end()}));
    }
    if (words.size() >= 3 && words[0] == "hold") {
        return hold(std::stoul(words[1]), parse_place({words.begin() + 2, words.end()}));
    }
    if (words.size() >= 4 && words[0] == "latency") {
        return latency(std::chrono::milliseconds(std::stoi(words[1])), words[2],
                       parse_place({words.begin() + 3, words.end()}));
    }
    throw std::runtime_error("rate, hold or latency, see the head of its source");
}

}  // namespace

int main(int argc, char** argv) {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    try {
        return run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_clients: %s\n", error.what());
        return 1;
    }
}
