#include <cstdio>
#include <iostream>

#include "common/log/log.hpp"
#include "operator/app.hpp"
#include "operator/cli/resolve.hpp"
#include "operator/cli/selftest.hpp"
#include "operator/config.hpp"
#include "operator/exit_codes.hpp"
#include "operator/version.hpp"

namespace {

using namespace cvp;
using namespace cvp::op;

void print_faults(const Faults& faults) {
    for (const auto& fault : faults)
        std::fprintf(stderr, "cloud-valkey-operator: %s\n", fault.c_str());
}

int serve(const Config& config) {
    Faults faults;
    App app(config);
    const auto code = app.run(faults);
    print_faults(faults);
    return code;
}

int resolve(const Command& command) {
    const auto& config = command.config;
    return run_resolve({config.manifest, config.api, config.metadata_server}, std::cout, std::cerr);
}

int run(const Command& command) {
    log::configure(command.config.log_level, command.config.log_format);
    switch (command.action) {
        case Action::help:
            std::printf("%s", command.help_text.c_str());
            return kExitOk;
        case Action::version:
            std::printf("cloud-valkey-operator %s\n", version().data());
            return kExitOk;
        case Action::resolve:
            return resolve(command);
        case Action::selftest:
            return run_selftest({command.config.selftest_namespace, command.config.excluded_namespace,
                                 command.config.kubeconfig, command.config.selftest_wait},
                                std::cout, std::cerr);
        case Action::serve:
            break;
    }
    return serve(command.config);
}

}  // namespace

int main(int argc, char** argv) {
    const auto command = parse_command(std::vector<std::string>(argv + 1, argv + argc),
                                       load_environment({"KUBECONFIG", "GCE_METADATA_HOST"}));
    if (!command) {
        print_faults(command.error());
        return kExitUsage;
    }
    return run(*command);
}
