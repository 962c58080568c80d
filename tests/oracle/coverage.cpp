#include "tests/oracle/coverage.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "tests/oracle/written_commands.hpp"

namespace cvp::oracle {
namespace {

/// 1,000 in 10,000,000 and 50 in 1,000,000: the fewer there are, the less even is chance.
constexpr double kRare = 0.5e-4;
constexpr double kRareOfMany = 1e-4;
constexpr std::uint64_t kMany = 10'000'000;
/// So many commands must have run before it can be said that one came too rarely.
constexpr std::uint64_t kEnough = 50'000;

/// Subcommands of a container that COMMAND does not list as commands of their own.
std::uint64_t calls_of(const std::map<std::string, Coverage::Entry>& entries, const std::string& name) {
    std::uint64_t calls = 0;
    for (auto at = entries.lower_bound(name); at != entries.end() && at->first.starts_with(name); ++at)
        if (at->first.size() == name.size() || at->first[name.size()] == '|') calls += at->second.calls;
    return calls;
}

}  // namespace

double Coverage::masked_share() const {
    return bytes == 0 ? 0 : static_cast<double>(masked_bytes) / static_cast<double>(bytes);
}

std::vector<std::string> Coverage::rare(const Catalog& catalog, const std::set<std::string>& left_out) const {
    std::vector<std::string> names;
    const auto least =
        static_cast<std::uint64_t>(static_cast<double>(commands) * (commands < kMany ? kRare : kRareOfMany));
    for (const auto& command : catalog.commands)
        if (!exclusion_of(command.name) && !left_out.contains(command.name) &&
            calls_of(entries_, command.name) < std::max<std::uint64_t>(least, 1))
            names.push_back(command.name);
    return names;
}

std::string to_string(const Coverage& coverage, const Catalog& catalog, bool all) {
    const auto percent = [](std::uint64_t part, std::uint64_t whole) {
        return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
    };
    std::string text = fmt::format(
        "{} programs, {:.0f} % of them change connection state; {} commands, {} replies ({:.1f} % errors), {} pushes\n"
        "{} bytes, masked {:.2f} % of them ({:.2f} % of the replies); {} stretches of replies not assigned\n",
        coverage.programs, percent(coverage.stateful_programs, coverage.programs), coverage.commands, coverage.replies,
        percent(coverage.errors, coverage.replies), coverage.pushes, coverage.bytes, 100 * coverage.masked_share(),
        percent(coverage.masked_replies, coverage.replies), coverage.lost);
    if (coverage.commands < kEnough) return text;
    const auto rare = coverage.rare(catalog);
    text += fmt::format("{} of the server's {} commands and subcommands are excluded, {} came too rarely",
                        exclusions().size(), catalog.commands.size(), rare.size());
    for (const auto& name : rare)
        text += " " + name;
    text += "\n";
    if (!all) return text;
    for (const auto& [name, entry] : coverage.entries()) {
        if (name.empty()) continue;  // bytes that are no command
        text += fmt::format("  {:28} {:9} calls {:5.1f} % errors {:10} bytes masked\n", name, entry.calls,
                            percent(entry.errors, entry.calls), entry.masked_bytes);
    }
    return text;
}

}  // namespace cvp::oracle
