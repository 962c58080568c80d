#include "tests/emulator/options.hpp"

#include <sstream>

#include <CLI/CLI.hpp>

namespace cvp::emulator {
namespace {

constexpr int kUsage = 64;

}  // namespace

std::variant<EmulatorOptions, Exit> parse_options(int argc, const char* const* argv) {
    EmulatorOptions options;
    std::vector<std::string> instances;
    std::vector<std::string> fronts;
    long lifetime = options.token_lifetime.count();
    bool is_vm = false;
    CLI::App app(
        "Stands in for Memorystore's API and the metadata server, in front of real Valkeys. For tests and demos.",
        "cloud-valkey-emulator");
    app.add_option("--listen", options.listen, "Memorystore REST API")->capture_default_str();
    app.add_option("--metadata-listen", options.metadata_listen, "metadata server")->capture_default_str();
    app.add_option("--admin-listen", options.admin_listen, "admin API")->capture_default_str();
    app.add_flag("--https", options.https,
                 "serve the REST API over TLS, also by the name of Google's; its CA goes to DIR/api-ca.crt");
    app.add_option("--dir", options.dir, "directory for the Valkeys' files and ready.json")->required();
    app.add_option(
        "--instance", instances,
        "projects/P/locations/L/instances/I[:valkey][,front][,replica][,reader=primary][,address=IP][,port=N][,tls=off]"
        "[,auth=off][,mode=cluster][,ca=shared][,leaf=NAME][,network=NAME][,state=NAME]; repeatable");
    app.add_option("--front", fronts,
                   "HOST:PORT[,tls][,plain][,listen=PORT]: a TLS front before a server of somebody else's; its CA goes "
                   "to DIR/front-1-ca.crt; repeatable");
    app.add_option("--project", options.metadata.project, "project of the metadata server")->capture_default_str();
    app.add_option("--zone", options.metadata.zone, "zone of the metadata server")->capture_default_str();
    app.add_option("--cluster-location", options.metadata.cluster_location)->capture_default_str();
    app.add_option("--email", options.metadata.email, "identity of the metadata server")->capture_default_str();
    app.add_flag("--vm", is_vm, "be a VM's metadata server, not GKE's");
    app.add_option("--token-lifetime", lifetime, "seconds")->capture_default_str()->check(CLI::PositiveNumber);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::ostringstream text;
        const int code = app.exit(error, text, text);
        return Exit{code == 0 ? 0 : kUsage, text.str()};
    }
    for (const auto& text : instances) {
        auto request = parse_instance_request(text);
        if (!request) return Exit{kUsage, "--instance " + request.error().context + "\n"};
        options.instances.push_back(std::move(*request));
    }
    for (const auto& text : fronts) {
        auto request = parse_front_request(text);
        if (!request) return Exit{kUsage, "--front " + request.error().context + "\n"};
        options.fronts.push_back(std::move(*request));
    }
    options.metadata.is_gke = !is_vm;
    options.token_lifetime = std::chrono::seconds(lifetime);
    return options;
}

}  // namespace cvp::emulator
