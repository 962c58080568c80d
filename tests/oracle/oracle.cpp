#include "tests/oracle/oracle.hpp"

namespace cvp::oracle {
namespace {

std::string place_of(const Program& program) {
    return "seed " + std::to_string(program.seed) + " program " + std::to_string(program.index) + ": ";
}

/// What the connections had seen last when a pass got stuck.
std::string ends_of(const PassResult& pass) {
    std::string text;
    for (std::size_t i = 0; i < pass.streams.size(); ++i) {
        const std::string_view stream = pass.streams[i];
        text += "  connection " + std::to_string(i) + ": " + std::to_string(stream.size()) + " bytes, the last: " +
                escape(stream.substr(stream.size() - std::min<std::size_t>(stream.size(), 120))) + "\n";
    }
    return text;
}

}  // namespace

Result<PassResult> Oracle::pass(const Program& program, const Connect& connect, bool wants_password) {
    if (auto cleaned = server_.clean(wants_password); !cleaned) return fail(cleaned.error());
    return run_pass(program, connect, server_, options_);
}

Verdict Oracle::check(const Program& program) {
    const auto stuck = [&](const std::string& pass, const std::string& what) {
        auto report = place_of(program) + pass + " pass: " + what + "\n" + server_.crash();
        return Verdict{Verdict::Kind::stuck, std::move(report)};
    };
    const auto first = pass(program, direct_, false);
    if (!first) return stuck("first direct", first.error().context);
    if (!first->trouble.empty()) {
        auto verdict = stuck("first direct", first->trouble + "\n" + ends_of(*first));
        verdict.kind = Verdict::Kind::idle;
        return verdict;
    }
    const Reference reference(program, *first, moves_);
    reference.count(coverage_);

    const auto second = pass(program, direct_, false);
    if (!second) return stuck("second direct", second.error().context);
    if (!second->trouble.empty()) return stuck("second direct", second->trouble + "\n" + ends_of(*second));
    if (const auto difference = reference.compare(*second))
        return {Verdict::Kind::unstable, "UNSTABLE " + to_string(program, *difference)};
    if (!subject_) return {};

    const auto through = pass(program, subject_, true);
    if (!through) return stuck("proxied", through.error().context);
    logins_ += server_.calls("auth");
    const auto difference = reference.compare(*through);
    if (!through->trouble.empty())
        return stuck("proxied",
                     through->trouble + "\n" + ends_of(*through) + (difference ? to_string(program, *difference) : ""));
    if (difference) return {Verdict::Kind::differs, "DIFFERS " + to_string(program, *difference)};
    return {};
}

bool Oracle::differs(const Program& program) {
    const auto first = pass(program, direct_, false);
    if (!first || !first->trouble.empty()) return false;
    const auto through = pass(program, subject_, true);
    if (!through) return false;
    return !through->trouble.empty() || Reference(program, *first, moves_).compare(*through);
}

}  // namespace cvp::oracle
