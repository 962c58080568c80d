#include <algorithm>
#include <set>

#include "tests/oracle/oracle.hpp"

namespace cvp::oracle {
namespace {

bool has_nonce(const Part& part) {
    return !part.nonce.empty() && !part.commands.empty() && part.commands.back().words.size() > 1 &&
           part.commands.back().words[1] == part.nonce;
}

/// Steps that wait for what nobody sends any more are of no use.
void drop_vain_waits(Program& program) {
    std::set<std::string> sent;
    for (const auto& step : program.steps)
        for (const auto& part : step)
            for (const auto& command : part.commands)
                if (command.words.size() > 1) sent.insert(command.words[1]);
    for (auto& step : program.steps)
        for (auto& part : step)
            if (!part.nonce.empty() && !sent.contains(part.nonce)) part.wait = Wait::nothing;
}

class Shrinker {
public:
    Shrinker(Oracle& oracle, Program program, std::size_t trials)
        : oracle_(oracle), best_(std::move(program)), trials_(trials) {}

    Program run() {
        drop_steps();
        for (std::size_t s = 0; s < best_.steps.size(); ++s)
            for (std::size_t p = 0; p < best_.steps[s].size(); ++p)
                drop_commands(s, p);
        drop_steps();
        return std::move(best_);
    }

private:
    bool try_it(Program candidate) {
        if (trials_ == 0) return false;
        --trials_;
        drop_vain_waits(candidate);
        if (!oracle_.differs(candidate)) return false;
        best_ = std::move(candidate);
        return true;
    }

    /// Halves, then quarters, then single ones.
    template <class Without>
    void drop(std::size_t count, Without without) {
        for (auto size = (count + 1) / 2; size > 0; size = size == 1 ? 0 : (size + 1) / 2) {
            for (std::size_t from = 0; from < count && trials_ > 0;) {
                const auto length = std::min(size, count - from);
                if (try_it(without(from, length)))
                    count -= length;
                else
                    from += length;
            }
        }
    }

    void drop_steps() {
        drop(best_.steps.size(), [this](std::size_t from, std::size_t length) {
            auto candidate = best_;
            const auto begin = candidate.steps.begin() + static_cast<std::ptrdiff_t>(from);
            candidate.steps.erase(begin, begin + static_cast<std::ptrdiff_t>(length));
            return candidate;
        });
    }

    void drop_commands(std::size_t s, std::size_t p) {
        const auto& part = best_.steps[s][p];
        drop(part.commands.size() - (has_nonce(part) ? 1 : 0), [this, s, p](std::size_t from, std::size_t length) {
            auto candidate = best_;
            auto& commands = candidate.steps[s][p].commands;
            const auto begin = commands.begin() + static_cast<std::ptrdiff_t>(from);
            commands.erase(begin, begin + static_cast<std::ptrdiff_t>(length));
            return candidate;
        });
    }

    Oracle& oracle_;
    Program best_;
    std::size_t trials_;
};

}  // namespace

Program shrink(Oracle& oracle, Program program, std::size_t trials) {
    return Shrinker(oracle, std::move(program), trials).run();
}

std::string to_string(const Program& program) {
    std::string text = "seed " + std::to_string(program.seed) + " program " + std::to_string(program.index) + ", " +
                       std::to_string(program.connections) + " connections\n";
    for (std::size_t s = 0; s < program.steps.size(); ++s) {
        for (const auto& part : program.steps[s]) {
            text += "  step " + std::to_string(s) + " connection " + std::to_string(part.connection);
            if (part.piece > 0) text += ", in pieces of about " + std::to_string(part.piece) + " bytes";
            if (part.writes_first) text += ", reads nothing before all is written";
            text += part.wait == Wait::nothing ? ", waits for nothing:\n" : ":\n";
            for (const auto& command : part.commands) {
                text += "   ";
                for (const auto& word : command.words)
                    text += " " + (word.empty() ? "\"\"" : escape(word, 80));
                text += "\n";
            }
        }
    }
    return text;
}

}  // namespace cvp::oracle
