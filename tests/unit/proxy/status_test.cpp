#include "proxy/status.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "proxy/metric_names.hpp"
#include "tests/support/source_tree.hpp"
#include "tests/unit/proxy/sample_view.hpp"

namespace cvp::proxy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A view in which every metric has a sample.
View full_view() {
    auto view = sample_view();
    view.identity_email = "p.svc.id.goog";
    view.identity_warning = "it cannot log in";
    view.tokens = {{"scope-1", view.started_at, 3, 1, "unavailable: refused"}};
    view.resolver = ResolverView{2, 1, view.started_at, "cloud is away", "CloudUnavailable", ""};
    auto& port = view.connections[0].ports[0];
    port.unix_socket = "/run/cloudvalkey/sessions.sock";
    port.stats.clients_total = 7;
    port.stats.clients_unix = 3;
    port.has_tls = true;
    port.stats.greetings_ok = 6;
    port.stats.greetings_certificate = 2;
    port.stats.greetings_failed = 1;
    view.listen_files = ListenFilesView{4, "no such file", view.started_at, true};
    port.stats.handshakes_ok = 5;
    port.stats.handshakes_resumed = 2;
    port.stats.local_errors[static_cast<std::size_t>(Cause::tls_chain)] = 4;
    port.stats.commands[0] = 8;
    port.stats.latency.observe(0.0007, 2);
    port.stats.latency_by_command.assign(kCommands, make_latency_histogram());
    port.stats.latency_by_command[find_command("get").index].observe(0.0007, 2);
    port.stats.server_errors[static_cast<std::size_t>(ServerError::readonly)] = 5;
    port.stats.relogins_missed["multi"] = 6;
    port.stats.clients_cut["in_flight"] = 2;
    port.upstream.last_error = make_local_error(Cause::tls_chain, "expired \xff");
    port.upstream.last_error_at = view.started_at;
    return view;
}

TEST(Status, shows_where_a_connection_goes_and_whom_it_found_there) {
    const auto status = nlohmann::json::parse(render_status(full_view()));
    EXPECT_EQ(status["startedAt"], "2026-11-20T12:00:00Z");
    EXPECT_EQ(status["ready"]["ok"], true);
    EXPECT_EQ(status["identity"]["warning"], "it cannot log in");
    EXPECT_EQ(status["tokens"][0]["lastError"], "unavailable: refused");
    EXPECT_EQ(status["resolver"]["failed"], 1);
    const auto& connection = status["connections"][0];
    EXPECT_EQ(connection["name"], "sessions");
    EXPECT_EQ(connection["resolved"], true);
    EXPECT_EQ(connection["config"]["generation"], 1);
    EXPECT_EQ(connection["endpoints"][0]["host"], "10.0.0.3");
    EXPECT_EQ(connection["auth"]["mode"], "GoogleIAM");
    EXPECT_EQ(connection["tls"]["verify"], "Full");
    const auto& port = connection["ports"][0];
    EXPECT_EQ(port["upstream"]["tlsVersion"], "TLSv1.3");
    EXPECT_EQ(port["upstream"]["verifiedIdentity"], "ip:10.0.0.3");
    EXPECT_EQ(port["upstream"]["lastError"]["cause"], "TlsChain");
    EXPECT_EQ(port["unixSocket"], "/run/cloudvalkey/sessions.sock");
    EXPECT_EQ(port["counters"]["clients"], 7);
    EXPECT_EQ(port["counters"]["unixClients"], 3);
    EXPECT_EQ(port["tls"], true);
    EXPECT_EQ(port["counters"]["clientTlsHandshakes"], 6);
    EXPECT_EQ(port["counters"]["clientTlsFailures"], 3);
    EXPECT_EQ(connection["clientAuth"], "Accept");
    EXPECT_EQ(status["listenFiles"]["lastError"], "no such file");
    EXPECT_EQ(status["listenFiles"]["certificateExpiresAt"], "2026-11-20T12:00:00Z");
    EXPECT_EQ(status["listenFiles"]["demandsClientCertificates"], true);
    EXPECT_EQ(port["counters"]["localErrors"]["TlsChain"], 4);
    EXPECT_THAT(status.dump(), Not(HasSubstr("BEGIN CERTIFICATE")));
}

TEST(Status, of_an_unresolved_connection_has_no_endpoints) {
    auto view = sample_view();
    view.connections[0].document.reset();
    const auto status = nlohmann::json::parse(render_status(view));
    EXPECT_EQ(status["connections"][0]["resolved"], false);
    EXPECT_FALSE(status["connections"][0].contains("endpoints"));
    EXPECT_FALSE(status.contains("identity"));
    EXPECT_FALSE(status.contains("listenFiles"));
}

TEST(Metrics, count_per_connection_and_role) {
    const auto page = render_metrics(full_view());
    EXPECT_THAT(page, HasSubstr("cloudvalkey_proxy_clients_total{connection=\"sessions\",role=\"primary\"} 7\n"));
    EXPECT_THAT(page,
                HasSubstr("tls_handshakes_total{connection=\"sessions\",role=\"primary\",resumed=\"false\"} 3\n"));
    EXPECT_THAT(page, HasSubstr("local_errors_total{connection=\"sessions\",role=\"primary\",cause=\"TlsChain\"} 4\n"));
    EXPECT_THAT(page, HasSubstr("commands_total{connection=\"sessions\",role=\"primary\",command=\"other\"} 8\n"));
    EXPECT_THAT(
        page, HasSubstr("command_duration_seconds_bucket{connection=\"sessions\",role=\"primary\",le=\"0.001\"} 2\n"));
    EXPECT_THAT(page, HasSubstr("command_duration_by_command_seconds_count{connection=\"sessions\",role=\"primary\","
                                "command=\"get\"} 2\n"));
    EXPECT_THAT(page, HasSubstr("server_errors_total{connection=\"sessions\",role=\"primary\",code=\"READONLY\"} 5\n"));
    EXPECT_THAT(page, HasSubstr("reauth_missed_total{connection=\"sessions\",role=\"primary\",reason=\"multi\"} 6\n"));
    EXPECT_THAT(page, HasSubstr("cloudvalkey_proxy_client_tls_handshakes_total{connection=\"sessions\","
                                "role=\"primary\",result=\"certificate\"} 2\n"));
    EXPECT_THAT(page, HasSubstr("cloudvalkey_proxy_identity_usable 0\n"));
    EXPECT_THAT(page, HasSubstr("cloudvalkey_proxy_config_valid{connection=\"sessions\"} 1\n"));
    EXPECT_THAT(page, HasSubstr("cloudvalkey_proxy_token_expires_timestamp_seconds{scope=\"scope-1\"} 1795176000\n"));
}

TEST(Metrics, are_all_listed_and_documented) {
    const auto page = render_metrics(full_view());
    const auto manual = test::read_source("docs/metrics.md");
    std::size_t listed = 0;
    for (const auto* metric : metric_names::kAll) {
        const std::string name(metric->name);
        const std::string kind = metric->kind == metrics::Kind::counter     ? "counter"
                                 : metric->kind == metrics::Kind::histogram ? "histogram"
                                                                            : "gauge";
        EXPECT_THAT(page, HasSubstr("# TYPE " + name + " " + kind + "\n"));
        EXPECT_THAT(manual, HasSubstr("| `" + name + "` | " + kind + " |"));
        EXPECT_THAT(manual, HasSubstr(std::string(metric->help)));
        ++listed;
    }
    std::size_t rendered = 0;
    for (auto at = page.find("# TYPE "); at != std::string::npos; at = page.find("# TYPE ", at + 1))
        ++rendered;
    EXPECT_EQ(rendered, listed) << "a metric is rendered that is not in metric_names::kAll";
}

}  // namespace
}  // namespace cvp::proxy
