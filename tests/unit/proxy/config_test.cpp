#include "proxy/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Command parsed(const std::vector<std::string>& arguments, const Environment& environment = {}) {
    auto command = parse_command(arguments, environment);
    if (!command) {
        for (const auto& fault : command.error())
            ADD_FAILURE() << fault;
        return {};
    }
    return *command;
}

Faults faults_of(const std::vector<std::string>& arguments, const Environment& environment = {}) {
    const auto command = parse_command(arguments, environment);
    return command ? Faults{} : command.error();
}

TEST(Config, knows_the_service_managers_socket) {
    EXPECT_EQ(parsed({"--instance", "my-valkey"}, {{"NOTIFY_SOCKET", "/run/systemd/notify"}}).config.notify_socket,
              "/run/systemd/notify");
    EXPECT_EQ(parsed({"--instance", "my-valkey"}).config.notify_socket, "");
}

TEST(Config, serves_an_instance_with_the_documented_defaults) {
    const auto config = parsed({"--instance", "my-valkey"}).config;
    ASSERT_TRUE(config.instance);
    EXPECT_EQ(config.instance->instance, "my-valkey");
    EXPECT_EQ(config.instance->type, "valkey");
    EXPECT_EQ(config.instance->refresh_interval, 1h);
    EXPECT_EQ(config.instance->api.to_string(), "https://memorystore.googleapis.com:443");
    EXPECT_EQ(config.instance->ports, (LocalPorts{6379, 6380, true}));
    EXPECT_EQ(config.listen, "127.0.0.1");
    EXPECT_EQ(config.admin, (http::ListenAddress{"127.0.0.1", 9379}));
    EXPECT_EQ(config.metadata_server.to_string(), "http://169.254.169.254:80");
    EXPECT_EQ(config.min_drain, 0s);
    EXPECT_EQ(config.max_drain, 10s);
    EXPECT_TRUE(config.documents.empty());
}

TEST(Config, knows_every_spelling_of_instance) {
    const std::string full = "projects/p-1/locations/us-central1/instances/i";
    EXPECT_EQ(parsed({"--instance", full}).config.instance->instance, full);
    EXPECT_EQ(parsed({"--instance=a"}).config.instance->instance, "a");
    EXPECT_EQ(parsed({"-instance", "a"}).config.instance->instance, "a");
    EXPECT_EQ(parsed({"-instance=a"}).config.instance->instance, "a");
    EXPECT_EQ(parsed({}, {{"VALKEY_INSTANCE_NAME", "a"}}).config.instance->instance, "a");
    EXPECT_EQ(parsed({}, {{"CVP_INSTANCE", "a"}, {"VALKEY_INSTANCE_NAME", "b"}}).config.instance->instance, "a");
    EXPECT_EQ(parsed({"--instance=c"}, {{"CVP_INSTANCE", "a"}}).config.instance->instance, "c");
}

TEST(Config, serves_an_injected_sidecar_as_its_arguments_say) {
    const auto config = parsed({"--connection=sessions:6379", "--connection=orders:6390/6391"},
                               {{"CVP_ADMIN_LISTEN", ":9379"}, {"CVP_GOOGLE_API_BASE", "http://evil.example"}})
                            .config;
    EXPECT_THAT(config.documents,
                ElementsAre(DocumentSource{"sessions", "/etc/cloudvalkey/sessions/connection.yaml", {6379, {}, false}},
                            DocumentSource{"orders", "/etc/cloudvalkey/orders/connection.yaml", {6390, 6391, false}}));
    EXPECT_EQ(config.admin, (http::ListenAddress{"", 9379}));
    EXPECT_FALSE(config.instance);
}

TEST(Config, takes_a_file_with_ports_of_its_own) {
    const auto config = parsed({"--config", "conf/connection.yaml", "--port=7000", "--readers-port=7001"}).config;
    EXPECT_THAT(config.documents, ElementsAre(DocumentSource{"", "conf/connection.yaml", {7000, 7001, false}}));
}

TEST(Config, reads_each_flag_from_the_environment) {
    const auto config = parsed({}, {{"CVP_INSTANCE", "a"},
                                    {"CVP_TYPE", "valkey"},
                                    {"CVP_PROJECT", "p"},
                                    {"CVP_LOCATION", "europe-west1"},
                                    {"CVP_LISTEN", "0.0.0.0"},
                                    {"CVP_ALLOW_OPEN_LISTEN", "true"},
                                    {"CVP_PORT", "7000"},
                                    {"CVP_READERS_PORT", "7001"},
                                    {"CVP_ADMIN_LISTEN", "off"},
                                    {"CVP_MIN_DRAIN", "1s"},
                                    {"CVP_MAX_DRAIN", "1m"},
                                    {"CVP_REFRESH_INTERVAL", "10m"},
                                    {"CVP_LOG_LEVEL", "debug"},
                                    {"CVP_LOG_FORMAT", "text"},
                                    {"CVP_GOOGLE_API_BASE", "http://127.0.0.1:8080"},
                                    {"GCE_METADATA_HOST", "127.0.0.1:8081"}})
                            .config;
    InstanceSource instance;
    instance.instance = "a";
    instance.project = "p";
    instance.location = "europe-west1";
    instance.refresh_interval = 10min;
    instance.api = {false, "127.0.0.1", 8080};
    instance.api_is_overridden = true;
    instance.ports = {7000, 7001, false};
    Config expected;
    expected.instance = instance;
    expected.listen = "0.0.0.0";
    expected.admin.reset();
    expected.metadata_server = {false, "127.0.0.1", 8081};
    expected.min_drain = 1s;
    expected.max_drain = 1min;
    expected.log_level = log::Level::debug;
    expected.log_format = log::Format::text;
    EXPECT_EQ(config, expected);
    EXPECT_EQ(parsed({}, {{"CVP_CONNECTION", "a:7000, b:7001/7002"}}).config.documents.size(), 2u);
}

TEST(Config, a_flag_wins_over_the_environment_and_an_empty_variable_is_none) {
    EXPECT_EQ(parsed({"--instance=a", "--port=7000"}, {{"CVP_PORT", "8000"}}).config.instance->ports.primary, 7000);
    EXPECT_EQ(parsed({"--instance=a"}, {{"CVP_PORT", ""}}).config.instance->ports.primary, 6379);
    const auto config = parsed({"--config=c.yaml"}, {{"VALKEY_INSTANCE_NAME", "a"}}).config;
    EXPECT_FALSE(config.instance);
}

TEST(Config, reports_all_faults_at_once_and_whom_to_blame) {
    EXPECT_THAT(faults_of({"--instance=My_Valkey", "--port=70000", "--refresh-interval=1", "--nonsense", "--max-drain"},
                          {{"CVP_LISTEN", "everywhere"}, {"CVP_LOG_LEVEL", "loud"}, {"GCE_METADATA_HOST", "a:b:c"}}),
                ElementsAre("--nonsense: unknown flag; see --help",
                            "CVP_LOG_LEVEL: \"loud\" must be debug, info, warn or error",
                            HasSubstr("--instance: \"My_Valkey\" is not the name"),
                            "--refresh-interval: \"1\" must be a duration such as 10s, 1500ms or 1h30m",
                            "--port: \"70000\" must be a port from 1 to 65535",
                            "CVP_LISTEN: \"everywhere\" must be an IP address such as 127.0.0.1 or ::1",
                            "--max-drain: needs a value", HasSubstr("GCE_METADATA_HOST: ")));
}

TEST(Config, needs_exactly_one_thing_to_serve) {
    EXPECT_THAT(faults_of({}), ElementsAre(HasSubstr("nothing to serve")));
    EXPECT_THAT(faults_of({"--instance=a", "--config=b"}), ElementsAre(HasSubstr("exclude each other")));
    EXPECT_THAT(faults_of({"--connection=b:7000"}, {{"CVP_CONFIG", "c"}}), ElementsAre());
    EXPECT_THAT(faults_of({"--connection="}), ElementsAre(HasSubstr("--connection: ")));
}

TEST(Config, refuses_instance_names_that_are_none) {
    for (const auto* name : {"projects/p/locations/l/instances/", "projects/p/locations/l", "projects/p/instances/i",
                             "projects//locations/l/instances/i", "projects/p/locations/l/instances/i/x",
                             "projects/p/locations/l/instances/i/", "a b", "a/b", ""}) {
        EXPECT_THAT(faults_of({std::string("--instance=") + name}), ElementsAre(HasSubstr("--instance: "))) << name;
    }
}

TEST(Config, blames_project_and_location_by_their_own_names) {
    EXPECT_THAT(faults_of({"--instance=a", "--location=us-central1-a"}, {{"CVP_PROJECT", "P!"}}),
                ElementsAre(HasSubstr("CVP_PROJECT: \"P!\""), HasSubstr("--location: \"us-central1-a\" is a zone")));
}

TEST(Config, asks_clients_for_what_flags_say) {
    const auto none = parsed({"--instance=a"}).config;
    EXPECT_EQ(none.clients, ClientRules());
    EXPECT_TRUE(none.listen_files.empty());

    const auto config = parsed({"--config=c", "--client-auth=require"}, {{"CVP_CLIENT_PASSWORD_FILE", "p"},
                                                                         {"CVP_LISTEN_CERT", "c"},
                                                                         {"CVP_LISTEN_KEY", "k"},
                                                                         {"CVP_LISTEN_CLIENT_CA", "ca"}})
                            .config;
    EXPECT_EQ(config.clients, (ClientRules{ClientAuth::require, true, false}));
    EXPECT_EQ(config.listen_files, (ListenFileNames{"c", "k", "ca", "p"}));
    EXPECT_EQ(parsed({"--config=c", "--client-auth=Reject"}).config.clients.mode, ClientAuth::reject);
    EXPECT_EQ(parsed({"--config=c"}, {{"CVP_CLIENT_AUTH", "accept"}}).config.clients.mode, ClientAuth::accept);
}

TEST(Config, refuses_what_would_let_nobody_in_or_is_half) {
    for (const auto* mode : {"", "Maybe", "ACCEPT", "require ", "requires", "acce"}) {
        EXPECT_THAT(faults_of({"--config=c", std::string("--client-auth=") + mode}),
                    ElementsAre(HasSubstr("--client-auth: ")))
            << mode;
    }
    EXPECT_THAT(faults_of({"--instance=a", "--client-auth=require"}),
                ElementsAre(::testing::AllOf(HasSubstr("--client-password-file"), HasSubstr("--listen-client-ca"))));
    EXPECT_THAT(faults_of({"--instance=a", "--client-auth=require", "--client-password-file=p"}), ElementsAre());
    EXPECT_THAT(faults_of({"--config=c", "--client-auth=require"}), ElementsAre())
        << "client-password may lie beside it";
    EXPECT_THAT(faults_of({"--config=c", "--listen-cert=c"}), ElementsAre(HasSubstr("give both, or none")));
    EXPECT_THAT(faults_of({"--config=c", "--listen-key=c"}), ElementsAre(HasSubstr("give both, or none")));
    EXPECT_THAT(faults_of({"--config=c", "--listen-client-ca=c"}), ElementsAre(HasSubstr("--listen-client-ca")));
    EXPECT_THAT(faults_of({"--config=c", "--client-password-file="}),
                ElementsAre("--client-password-file: needs a value"));
}

TEST(Config, opens_itself_to_other_machines_that_must_show_something) {
    const std::vector<std::string> open{"--instance=a", "--listen=0.0.0.0"};
    const auto with = [&](std::vector<std::string> more) {
        more.insert(more.begin(), open.begin(), open.end());
        return faults_of(more);
    };
    EXPECT_THAT(with({"--client-auth=require", "--client-password-file=p"}), ElementsAre());
    EXPECT_THAT(with({"--listen-cert=c", "--listen-key=k", "--listen-client-ca=ca"}), ElementsAre());
    EXPECT_THAT(with({"--listen-cert=c", "--listen-key=k"}), ElementsAre(HasSubstr("--allow-open-listen")));
    EXPECT_THAT(with({"--client-auth=reject"}), ElementsAre(HasSubstr("clientAuth: Reject")));
    EXPECT_THAT(faults_of({"--config=c", "--listen=0.0.0.0", "--client-auth=accept"}),
                ElementsAre(HasSubstr("--allow-open-listen")));
    const auto by_document = parsed({"--config=c", "--listen=0.0.0.0"}).config;
    EXPECT_TRUE(by_document.clients.is_exposed) << "the document decides";
    EXPECT_FALSE(parsed({"--config=c", "--listen=0.0.0.0", "--allow-open-listen"}).config.clients.is_exposed);
}

TEST(Config, opens_itself_to_other_machines_only_when_told_so) {
    for (const auto* address : {"0.0.0.0", "10.0.0.1", "::", "fe80::1", "::ffff:127.0.0.1"}) {
        EXPECT_THAT(faults_of({"--instance=a", "--listen", address}),
                    ElementsAre(::testing::AllOf(HasSubstr(address), HasSubstr("--allow-open-listen"),
                                                 HasSubstr("clientAuth: Require"))))
            << address;
        EXPECT_EQ(parsed({"--instance=a", "--listen", address, "--allow-open-listen"}).config.listen, address);
    }
    EXPECT_EQ(faults_of({"--instance=a", "--listen=::", "--allow-open-listen=false"}).size(), 1u);
    for (const auto* address : {"127.0.0.1", "127.1.2.3", "::1"}) {
        EXPECT_EQ(parsed({"--instance=a", "--listen", address}).config.listen, address);
    }
}

TEST(Config, serves_the_primary_on_a_unix_socket_too) {
    const auto socket = [](const Config& config) { return config.instance->ports.unix_socket; };
    EXPECT_EQ(socket(parsed({"--instance=a"}).config), std::nullopt);
    EXPECT_EQ(socket(parsed({"--instance=a", "--unix-socket=/run/v.sock"}).config),
              (UnixSocketOptions{"/run/v.sock", 0600}));
    EXPECT_EQ(socket(parsed({"--instance=a", "--unix-socket", "v.sock", "--unix-socket-mode", "0660"}).config),
              (UnixSocketOptions{"v.sock", 0660}));
    EXPECT_EQ(parsed({"--config=c"}, {{"CVP_UNIX_SOCKET", "/run/v.sock"}, {"CVP_UNIX_SOCKET_MODE", "777"}})
                  .config.documents[0]
                  .ports.unix_socket,
              (UnixSocketOptions{"/run/v.sock", 0777}));
}

TEST(Config, serves_each_connection_of_a_sidecar_on_a_socket_in_the_directory_that_injection_mounts) {
    const auto config = parsed({"--connection=sessions:6379", "--connection=orders:6390/6391"},
                               {{"CVP_UNIX_SOCKET", "/run/cloudvalkey"}, {"CVP_UNIX_SOCKET_MODE", "0666"}})
                            .config;
    ASSERT_EQ(config.documents.size(), 2u);
    EXPECT_EQ(config.documents[0].ports.unix_socket, (UnixSocketOptions{"/run/cloudvalkey/sessions.sock", 0666}));
    EXPECT_EQ(config.documents[1].ports.unix_socket, (UnixSocketOptions{"/run/cloudvalkey/orders.sock", 0666}));
    EXPECT_EQ(parsed({"--connection=a:7000", "--unix-socket=/run/s/"}).config.documents[0].ports.unix_socket->path,
              "/run/s/a.sock");
}

TEST(Config, refuses_unix_sockets_that_cannot_be) {
    const auto socket = [](const std::string& path) { return faults_of({"--instance=a", "--unix-socket=" + path}); };
    EXPECT_THAT(socket(""), ElementsAre("--unix-socket: needs a value"));
    EXPECT_THAT(socket("/run/"), ElementsAre(HasSubstr("must be the path of a socket")));
    EXPECT_THAT(socket("@valkey"), ElementsAre(HasSubstr("abstract")));
    EXPECT_THAT(socket("/" + std::string(106, 'x')), ElementsAre());
    EXPECT_THAT(socket("/" + std::string(107, 'x')), ElementsAre(HasSubstr("at most 107 bytes")));
    EXPECT_THAT(faults_of({"--connection=a:7000", "--unix-socket=/" + std::string(99, 'x')}), ElementsAre());
    EXPECT_THAT(faults_of({"--connection=ab:7000", "--unix-socket=/" + std::string(99, 'x')}),
                ElementsAre(HasSubstr("xx/ab.sock must be at most 107 bytes")));
    EXPECT_THAT(faults_of({"--connection=a:7000", "--unix-socket=@x"}), ElementsAre(HasSubstr("abstract")));
    EXPECT_THAT(faults_of({"--connection=a:7000", "--connection=b:7001", "--unix-socket="}),
                ElementsAre("--unix-socket: needs a value"));
    for (const auto* mode : {"9", "0", "60", "0o600", "rw-------", "01777", "-600", "0600 ", "888"}) {
        EXPECT_THAT(
            faults_of({"--connection=a:7000", "--connection=b:7001", std::string("--unix-socket-mode=") + mode}),
            ElementsAre(HasSubstr("must be an octal mode")))
            << mode;
    }
}

TEST(Config, refuses_ports_that_clash) {
    EXPECT_THAT(faults_of({"--instance=a", "--port=6380"}), ElementsAre(HasSubstr("--port and --readers-port")));
    EXPECT_THAT(faults_of({"--instance=a", "--port=9379"}), ElementsAre(HasSubstr("--admin-listen: port 9379")));
    EXPECT_THAT(faults_of({"--config=c", "--readers-port=9379"}), ElementsAre(HasSubstr("--admin-listen: port 9379")));
    EXPECT_THAT(faults_of({"--instance=a", "--port=9379", "--admin-listen=off"}), ElementsAre());
    EXPECT_THAT(faults_of({"--connection=a:7000", "--connection=b:7000"}), ElementsAre(HasSubstr("7000")));
    EXPECT_THAT(faults_of({"--connection=a:7000/9400", "--admin-listen=:9400"}), ElementsAre(HasSubstr("9400")));
    EXPECT_THAT(faults_of({"--connection=a:7000", "--connection=a:7001"}), ElementsAre(HasSubstr("--connection: ")));
    EXPECT_THAT(faults_of({"--connection=a:7000", "--port=1"}), ElementsAre(HasSubstr("--port: --connection names")));
}

TEST(Config, sends_tokens_to_no_plain_api_but_on_loopback) {
    const auto base = [](const std::string& value) {
        return faults_of({"--instance=a"}, {{"CVP_GOOGLE_API_BASE", value}});
    };
    EXPECT_THAT(base("http://10.0.0.1:80"), ElementsAre(HasSubstr("https, or http to a loopback")));
    EXPECT_THAT(base("https://api.example/v1"), ElementsAre(HasSubstr("no path")));
    EXPECT_THAT(base("api.example"), ElementsAre(HasSubstr("CVP_GOOGLE_API_BASE")));
    EXPECT_THAT(base("https://api.example"), ElementsAre());
    EXPECT_THAT(base("http://[::1]:8080"), ElementsAre());
}

TEST(Config, bounds_durations) {
    EXPECT_THAT(faults_of({"--instance=a", "--refresh-interval=59s"}),
                ElementsAre(HasSubstr("59s is not from 1m to 24h")));
    EXPECT_THAT(faults_of({"--instance=a", "--refresh-interval=25h"}), ElementsAre(HasSubstr("1m to 24h")));
    EXPECT_THAT(faults_of({"--instance=a", "--min-drain=11s"}), ElementsAre(HasSubstr("longer than --max-drain, 10s")));
}

TEST(Config, understands_admin_addresses) {
    const auto admin = [](const std::string& value) {
        return parsed({"--instance=a", "--admin-listen=" + value}).config.admin;
    };
    EXPECT_EQ(admin(":9000"), (http::ListenAddress{"", 9000}));
    EXPECT_EQ(admin("[::1]:9000"), (http::ListenAddress{"::1", 9000}));
    EXPECT_EQ(admin("off"), std::nullopt);
    for (const auto* value : {"9000", "example.com:9000", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1"}) {
        EXPECT_THAT(faults_of({"--instance=a", std::string("--admin-listen=") + value}),
                    ElementsAre(HasSubstr("--admin-listen: ")))
            << value;
    }
}

TEST(Config, knows_its_subcommands) {
    EXPECT_EQ(parsed({"probe"}).action, Action::probe_startup);
    const auto ready = parsed({"probe", "--ready"}, {{"CVP_ADMIN_LISTEN", ":9000"}});
    EXPECT_EQ(ready.action, Action::probe_ready);
    EXPECT_EQ(ready.config.admin->port, 9000);
    EXPECT_EQ(parsed({"version"}).action, Action::version);
    EXPECT_EQ(parsed({"--version"}).action, Action::version);
    const auto doctor = parsed({"doctor", "--instance=a", "-o", "json", "--wait=3s"});
    EXPECT_EQ(doctor.action, Action::doctor);
    EXPECT_EQ(doctor.config.instance->instance, "a");
    EXPECT_TRUE(doctor.config.doctor.as_json);
    EXPECT_EQ(doctor.config.doctor.wait, std::chrono::seconds(3));
    EXPECT_THAT(faults_of({"doctor"}), ElementsAre(HasSubstr("nothing to serve")));
    EXPECT_THAT(faults_of({"nurse"}), ElementsAre("nurse: unknown word; see --help", HasSubstr("nothing to serve")));
    EXPECT_THAT(faults_of({"probe", "nurse"}), ElementsAre("nurse: unknown word; see --help"));
}

TEST(Config, help_names_every_flag) {
    const auto command = parsed({"--nonsense", "--help"});
    EXPECT_EQ(command.action, Action::help);
    for (const auto* flag : {"--config",
                             "--connection",
                             "--instance",
                             "--type",
                             "--project",
                             "--location",
                             "--listen",
                             "--port",
                             "--readers-port",
                             "--unix-socket",
                             "--unix-socket-mode",
                             "--client-auth",
                             "--client-password-file",
                             "--listen-cert",
                             "--listen-key",
                             "--listen-client-ca",
                             "--admin-listen",
                             "--allow-open-listen",
                             "--min-drain",
                             "--max-drain",
                             "--refresh-interval",
                             "--log-level",
                             "--log-format",
                             "probe",
                             "version"}) {
        EXPECT_THAT(command.help_text, HasSubstr(flag));
    }
}

}  // namespace
}  // namespace cvp::proxy
