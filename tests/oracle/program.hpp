#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cvp::oracle {

/// How a command is written on the wire.
enum class Form : std::uint8_t {
    multibulk,
    inline_line,  ///< the words with blanks between them, then CRLF
    noise,        ///< words[0] as it is: bytes that no reply belongs to ("*0", an empty line)
    garbage,      ///< words[0] as it is: the server answers with an error and closes
};

/// One command of a program. A word may hold the mark of another connection's CLIENT ID, see client_id_mark().
struct Command {
    std::vector<std::string> words;
    Form form = Form::multibulk;
};

/// What a step waits for before the next one may begin.
enum class Wait : std::uint8_t {
    nothing,
    reply,             ///< the nonce of this part's PING comes back
    reply_or_blocked,  ///< that, or the server counts one more blocked client
    close,             ///< the connection ends
};

/// What one connection sends in a step, and how.
struct Part {
    std::size_t connection = 0;
    std::vector<Command> commands;  ///< the last one is the PING with the nonce, where there is one
    Wait wait = Wait::nothing;
    std::string nonce;
    std::size_t piece = 0;  ///< the mean size of the writes; 0: one write
    std::uint64_t piece_seed = 0;
    bool writes_first = false;  ///< reads nothing before all is written
};

/// Parts of one step are sent at the same time; they must not see each other's keys.
using Step = std::vector<Part>;

struct Program {
    std::uint64_t seed = 0;
    std::uint64_t index = 0;
    std::size_t connections = 0;
    bool uses_client_ids = false;
    bool changes_state = false;  ///< has a command that changes its connection's state
    std::vector<Step> steps;

    std::size_t commands() const {
        std::size_t count = 0;
        for (const auto& step : steps)
            for (const auto& part : step)
                count += part.commands.size();
        return count;
    }
};

/// Stands for the CLIENT ID of connection `n` until the pass knows it.
inline std::string client_id_mark(std::size_t n) {
    return std::string("\x01id:") + static_cast<char>('0' + n) + "\x01";
}

}  // namespace cvp::oracle
