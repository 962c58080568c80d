#include "tests/oracle/session_model.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "tests/oracle/command_name.hpp"

namespace cvp::oracle {
namespace {

using Names = std::unordered_set<std::string_view>;

const Names kWhileSubscribed = {"subscribe",    "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe",
                                "sunsubscribe", "ping",       "quit",       "reset"};
const Names kNotQueued = {"exec", "discard", "multi", "watch", "quit", "reset"};

}  // namespace

Expectation SessionModel::apply(const Command& command) {
    if (closed_) return {0, nullptr, {}};
    if (command.form == Form::garbage) {
        closed_ = true;
        return {reply_ == Reply::on ? 1U : 0U, nullptr, {}};
    }
    const bool silent = reply_ == Reply::off || reply_ == Reply::skip;
    // Even bytes that are no command end a SKIP: the server resets the client after them as after a command.
    if (reply_ == Reply::skip) reply_ = Reply::on;
    if (command.form == Form::noise) return {0, nullptr, {}};
    auto expectation = act(full_name(command), command.words, silent);
    if (reply_ == Reply::skip_next) reply_ = Reply::skip;
    return expectation;
}

Expectation SessionModel::act(const std::string& name, const std::vector<std::string>& words, bool silent) {
    const Expectation plain{
        silent ? 0U : 1U, moves_ ? &mask_while_moving(name, words.size()) : &mask_of(name, words.size()), {}};
    if (is_restricted() && !kWhileSubscribed.contains(name)) return plain;
    if (in_multi_ && !kNotQueued.contains(name)) {
        queued_.push_back(plain.mask);
        if (name == "hello" || name.ends_with("subscribe")) queued_changes_.push_back(words);
        return plain;
    }
    if (name == "multi") {
        in_multi_ = true;
        queued_.clear();
        queued_changes_.clear();
    } else if (name == "exec" && in_multi_) {
        in_multi_ = false;
        return execute({plain.frames, plain.mask, std::move(queued_)});
    } else if (name == "discard") {
        in_multi_ = false;
    } else if (name == "hello") {
        if (words.size() > 1 && (words[1] == "2" || words[1] == "3")) protocol_ = words[1][0] - '0';
    } else if (name == "reset") {
        reset();
        return {1, nullptr, {}};
    } else if (name == "quit") {
        closed_ = true;
    } else if (name == "monitor") {
        monitor_ = true;
    } else if (name == "subscribe") {
        return {subscribe(channels_, words), nullptr, {}};
    } else if (name == "psubscribe") {
        return {subscribe(patterns_, words), nullptr, {}};
    } else if (name == "ssubscribe") {
        return {subscribe(shards_, words), nullptr, {}};
    } else if (name == "unsubscribe") {
        return unsubscribe(channels_, words, silent);
    } else if (name == "punsubscribe") {
        return unsubscribe(patterns_, words, silent);
    } else if (name == "sunsubscribe") {
        return unsubscribe(shards_, words, silent);
    } else if (name == "client|reply" && words.size() == 3) {
        const auto mode = lower(words[2]);
        if (mode == "on") {
            reply_ = Reply::on;
            return {1, nullptr, {}};
        }
        if (mode == "off") {
            reply_ = Reply::off;
            return {0, nullptr, {}};
        }
        if (mode == "skip") {
            if (reply_ != Reply::off) reply_ = Reply::skip_next;
            return {0, nullptr, {}};
        }
    }
    return plain;
}

Expectation SessionModel::execute(Expectation exec) {
    for (const auto& words : std::exchange(queued_changes_, {})) {
        // A subscription has a frame for each name but is one element: what is too much comes after EXEC's array.
        const auto name = full_name({words, Form::multibulk});
        uncountable_ |= name.ends_with("subscribe");
        const auto frames = act(name, words, false).frames;
        if (exec.frames > 0) exec.frames += frames - 1;
    }
    return exec;
}

std::size_t SessionModel::subscribe(std::set<std::string>& set, const std::vector<std::string>& words) {
    if (words.size() < 2) return 1;  // a wrong number of arguments
    set.insert(words.begin() + 1, words.end());
    return words.size() - 1;
}

Expectation SessionModel::unsubscribe(std::set<std::string>& set, const std::vector<std::string>& words, bool silent) {
    // One error for all names, and an ordinary one, where nothing is subscribed at all.
    if (subscriptions() == 0) return {silent ? 0U : 1U, nullptr, {}};
    if (words.size() == 1) {
        const auto* mask = moves_ ? &mask_while_moving("unsubscribe", 1) : nullptr;
        return {std::max<std::size_t>(std::exchange(set, {}).size(), 1), mask, {}};
    }
    for (std::size_t i = 1; i < words.size(); ++i)
        set.erase(words[i]);
    return {words.size() - 1, nullptr, {}};
}

void SessionModel::reset() {
    *this = SessionModel(moves_);
}

}  // namespace cvp::oracle
