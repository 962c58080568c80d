#include "tests/oracle/program_builder.hpp"

#include <algorithm>
#include <unordered_set>

#include "tests/oracle/command_name.hpp"
#include "tests/oracle/written_commands.hpp"

namespace cvp::oracle {
namespace {

const std::unordered_set<std::string_view> kLocalGroups = {"string", "list", "set",    "sorted-set", "hash",
                                                           "bitmap", "geo",  "stream", "hyperloglog"};

}  // namespace

CommandChoice::CommandChoice(const Catalog& catalog, bool local) {
    double sum = 0;
    for (const auto& spec : catalog.commands) {
        if (exclusion_of(spec.name) || is_made_by_segments(spec.name)) continue;
        if (local && (!kLocalGroups.contains(spec.group) || spec.name.ends_with("|help"))) continue;
        specs_.push_back(&spec);
        sums_.push_back(sum += weight_of(spec.name));
    }
}

const CommandSpec& CommandChoice::draw(Rng& rng) const {
    const auto at = static_cast<double>(rng.next() >> 11U) * 0x1.0p-53 * sums_.back();
    const auto found = std::upper_bound(sums_.begin(), sums_.end(), at);
    return *specs_[std::min(static_cast<std::size_t>(found - sums_.begin()), specs_.size() - 1)];
}

ProgramBuilder::ProgramBuilder(const Catalog& catalog, const CommandWriter& writer, std::uint64_t seed,
                               std::uint64_t index, std::size_t connections, bool big)
    : writer_(writer), rng_(mix(seed, index)), values_(rng_, catalog, big), models_(connections) {
    program_.seed = seed;
    program_.index = index;
    program_.connections = connections;
}

void ProgramBuilder::begin(std::size_t connection) {
    program_.steps.emplace_back();
    also(connection);
}

void ProgramBuilder::also(std::size_t connection) {
    auto& made = program_.steps.back().emplace_back();
    made.connection = connection;
    made.piece_seed = rng_.next();
    const auto die = rng_.below(10);
    if (die < 2)
        made.piece = rng_.between(1, 40);
    else if (die < 5)
        made.piece = rng_.between(200, 20000);
    made.writes_first = rng_.chance(0.05);
}

void ProgramBuilder::add(Command command) {
    auto& made = part();
    program_.changes_state |= changes_state(full_name(command));
    models_[made.connection].apply(command);
    made.commands.push_back(std::move(command));
    ++commands_;
}

void ProgramBuilder::emit(std::vector<std::string> words) {
    add({std::move(words), Form::multibulk});
}

void ProgramBuilder::emit_as(Form form, std::vector<std::string> words) {
    add({std::move(words), form});
}

void ProgramBuilder::draw(const CommandChoice& choice, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        scratch_.clear();
        writer_.write(choice.draw(rng_), values_, scratch_);
        for (auto& command : scratch_)
            add(std::move(command));
    }
}

bool ProgramBuilder::can_wait() const {
    const auto& model = models_[part().connection];
    return !model.is_closed() && !model.is_in_multi() && model.replies();
}

std::string ProgramBuilder::nonce() {
    return "~" + std::to_string(program_.index) + "." + std::to_string(nonces_++) + "." +
           std::to_string(rng_.below(1'000'000)) + "~";
}

void ProgramBuilder::wait(Wait wait) {
    if (!can_wait()) return;
    const auto name = nonce();
    emit({"PING", name});
    part().nonce = name;
    part().wait = wait;
}

void ProgramBuilder::wait_for_close() {
    part().wait = Wait::close;
}

void ProgramBuilder::await(std::size_t connection, const std::string& nonce) {
    begin(connection);
    part().nonce = nonce;
    part().wait = Wait::reply;
}

bool ProgramBuilder::is_free(std::size_t connection) const {
    const auto& model = models_[connection];
    return !model.is_closed() && !model.is_in_multi() && !model.is_restricted() && model.replies() &&
           !model.is_monitor();
}

std::size_t ProgramBuilder::free_connection(std::initializer_list<std::size_t> not_these) {
    const auto first = rng_.below(models_.size());
    for (std::size_t i = 0; i < models_.size(); ++i) {
        const auto candidate = (first + i) % models_.size();
        if (is_free(candidate) && std::find(not_these.begin(), not_these.end(), candidate) == not_these.end())
            return candidate;
    }
    return models_.size();
}

}  // namespace cvp::oracle
