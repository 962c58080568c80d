#include "operator/cli/plugin.hpp"

#include <algorithm>
#include <istream>
#include <optional>
#include <ostream>

#include <nlohmann/json.hpp>

#include "common/clock.hpp"
#include "common/config/command_line.hpp"
#include "operator/cli/check.hpp"
#include "operator/cli/connection_doctor.hpp"
#include "operator/cli/explain.hpp"
#include "operator/cli/iam.hpp"
#include "operator/cli/inject.hpp"
#include "operator/cli/kubectl.hpp"
#include "operator/cli/manifest.hpp"
#include "operator/version.hpp"

namespace cvp::op {
namespace {

constexpr int kOk = 0;
constexpr int kNo = 1;
constexpr int kUsage = 64;

constexpr const char* kFooter =
    "  kubectl cloudvalkey inject -f deployment.yaml --proxy-image $REGISTRY/cloud-valkey-proxy:1 | kubectl apply -f "
    "-\n"
    "  kubectl cloudvalkey check\n"
    "  kubectl cloudvalkey explain shop -n default\n"
    "  kubectl cloudvalkey doctor sessions -n default\n"
    "  kubectl cloudvalkey iam print --instance projects/P/locations/L/instances/I --namespace shop\n"
    "  kubectl get vkc sessions -o json | kubectl cloudvalkey iam print -f -\n"
    "\n"
    "The cluster is asked through kubectl itself: its context, your rights. Nothing is changed.\n"
    "Exit codes: 0; 1 if a pod is refused or something fails; 64 for the command line or a file.";

ProgramSpec program() {
    const FlagSpec file{"", "file", "FILE", "YAML or JSON, - is standard input", "f"};
    const FlagSpec name_space{"", "namespace", "NAME", "Where (default: default)", "n"};
    const FlagSpec context{"", "context", "NAME", "Of the kubeconfig (default: the current one)"};
    return {
        "kubectl-cloudvalkey",
        "What works, what does not and why; what the webhook does to pods; what operator and applications need.",
        kFooter,
        {},
        {{"inject",
          "Print a manifest with the sidecar in its pods and pod templates that ask for it",
          {file, {"", "proxy-image", "IMAGE", "Image of the sidecar"}}},
         {"explain",
          "POD, or -f FILE: say rule by rule why a pod was, or was not, injected",
          {file, {"", "pod", "NAME", "The same as POD"}, name_space, context}},
         {"check",
          "Say whether the product can be installed here (--pre), and whether what is installed works",
          {{"", "pre", nullptr, "Before the installation"},
           {"", "operator-namespace", "NAME", "Of the operator (default: cloud-valkey)"},
           {"", "output", "FORMAT", "text (default) or json", "o"},
           name_space,
           context}},
         {"doctor",
          "CONNECTION: say what is wrong with it, and the command that mends it",
          {{"", "connection", "NAME", "The same as CONNECTION"}, name_space, context}},
         {"iam",
          "print: the bindings that the operator and an application need at Google",
          {{"", "instance", "NAME", "Full resource name"},
           {"", "file", "FILE", "A ValkeyConnection instead: names instance and namespace; - is standard input", "f"},
           {"", "namespace", "NAME", "Of the application (default: default)"},
           {"", "service-account", "NAME", "Of the application (default: default)"},
           {"", "account", "NAME", "The application's Google service account (default: made of both names)"},
           {"", "cluster-project", "ID", "Project of the cluster (default: the instance's)"},
           {"", "operator-namespace", "NAME", "Of the operator (default: cloud-valkey)"},
           {"", "format", "FORMAT", "gcloud (default), terraform or config-connector"}}},
         {"version", "Print the version", {}}}};
}

/// One run: its flags and its streams.
class Run {
public:
    Run(const Flags& flags, std::istream& in, std::ostream& out, std::ostream& err)
        : flags_(flags), in_(in), out_(out), err_(err) {}

    int inject() {
        const auto text = read_file();
        const auto image = value_of("proxy-image");
        if (!text || !image) return complain(!text ? "" : "inject needs --proxy-image: the image of the sidecar");
        const auto result = inject_manifest(*text, {std::string(version()), *image, {}});
        if (!result) return complain(result.error().context);
        for (const auto& note : result->notes)
            err_ << note << "\n";
        out_ << result->manifest;
        return result->is_refused ? kNo : kOk;
    }

    int check() {
        auto kubectl = make_kubectl();
        const auto output = value_of("output").value_or("text");
        if (output != "text" && output != "json") return complain("--output: must be text or json");
        const auto checks = flags_.contains("pre")
                                ? check_before(kubectl)
                                : check_installed(kubectl, value_of("operator-namespace").value_or("cloud-valkey"),
                                                  value_of("namespace").value_or("default"), SystemClock::now());
        out_ << (output == "json" ? to_json(checks) : to_string(checks));
        return std::any_of(checks.begin(), checks.end(),
                           [](const auto& check) { return check.finding.verdict == Finding::Verdict::fails; })
                   ? kNo
                   : kOk;
    }

    int doctor() {
        const auto name = value_of("connection");
        if (!name) return complain("doctor needs the name of a ValkeyConnection");
        auto kubectl = make_kubectl();
        const auto findings = examine_connection(kubectl, value_of("namespace").value_or("default"), *name);
        out_ << to_string(findings);
        return any_fails(findings) ? kNo : kOk;
    }

    int explain_pod(const std::string& name) {
        auto kubectl = make_kubectl();
        const auto pod = kubectl.get({"get", "pod", name, "--namespace=" + value_of("namespace").value_or("default")});
        if (!pod) {
            err_ << "kubectl-cloudvalkey: " << pod.error().context << "\n";
            return kNo;
        }
        const auto findings = explain(*pod);
        out_ << to_string(findings);
        return any_fails(findings) ? kNo : kOk;
    }

    int explain_objects() {
        if (const auto pod = value_of("pod")) return explain_pod(*pod);
        const auto text = read_file();
        if (!text) return kUsage;
        const auto objects = read_manifests(*text);
        if (!objects) return complain(objects.error().context);
        bool fails = objects->empty();
        for (const auto& object : *objects) {
            const auto findings = explain(object);
            out_ << to_string(findings);
            fails = fails || any_fails(findings);
        }
        return fails ? kNo : kOk;
    }

    int iam() {
        IamRequest request;
        if (value_of("file")) {
            const auto text = read_file();
            if (!text) return kUsage;
            auto named = iam_request_of(*text);
            if (!named) return complain(named.error().context);
            request = *std::move(named);
        }
        request.instance = value_of("instance").value_or(request.instance);
        request.namespace_name = value_of("namespace").value_or(request.namespace_name);
        request.service_account = value_of("service-account").value_or("default");
        request.operator_namespace = value_of("operator-namespace").value_or(request.operator_namespace);
        request.account = value_of("account").value_or("");
        request.cluster_project = value_of("cluster-project").value_or("");
        request.format = value_of("format").value_or(request.format);
        const auto text = print_iam(request);
        if (!text) return complain("iam print: " + text.error().context);
        out_ << *text;
        return kOk;
    }

private:
    KubectlProgram make_kubectl() const {
        const auto context = value_of("context");
        return KubectlProgram(context ? std::vector{"--context=" + *context} : std::vector<std::string>());
    }

    std::optional<std::string> value_of(std::string_view flag) const {
        const auto found = flags_.find(flag);
        if (found == flags_.end() || found->second.empty()) return std::nullopt;
        return found->second.back();
    }

    std::optional<std::string> read_file() {
        const auto file = value_of("file");
        if (!file) {
            complain("it needs -f FILE; - is standard input");
            return std::nullopt;
        }
        auto text = load_manifest(*file, in_);
        if (text) return *std::move(text);
        complain(text.error().context);
        return std::nullopt;
    }

    int complain(const std::string& fault) {
        if (!fault.empty()) err_ << "kubectl-cloudvalkey: " << fault << "\n";
        return kUsage;
    }

    const Flags& flags_;
    std::istream& in_;
    std::ostream& out_;
    std::ostream& err_;
};

/// "iam print" is one subcommand to people and two words to the parser; what explain and doctor are asked about is a
/// word to people and a flag to the parser.
void name_second_word(std::vector<std::string>& arguments) {
    if (arguments.size() < 2 || arguments[1].starts_with('-')) return;
    if (arguments[0] == "iam" && arguments[1] == "print") arguments.erase(arguments.begin() + 1);
    if (arguments[0] == "explain") arguments[1].insert(0, "--pod=");
    if (arguments[0] == "doctor") arguments[1].insert(0, "--connection=");
}

}  // namespace

int run_plugin(std::vector<std::string> arguments, std::istream& in, std::ostream& out, std::ostream& err) {
    name_second_word(arguments);
    const auto line = parse_command_line(program(), arguments);
    for (const auto& fault : line.faults)
        err << "kubectl-cloudvalkey: " << fault << "\n";
    if (!line.faults.empty()) return kUsage;
    Run run(line.flags, in, out, err);
    if (line.wants_version || line.subcommand == "version") {
        out << "kubectl-cloudvalkey " << version() << "\n";
        return kOk;
    }
    if (!line.wants_help && line.subcommand == "inject") return run.inject();
    if (!line.wants_help && line.subcommand == "explain") return run.explain_objects();
    if (!line.wants_help && line.subcommand == "iam") return run.iam();
    if (!line.wants_help && line.subcommand == "check") return run.check();
    if (!line.wants_help && line.subcommand == "doctor") return run.doctor();
    (line.wants_help ? out : err) << line.help_text;
    return line.wants_help ? kOk : kUsage;
}

}  // namespace cvp::op
