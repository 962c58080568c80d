#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "common/log/log.hpp"
#include "proxy/app.hpp"
#include "proxy/config.hpp"
#include "proxy/doctor/doctor.hpp"
#include "proxy/loop/record_buffers.hpp"
#include "proxy/probe.hpp"
#include "proxy/version.hpp"

namespace {

using namespace cvp;
using namespace cvp::proxy;

void print_faults(const Faults& faults) {
    for (const auto& fault : faults)
        std::fprintf(stderr, "cloud-valkey-proxy: %s\n", fault.c_str());
}

int serve(Config config) {
    log::configure(config.log_level, config.log_format);
    App app(std::move(config));
    Faults faults;
    const auto code = app.run(faults);
    print_faults(faults);
    return code;
}

int probe(const Config& config, std::string_view path) {
    if (!config.admin) {
        print_faults({"probe: the admin server is off (--admin-listen, CVP_ADMIN_LISTEN)"});
        return kExitUsage;
    }
    const auto verdict = ask_admin(*config.admin, path);
    std::fprintf(stderr, "%s: %s\n", path.data(), verdict.text.c_str());
    return verdict.ok ? kExitOk : kExitProbeFailed;
}

int run(const Command& command) {
    switch (command.action) {
        case Action::help:
            std::printf("%s", command.help_text.c_str());
            return kExitOk;
        case Action::version:
            std::printf("cloud-valkey-proxy %s\n", version().data());
            return kExitOk;
        case Action::probe_startup:
            return probe(command.config, "/startup");
        case Action::probe_ready:
            return probe(command.config, "/readyz");
        case Action::doctor:
            return run_doctor(command.config, std::cout);
        case Action::serve:
            break;
    }
    return serve(command.config);
}

}  // namespace

int main(int argc, char** argv) {
    keep_record_buffers();
    const auto command =
        parse_command(std::vector<std::string>(argv + 1, argv + argc),
                      load_environment({"VALKEY_INSTANCE_NAME", "GCE_METADATA_HOST", "NOTIFY_SOCKET"}));
    if (!command) {
        print_faults(command.error());
        return kExitUsage;
    }
    return run(*command);
}
