#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <vector>

#include "tests/oracle/command_writer.hpp"
#include "tests/oracle/program.hpp"
#include "tests/oracle/rng.hpp"
#include "tests/oracle/session_model.hpp"
#include "tests/oracle/values.hpp"

namespace cvp::oracle {

/// Commands that a plain batch is drawn from, each as often as its weight says.
class CommandChoice {
public:
    /// @param local only commands that see nothing but their own keys
    CommandChoice(const Catalog& catalog, bool local);
    const CommandSpec& draw(Rng& rng) const;

private:
    std::vector<const CommandSpec*> specs_;
    std::vector<double> sums_;
};

/// Builds a program step by step and knows at each moment what its connections understand.
class ProgramBuilder {
public:
    ProgramBuilder(const Catalog& catalog, const CommandWriter& writer, std::uint64_t seed, std::uint64_t index,
                   std::size_t connections, bool big);

    Rng& rng() { return rng_; }
    Values& values() { return values_; }
    const SessionModel& model(std::size_t connection) const { return models_[connection]; }
    std::size_t connections() const { return models_.size(); }
    std::size_t commands() const { return commands_; }
    Program& program() { return program_; }

    /// Begins a step in which only `connection` sends.
    void begin(std::size_t connection);
    /// Adds a part of the same step, sent at the same time.
    void also(std::size_t connection);
    void emit(std::vector<std::string> words);
    void emit_as(Form form, std::vector<std::string> words);
    /// Commands drawn from the choice.
    void draw(const CommandChoice& choice, std::size_t count);
    /// Whether a PING would be answered now.
    bool can_wait() const;
    /// Ends the part with a PING that is waited for, where that can be.
    /// @param wait reply, or reply_or_blocked
    void wait(Wait wait = Wait::reply);
    void wait_for_close();
    /// A name that no other command has.
    std::string nonce();
    /// Waits for the reply of an earlier step that ended blocked.
    void await(std::size_t connection, const std::string& nonce);
    const std::string& last_nonce() const { return part().nonce; }
    void set_nonce(std::string nonce) { part().nonce = std::move(nonce); }
    void set_wait(Wait wait) { part().wait = wait; }

    /// A connection that is open and takes any command, and is none of `not_these`; connections() if there is none.
    std::size_t free_connection(std::initializer_list<std::size_t> not_these = {});
    bool is_free(std::size_t connection) const;

private:
    Part& part() { return program_.steps.back().back(); }
    const Part& part() const { return program_.steps.back().back(); }
    void add(Command command);

    const CommandWriter& writer_;
    Rng rng_;
    Values values_;
    Program program_;
    std::vector<SessionModel> models_;
    std::vector<Command> scratch_;
    std::size_t commands_ = 0;
    std::size_t nonces_ = 0;
};

}  // namespace cvp::oracle
