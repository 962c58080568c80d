#include "tests/oracle/comparison.hpp"

#include <algorithm>

#include "tests/oracle/command_name.hpp"

namespace cvp::oracle {
namespace {

constexpr std::size_t kCommandsBefore = 6;

std::string describe(const Command& command) {
    std::string text;
    for (const auto& word : command.words) {
        if (!text.empty()) text += ' ';
        const bool plain = !word.empty() && word.find_first_of(" \"\\") == std::string::npos;
        text += plain ? escape(word, 60) : '"' + escape(word, 60) + '"';
        if (text.size() > 400) return text + " …";
    }
    if (command.form == Form::inline_line) text += " (inline)";
    if (command.form == Form::noise || command.form == Form::garbage) text += " (raw bytes)";
    return text;
}

/// What MONITOR shows of the harness, and of a proxy's own life (docs/differences.md).
bool is_noise_of_monitor(std::string_view line) {
    const auto from = line.find("] ");
    if (from == std::string_view::npos) return false;
    const auto command = lower(line.substr(from + 2, 20));
    return command.starts_with("\"auth\"") || command.starts_with("\"ping\"") || command.starts_with("\"hello\"") ||
           command.starts_with("\"info\" \"clients\"") || command.starts_with("\"client\" \"capa\"");
}

/// Database and command of a line: its time and the client's address are left out.
std::string monitored(std::string_view line) {
    const auto open = line.find('[');
    const auto close = line.find(']');
    if (open == std::string_view::npos || close == std::string_view::npos) return std::string(line);
    return std::string(line.substr(open, line.find(' ', open) - open)) + std::string(line.substr(close));
}

/// The frames that are compared: all but the noise.
std::vector<std::size_t> relevant(const Frames& frames, std::string_view stream) {
    std::vector<std::size_t> indices;
    for (std::size_t i = 0; i < frames.whole.size(); ++i) {
        const auto bytes = stream.substr(frames.whole[i].begin, frames.whole[i].size);
        if (!is_monitor_line(bytes) || !is_noise_of_monitor(bytes)) indices.push_back(i);
    }
    return indices;
}

bool is_real(const Mask* mask) {
    return mask && mask->kind != Mask::Kind::none && mask->kind != Mask::Kind::unordered;
}

/// How many bytes of a reply a mask covers; of EXEC's, those of the masked elements.
std::size_t masked_bytes(const Expectation& expected, std::string_view frame) {
    if (is_real(expected.mask)) return frame.size();
    if (std::none_of(expected.elements.begin(), expected.elements.end(), is_real) || frame.front() != '*') return 0;
    std::size_t masked = 0;
    auto at = header_at(frame, 0).next;
    bool broken = false;
    for (const auto* mask : expected.elements) {
        const auto end = frame_end(frame, at, broken);
        if (end == std::string_view::npos) break;
        if (is_real(mask)) masked += end - at;
        at = end;
    }
    return masked;
}

}  // namespace

Reference::Reference(const Program& program, const PassResult& pass, bool moves) : program_(program), pass_(pass) {
    for (std::size_t i = 0; i < program.connections; ++i) {
        sent_.push_back(sent_by(program, i, moves));
        transcripts_.push_back(assign(sent_.back(), pass.streams[i]));
    }
}

std::optional<Difference> Reference::compare(const PassResult& other) const {
    for (std::size_t i = 0; i < program_.connections; ++i) {
        if (pass_.streams[i] == other.streams[i]) continue;
        if (auto found = compare_streams(i, other.streams[i])) return found;
    }
    return std::nullopt;
}

std::optional<Difference> Reference::compare_streams(std::size_t connection, const std::string& other) const {
    const std::string_view ours = pass_.streams[connection];
    const std::string_view theirs = other;
    const auto& transcript = transcripts_[connection];
    const auto frames = split_frames(theirs);
    const auto left = relevant(transcript.frames, ours);
    const auto right = relevant(frames, theirs);
    for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
        const auto frame = i < left.size() ? left[i] : transcript.frames.whole.size();
        const auto begin = i < left.size() ? transcript.frames.whole[frame].begin : transcript.frames.rest;
        const auto theirs_begin = i < right.size() ? frames.whole[right[i]].begin : frames.rest;
        if (i >= left.size() || i >= right.size())
            return difference_at(connection, frame, begin, theirs.substr(theirs_begin));
        const auto a = ours.substr(begin, transcript.frames.whole[frame].size);
        const auto b = theirs.substr(theirs_begin, frames.whole[right[i]].size);
        if (a == b) continue;
        if (is_monitor_line(a) && is_monitor_line(b) && monitored(a) == monitored(b)) continue;
        const auto owner = transcript.owners[frame];
        if (owner != Transcript::kNobody) {
            const auto& expected = sent_[connection][owner].expected;
            if (!expected.elements.empty() && equal_under(expected.elements, a, b)) continue;
            if (expected.mask && equal_under(*expected.mask, a, b)) continue;
        }
        return difference_at(connection, frame, begin, theirs.substr(theirs_begin));
    }
    const auto tail = ours.substr(transcript.frames.rest);
    if (tail != theirs.substr(frames.rest))
        return difference_at(connection, transcript.frames.whole.size(), transcript.frames.rest,
                             theirs.substr(frames.rest));
    return std::nullopt;
}

Difference Reference::difference_at(std::size_t connection, std::size_t frame, std::size_t begin,
                                    std::string_view seen) const {
    const auto& transcript = transcripts_[connection];
    const auto& sent = sent_[connection];
    Difference difference;
    difference.connection = connection;
    difference.offset = begin;
    difference.expected = escape(std::string_view(pass_.streams[connection]).substr(begin));
    difference.seen = escape(seen);
    // The command that it answers, or the last one that was answered before.
    auto owner = Transcript::kNobody;
    for (std::size_t i = 0; i <= frame && i < transcript.owners.size(); ++i)
        if (transcript.owners[i] != Transcript::kNobody) owner = transcript.owners[i];
    if (owner == Transcript::kNobody) return difference;
    const bool is_its_own = frame < transcript.owners.size() && transcript.owners[frame] == owner;
    difference.command = (is_its_own ? "" : "(something after) ") + describe(*sent[owner].command);
    for (auto i = owner - std::min(owner, kCommandsBefore); i < owner; ++i)
        difference.before += "    " + describe(*sent[i].command) + "\n";
    return difference;
}

void Reference::count(Coverage& coverage) const {
    ++coverage.programs;
    coverage.stateful_programs += program_.changes_state ? 1U : 0U;
    for (std::size_t i = 0; i < program_.connections; ++i) {
        const auto& sent = sent_[i];
        for (const auto& one : sent) {
            ++coverage.commands;
            coverage.add_call(full_name(*one.command));
        }
        const auto& transcript = transcripts_[i];
        coverage.bytes += pass_.streams[i].size();
        coverage.lost += transcript.lost;
        for (std::size_t f = 0; f < transcript.owners.size(); ++f) {
            const auto& frame = transcript.frames.whole[f];
            const auto owner = transcript.owners[f];
            const char type = pass_.streams[i][frame.begin];
            if (owner == Transcript::kNobody) {
                ++coverage.pushes;
                continue;
            }
            ++coverage.replies;
            const auto name = full_name(*sent[owner].command);
            if (type == '-' || type == '!') {
                ++coverage.errors;
                ++coverage.entry(name).errors;
            }
            const auto masked =
                masked_bytes(sent[owner].expected, std::string_view(pass_.streams[i]).substr(frame.begin, frame.size));
            coverage.masked_bytes += masked;
            coverage.masked_replies += masked > 0 ? 1U : 0U;
            coverage.entry(name).masked_bytes += masked;
        }
    }
}

std::string to_string(const Program& program, const Difference& difference) {
    return "seed " + std::to_string(program.seed) + " program " + std::to_string(program.index) + " connection " +
           std::to_string(difference.connection) + " of " + std::to_string(program.connections) + ", byte " +
           std::to_string(difference.offset) + "\n  before:\n" + difference.before +
           "  command:  " + difference.command + "\n  expected: " + difference.expected +
           "\n  seen:     " + difference.seen + "\n";
}

}  // namespace cvp::oracle
