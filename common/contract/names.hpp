#pragma once

#include <string_view>

/// Names that operator, proxy and users share. CONTRACT "Names" and sections 2, 3, 11.
namespace cvp::names {

inline constexpr std::string_view kApiGroup = "cloudvalkey.dev";
inline constexpr std::string_view kApiVersion = "cloudvalkey.dev/v1alpha1";
inline constexpr std::string_view kResolvedKind = "ResolvedConnection";
inline constexpr std::string_view kConnectionKind = "ValkeyConnection";
inline constexpr std::string_view kPrefix = "cloudvalkey.dev/";

inline constexpr std::string_view kConnectionsAnnotation = "cloudvalkey.dev/connections";
inline constexpr std::string_view kSecretAnnotationPrefix = "cloudvalkey.dev/secret.";
inline constexpr std::string_view kUnixSocketAnnotation = "cloudvalkey.dev/unix-socket";
inline constexpr std::string_view kStatusAnnotation = "cloudvalkey.dev/status";
inline constexpr std::string_view kRefreshAnnotation = "cloudvalkey.dev/refresh";
inline constexpr std::string_view kInjectedLabel = "cloudvalkey.dev/injected";

inline constexpr std::string_view kOperator = "cloud-valkey-operator";
inline constexpr std::string_view kWebhook = "inject.cloudvalkey.dev";
inline constexpr std::string_view kWebhookPath = "/mutate-pods";
inline constexpr std::string_view kSidecar = "cloud-valkey-proxy";
/// What a user writes as the image of a container of our name to get the operator's.
inline constexpr std::string_view kAutoImage = "auto";
inline constexpr std::string_view kConfigMapPrefix = "cloudvalkey-";
inline constexpr std::string_view kConnectionFile = "connection.yaml";
/// Keys of the credentials' Secret, files beside the document, whose names no document says.
inline constexpr std::string_view kCertificateFile = "tls.crt";
inline constexpr std::string_view kKeyFile = "tls.key";
inline constexpr std::string_view kClientPasswordFile = "client-password";
inline constexpr std::string_view kMountRoot = "/etc/cloudvalkey";
inline constexpr std::string_view kEmptyVolume = "cloudvalkey-empty";
/// Two dashes, so that no connection's volume can have that name.
inline constexpr std::string_view kSocketVolume = "cloudvalkey--sockets";
inline constexpr std::string_view kSocketDir = "/run/cloudvalkey";
inline constexpr std::string_view kSocketSuffix = ".sock";

inline constexpr int kFirstPort = 6379;
inline constexpr int kPortStep = 10;
inline constexpr int kAdminPort = 9379;
inline constexpr int kWebhookPort = 10250;

}  // namespace cvp::names
