#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/resp/command_table.hpp"
#include "proxy/resp/length_line.hpp"

namespace cvp::proxy {

/// Finds the commands in what a client sends, incrementally: multibulk ("*2\r\n$3\r\nGET\r\n…") and inline ("GET k\n").
///
/// Expected flow: feed(input), then step() until it says starved. Every byte of the input comes out again exactly once
/// and in order, in Step::bytes, or is kept until it can be decided what it belongs to: at most the head of one command
/// (its count and its name; for commands that change state their captured arguments, 64 KiB at most).
///
/// Guarantees: no allocation for a command that is not captured; bulk bodies are skipped by length, never looked at and
/// not kept; bulk terminators are skipped, not checked (the server does not either). What the server would take for a
/// protocol error makes it `broken` for good: "*01", "*+1", "$4 ", a line over 64 KiB, quotes that do not close. So
/// does what servers do not agree on: a "*" behind a line of blanks, and a NUL in a line, behind which they wait for
/// ever.
/// @source Valkey networking.c (processMultibulkBuffer, processInlineBuffer, string2ll, sdssplitargs);
///         data-plane-verified 1.3, 2.5
class RequestFramer {
public:
    static constexpr std::size_t kMaxHead = std::size_t{64} * 1024;

    enum class Event : std::uint8_t {
        starved,  ///< all input is taken; `bytes` is empty
        body,     ///< `bytes` go the way of the command that was announced last
        noise,    ///< `bytes` stand between commands and have no reply: "*0", "*-1", an empty line
        command,  ///< a command begins, see command(), arguments(): `bytes` is its head, all of it if it is captured
        broken,   ///< `bytes`, and all that comes from now on, are not understood
    };
    struct Step {
        Event event = Event::starved;
        /// Of the input or of the framer: valid until the next call of step() or feed().
        std::string_view bytes;
        /// With command and body: whether the command is whole with these bytes.
        bool is_whole = false;
    };

    /// Takes the next bytes; the earlier ones must have been stepped through. They must stay until starved.
    void feed(std::string_view input);
    Step step();
    /// Gives back what of the input was not stepped through, right after a step() that was not starved or before the
    /// first.
    std::string_view take_rest();

    /// The newest command.
    const CommandInfo& command() const { return *command_; }
    /// Its captured arguments, without the name, valid as long as Step::bytes: all where the table says
    /// kAllArguments, else as many of the first as it says and as there are. Empty for commands that are not captured.
    const std::vector<std::string_view>& arguments() const { return arguments_; }
    /// Whether arguments() lacks some, because its head would be longer than 64 KiB with them.
    bool is_cut_short() const { return is_cut_short_; }
    /// How many arguments follow the name in all.
    std::size_t argument_count() const { return argument_count_; }

    /// Whether the client stands between two commands: nothing of one was taken yet.
    bool is_at_boundary() const;
    bool is_broken() const { return is_broken_; }

private:
    enum class Phase : std::uint8_t { boundary, line, head, body, broken };
    /// What the head goes on with.
    enum class Part : std::uint8_t { count, name_length, name, argument_length, argument };
    enum class Found : std::uint8_t { less, noise, command, broken };

    std::size_t take_usual();
    Step step_line();
    Step step_head();
    Step step_body();
    Step split_line(std::string_view line);
    Step give_up();

    Found read_head(std::string_view head);
    LengthLine::State read_line(std::string_view head, char type, LengthLine& line);
    void capture_arguments(std::string_view head, std::size_t count);
    std::size_t walk_body(std::string_view bytes);
    std::string_view hand_out(std::size_t size);
    void release();

    std::string_view input_;    ///< what was not stepped through yet
    std::string kept_;          ///< the beginning of a head that the input before ended in
    bool kept_is_out_ = false;  ///< it was handed out: it ends with the next call
    Phase phase_ = Phase::boundary;
    bool is_after_blanks_ = false;  ///< the last line held blanks alone

    // The head.
    Part part_ = Part::count;
    std::size_t head_at_ = 0;     ///< it is read up to here
    std::uint64_t lacks_ = 0;     ///< so many bytes at least it needs to be read further
    std::uint64_t bulk_ = 0;      ///< length of its bulk at head_at_
    std::uint64_t captures_ = 0;  ///< so many arguments still belong to it, or did where it was cut short
    const CommandInfo* next_ = &command_at(0);
    std::size_t next_argument_count_ = 0;

    // The body.
    std::uint64_t bulks_left_ = 0;  ///< of the command, those whose length was not read yet
    std::uint64_t body_left_ = 0;   ///< of a bulk, with its terminator
    bool is_in_length_ = false;
    LengthLine length_;

    const CommandInfo* command_ = &command_at(0);
    std::vector<std::string_view> arguments_;
    std::string words_;  ///< arguments of an inline command that stood in quotes
    std::size_t argument_count_ = 0;
    bool is_cut_short_ = false;
    bool is_broken_ = false;
};

}  // namespace cvp::proxy
