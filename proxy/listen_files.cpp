#include "proxy/listen_files.hpp"

#include <utility>

#include "common/config/file.hpp"
#include "common/crypto/certificate.hpp"
#include "common/log/log.hpp"

namespace cvp::proxy {
namespace {

constexpr std::size_t kMaxPemBytes = 1024 * 1024;
constexpr std::size_t kMaxPasswordBytes = 64 * 1024;

Result<tls::ServerOptions> read_tls(const ListenFileNames& names) {
    auto certificate = load_file(names.certificate, kMaxPemBytes);
    if (!certificate) return fail(std::move(certificate).error());
    auto key = load_file(names.key, kMaxPemBytes);
    if (!key) return fail(std::move(key).error());
    tls::ServerOptions options{std::move(*certificate), Secret(std::move(*key)), {}};
    if (names.client_ca.empty()) return options;
    auto client_ca = load_file(names.client_ca, kMaxPemBytes);
    if (!client_ca) return fail(std::move(client_ca).error());
    // An empty one would let everybody in.
    if (client_ca->empty()) {
        return fail(ErrorCode::invalid_argument, names.client_ca.string() + ": holds no PEM certificate");
    }
    options.client_ca_pem = std::move(*client_ca);
    return options;
}

}  // namespace

Result<void> ListenFiles::load() {
    if (auto loaded = load_tls(); !loaded) return loaded;
    if (auto loaded = load_password(); !loaded) return fail(std::move(loaded).error());
    return {};
}

bool ListenFiles::reload() {
    bool is_new_password = false;
    auto loaded = load_tls();
    // Files that are replaced together are read one after the other.
    if (!loaded) loaded = load_tls();
    if (loaded) {
        auto password = load_password();
        if (password) {
            is_new_password = *password;
        } else {
            loaded = fail(std::move(password).error());
        }
    }
    const auto fault = loaded ? std::string() : std::move(loaded.error().context);
    if (!fault.empty() && fault != last_error_) {
        ++errors_;
        log::error("a file that a flag names cannot be used; what it held before is used on", {{"reason", fault}});
    }
    last_error_ = fault;
    return is_new_password;
}

Result<void> ListenFiles::load_tls() {
    if (!names_.has_tls()) return {};
    auto options = read_tls(names_);
    if (!options) return fail(std::move(options).error());
    if (tls_ && *options == shown_) return {};
    if (tls_) {
        if (auto replaced = tls_->replace(*options); !replaced) return replaced;
        log::info("listeners show a new certificate", {{"file", names_.certificate.string()}});
    } else {
        auto made = TlsServerProfile::make(*options);
        if (!made) return fail(std::move(made).error());
        tls_ = *std::move(made);
    }
    const auto facts = crypto::parse_certificate(options->certificate_pem);
    if (facts) expires_at_ = facts->not_after;
    shown_ = *std::move(options);
    return {};
}

/// @return whether it is another one
Result<bool> ListenFiles::load_password() {
    if (names_.password.empty()) return false;
    auto content = load_file(names_.password, kMaxPasswordBytes);
    if (!content) return fail(std::move(content).error());
    if (content->ends_with('\n')) content->pop_back();
    if (content->ends_with('\r')) content->pop_back();
    // Clients could log in with an empty one.
    if (content->empty()) return fail(ErrorCode::invalid_argument, names_.password.string() + ": holds no password");
    Secret password(std::move(*content));
    if (password_ == password) return false;
    password_ = std::move(password);
    return true;
}

}  // namespace cvp::proxy
