#include "proxy/command_line.hpp"

#include <algorithm>
#include <iterator>

namespace cvp::proxy {
namespace {

constexpr const char* kServed = "What is served (one of three)";
constexpr const char* kPlace = "Where clients connect";
constexpr const char* kClients = "What clients must show";
constexpr const char* kRest = "Running";

constexpr const char* kDescription =
    "A plain Valkey on 127.0.0.1 in front of a managed one: TLS and IAM login are done here.";

constexpr const char* kFooter =
    "Every flag is also an environment variable: CVP_ and the name in upper case, - as _ (CVP_LOG_LEVEL=debug);\n"
    "VALKEY_INSTANCE_NAME stands for --instance. A flag wins over the environment.\n"
    "\n"
    "  cloud-valkey-proxy --instance my-valkey\n"
    "  cloud-valkey-proxy --config ./connection.yaml --port 7000\n"
    "\n"
    "Exit codes: 0 after SIGTERM or SIGINT, 64 usage or configuration, 69 a port or socket cannot be bound; of probe "
    "and doctor: 0 or 1.";

ProgramSpec program() {
    std::vector<FlagSpec> flags{
        {kServed, "instance", "NAME", "An instance that the proxy resolves itself: short or full resource name"},
        {kServed, "config", "FILE", "A resolved document, connection.yaml"},
        {kServed, "connection", "NAME:PORT[/READERS]",
         "The document /etc/cloudvalkey/NAME/connection.yaml, served on PORT; may be repeated"},
        {kServed, "type", "TYPE", "Kind of --instance: valkey (default)"},
        {kServed, "project", "ID", "Project of a short instance name (default: asked of the metadata server)"},
        {kServed, "location", "REGION", "Region of a short instance name (default: asked of the metadata server)"},
        {kServed, "refresh-interval", "DURATION", "How often --instance is resolved again (default 1h)"},
        {kPlace, "listen", "ADDRESS", "IP address to listen on (default 127.0.0.1)"},
        {kPlace, "port", "PORT", "Port of the primary, with --instance or --config (default 6379)"},
        {kPlace, "readers-port", "PORT",
         "Port of the readers, with --instance or --config (default 6380, opened only if there is a reader)"},
        {kPlace, "unix-socket", "PATH",
         "Serve the primary on this unix socket, too; with --connection a directory, in which NAME.sock is made"},
        {kPlace, "unix-socket-mode", "MODE", "Mode of the unix socket: who may connect (default 0600)"},
        {kClients, "client-auth", "MODE",
         "accept (default): logins of clients are taken and ignored; require: they need the password; reject: no "
         "login"},
        {kClients, "client-password-file", "FILE",
         "The password for --client-auth=require (default: client-password beside connection.yaml)"},
        {kClients, "listen-cert", "FILE", "TLS for clients: certificate in PEM, with its chain"},
        {kClients, "listen-key", "FILE", "TLS for clients: private key in PEM"},
        {kClients, "listen-client-ca", "FILE", "Clients must show a certificate of this CA (PEM)"},
        {kClients, "allow-open-listen", nullptr,
         "Permit a --listen address that other machines can reach although clients are asked for nothing"},
        {kRest, "admin-listen", "ADDRESS:PORT|off", "Probes, metrics and status (default 127.0.0.1:9379)"},
        {kRest, "min-drain", "DURATION", "After SIGTERM: go on accepting this long (default 0s)"},
        {kRest, "max-drain", "DURATION", "After SIGTERM: wait at most this long for clients to finish (default 10s)"},
        {kRest, "latency-by-command", "true|false",
         "Metrics: a latency histogram for each command too (default false)"},
        {kRest, "log-level", "LEVEL", "debug, info (default), warn or error"},
        {kRest, "log-format", "FORMAT", "json (default) or text"},
    };
    return {"cloud-valkey-proxy",
            kDescription,
            kFooter,
            std::move(flags),
            {{"probe",
              "Ask a running proxy's admin port for its health: exit 0 or 1",
              {{"", kReadyFlag, nullptr, "Ask for readiness (/readyz), not for startup (/startup)"}}},
             {"doctor",
              "Say which link between here and the server is broken, and the command that mends it: exit 0 or 1",
              {{"", "output", "FORMAT", "text (default) or json", "o"},
               {"", "wait", "DURATION", "For servers that do not answer (default 15s)"}}},
             {"version", "Print the version", {}}}};
}

/// `-instance` is how older tools spell it.
std::string with_two_dashes(const std::string& argument) {
    const bool is_old_form = argument == "-instance" || argument.starts_with("-instance=");
    return is_old_form ? "-" + argument : argument;
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
    std::vector<std::string> modern;
    std::transform(arguments.begin(), arguments.end(), std::back_inserter(modern), with_two_dashes);
    return cvp::parse_command_line(program(), modern);
}

}  // namespace cvp::proxy
