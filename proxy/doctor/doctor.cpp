#include "proxy/doctor/doctor.hpp"

#include <cstdlib>
#include <ostream>
#include <utility>

#include "proxy/app.hpp"
#include "proxy/doctor/diagnosis.hpp"

namespace cvp::proxy {
namespace {

Patient patient_of(const Config& config) {
    Patient patient;
    if (config.instance) patient = {config.instance->instance, config.instance->project, config.instance->location};
    patient.in_kubernetes = std::getenv("KUBERNETES_SERVICE_HOST") != nullptr;
    return patient;
}

/// A document that cannot be read: there is no connection to look at then.
std::vector<Diagnosis> of_faults(const Faults& faults) {
    std::vector<Diagnosis> diagnoses;
    for (const auto& fault : faults)
        diagnoses.push_back({"configuration", "config", fault,
                             "correct the file; the operator writes it from the "
                             "ValkeyConnection: kubectl describe vkc"});
    return diagnoses;
}

void free_ports(LocalPorts& ports) {
    ports.primary = 0;
    if (ports.readers) ports.readers = 0;
    ports.unix_socket.reset();
}

}  // namespace

Config for_examination(Config config) {
    for (auto& source : config.documents)
        free_ports(source.ports);
    if (config.instance) free_ports(config.instance->ports);
    config.listen = "127.0.0.1";
    config.listen_files = {};
    config.clients = {};
    config.admin.reset();
    config.notify_socket.clear();
    config.min_drain = config.max_drain = {};
    config.log_level = log::Level::error;
    return config;
}

ExitCode run_doctor(const Config& config, std::ostream& out) {
    const auto examined = for_examination(config);
    log::configure(examined.log_level, examined.log_format);
    App app(examined);
    Faults faults;
    View view;
    const auto code = app.examine(faults, config.doctor.wait, view);
    const auto diagnoses = code == kExitOk ? diagnose(view, patient_of(config)) : of_faults(faults);
    out << (config.doctor.as_json ? to_json(diagnoses) : to_string(diagnoses));
    for (const auto& diagnosis : diagnoses)
        if (!diagnosis.is_ok()) return kExitProbeFailed;
    return kExitOk;
}

}  // namespace cvp::proxy
