#include "common/config/command_line.hpp"

#include <list>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace cvp {
namespace {

/// A flag where CLI11 found it.
struct Bound {
    const char* name;
    std::vector<std::string> values;
    CLI::Option* option = nullptr;
};

/// `bound` is a list, because CLI11 keeps the address of the values.
void add_flag(CLI::App& app, const FlagSpec& flag, std::list<Bound>& bound) {
    auto& entry = bound.emplace_back(Bound{flag.name, {}, nullptr});
    const auto letter = std::string(flag.letter);
    const auto names = (letter.empty() ? "" : "-" + letter + ",") + "--" + flag.name;
    if (flag.value == nullptr) {
        entry.option = app.add_flag(names, entry.values, flag.help);
    } else {
        entry.option = app.add_option(names, entry.values, flag.help)->type_name(flag.value)->expected(0, 1);
        entry.option->allow_extra_args(false)->take_all();
    }
    if (*flag.group != '\0') entry.option->group(flag.group);
}

}  // namespace

CommandLine parse_command_line(const ProgramSpec& program, const std::vector<std::string>& arguments) {
    CommandLine line;
    CLI::App app(program.description, program.name);
    app.footer(program.footer);
    app.allow_extras();
    app.fallthrough();
    app.require_subcommand(0, 1);
    app.set_help_flag();
    app.add_flag("-h,--help", line.wants_help, "Print this and exit");
    app.add_flag("--version", line.wants_version, "Print the version and exit");
    app.get_formatter()->column_width(44);
    app.get_formatter()->label("OPTIONS", "flags");

    std::list<Bound> bound;
    for (const auto& flag : program.flags)
        add_flag(app, flag, bound);
    for (const auto& spec : program.subcommands) {
        auto* subcommand = app.add_subcommand(spec.name, spec.help);
        subcommand->set_help_flag();
        for (const auto& flag : spec.flags)
            add_flag(*subcommand, flag, bound);
    }
    try {
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::ParseError& error) {
        line.faults.emplace_back(error.what());
    }

    line.help_text = app.help();
    for (const auto* subcommand : app.get_subcommands())
        line.subcommand = subcommand->get_name();
    for (const auto& extra : app.remaining(/*recurse=*/true)) {
        line.faults.push_back(extra + ": unknown " + (extra.starts_with('-') ? "flag" : "word") + "; see --help");
    }
    for (const auto& flag : bound) {
        if (flag.option->count() > 0) line.flags.emplace(flag.name, flag.option->results());
    }
    return line;
}

}  // namespace cvp
