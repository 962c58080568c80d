#include "proxy/document.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "common/config/file.hpp"
#include "common/contract/names.hpp"
#include "common/crypto/certificate.hpp"
#include "common/printable.hpp"

namespace cvp::proxy {
namespace {

constexpr std::size_t kMaxCredentialBytes = 64 * 1024;
constexpr std::size_t kMaxCaBytes = 1024 * 1024;

/// `kubectl create secret --from-file` keeps the newline that an editor put at the end.
void strip_newline(std::string& text) {
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
}

/// One line per fault; no newline at the end.
std::string lines(const std::filesystem::path& file, const std::vector<Fault>& faults) {
    auto text = describe_faults(file.string(), faults);
    strip_newline(text);
    return text;
}

/// Content of a file beside the document; nothing if none is named or it is not there (yet).
tl::expected<std::optional<std::string>, std::string> load_beside(const std::filesystem::path& document,
                                                                  const std::string& name, std::size_t max_bytes) {
    if (name.empty()) return std::nullopt;
    auto content = load_file(document.parent_path() / name, max_bytes);
    if (content) return std::optional(std::move(*content));
    if (content.error().code == ErrorCode::not_found) return std::nullopt;
    return tl::unexpected(std::move(content.error().context));
}

/// Whether the document was read key by key at all.
bool is_our_form(const std::vector<Fault>& faults) {
    return std::none_of(faults.begin(), faults.end(), [](const Fault& fault) {
        return fault.key_path.empty() || fault.key_path == "apiVersion" || fault.key_path == "kind";
    });
}

/// Adds faults of keys that have none yet: what could not be read has its default and says nothing.
void add_new(std::vector<Fault>& faults, std::vector<Fault> more) {
    const auto known = faults.size();
    for (auto& fault : more) {
        const auto end = faults.begin() + static_cast<std::ptrdiff_t>(known);
        const auto same_key = [&](const Fault& other) { return other.key_path == fault.key_path; };
        if (std::none_of(faults.begin(), end, same_key)) faults.push_back(std::move(fault));
    }
}

/// Reads tls.crt and tls.key, both or neither. Whether they fit is seen where they are used.
/// @return what is wrong, or ""
std::string load_certificate(const std::filesystem::path& file, Document& document) {
    if (document.connection.tls.mode == TlsMode::disabled) return {};
    const std::string certificate_name(names::kCertificateFile);
    const std::string key_name(names::kKeyFile);
    auto certificate = load_beside(file, certificate_name, kMaxCaBytes);
    if (!certificate) return certificate.error();
    auto key = load_beside(file, key_name, kMaxCredentialBytes);
    if (!key) return key.error();
    const bool has_certificate = *certificate && !(*certificate)->empty();
    const bool has_key = *key && !(*key)->empty();
    if (has_certificate != has_key) {
        return fmt::format("{}: the file is missing or empty, but there is {} beside it: give both, or none",
                           (file.parent_path() / (has_certificate ? key_name : certificate_name)).string(),
                           has_certificate ? certificate_name : key_name);
    }
    if (has_key) document.certificate = ClientCertificate{std::move(**certificate), Secret(std::move(**key))};
    return {};
}

/// @return what is wrong, or ""
std::string load_files_beside(const std::filesystem::path& file, Document& document) {
    auto& auth = document.connection.auth;
    auto& tls = document.connection.tls;
    auto ca = load_beside(file, tls.ca_file, kMaxCaBytes);
    if (!ca) return ca.error();
    if (*ca) tls.ca += **ca;
    if (!tls.ca.empty()) {
        if (const auto certificates = crypto::parse_certificates(tls.ca); !certificates) {
            return lines(file, {{"tls.ca", certificates.error().context}});
        }
    }
    if (auto fault = load_certificate(file, document); !fault.empty()) return fault;
    auto client_password = load_beside(file, std::string(names::kClientPasswordFile), kMaxCredentialBytes);
    if (!client_password) return client_password.error();
    if (*client_password) {
        strip_newline(**client_password);
        // An empty one would let in whoever says so.
        if (!(*client_password)->empty()) document.client_password.emplace(std::move(**client_password));
    }
    if (auth.mode != AuthMode::password) return {};

    auto username = load_beside(file, auth.username_file, kMaxCredentialBytes);
    if (!username) return username.error();
    if (*username) {
        strip_newline(**username);
        auth.username = std::move(**username);
    }
    auto password = load_beside(file, auth.password_file, kMaxCredentialBytes);
    if (!password) return password.error();
    if (*password) {
        strip_newline(**password);
        document.password.emplace(std::move(**password));
    }
    return {};
}

}  // namespace

std::vector<Fault> find_unservable(const ResolvedConnection& connection, std::string_view expected_name) {
    std::vector<Fault> faults;
    const auto& tls = connection.tls;
    const auto& auth = connection.auth;
    if (!expected_name.empty() && connection.name != expected_name) {
        faults.push_back({"name", fmt::format("is {}, but --connection calls it {}", in_quotes(connection.name),
                                              in_quotes(expected_name))});
    }
    if (connection.topology == Topology::sentinel) {
        faults.push_back({"topology", "Sentinel is not served by this version; expected Standalone"});
    }
    if (auth.mode == AuthMode::google_iam && tls.mode == TlsMode::disabled) {
        faults.push_back({"tls.mode", "Disabled would send an IAM token in clear text; expected Required"});
    }
    if (auth.mode == AuthMode::google_iam && tls.mode == TlsMode::required && tls.verify == tls::Verify::none) {
        faults.push_back({"tls.verify", "None would send an IAM token to whoever answers; expected Full"});
    }
    if (!auth.impersonate.empty()) {
        faults.push_back({"auth.impersonate", "is not served by this version; remove it"});
    }
    if (auth.mode == AuthMode::password && auth.password_file.empty()) {
        faults.push_back(
            {"auth.passwordFile", "is missing; mode Password needs the name of a file beside the document"});
    }
    return faults;
}

tl::expected<Document, std::string> load_document(const std::filesystem::path& file, std::string_view expected_name) {
    const auto yaml = load_file(file);
    if (!yaml) return tl::unexpected(yaml.error().context);

    auto parsed = parse_resolved_connection(*yaml);
    if (is_our_form(parsed.faults)) add_new(parsed.faults, find_unservable(parsed.connection, expected_name));
    if (!parsed.faults.empty()) return tl::unexpected(lines(file, parsed.faults));

    Document document;
    document.connection = std::move(parsed.connection);
    document.warnings = std::move(parsed.warnings);
    if (auto fault = load_files_beside(file, document); !fault.empty()) return tl::unexpected(std::move(fault));
    return document;
}

}  // namespace cvp::proxy
