#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tests/oracle/frames.hpp"
#include "tests/oracle/program.hpp"
#include "tests/oracle/session_model.hpp"

namespace cvp::oracle {

/// What one connection of a program sends, and how it is answered.
struct Sent {
    const Command* command = nullptr;
    Expectation expected;
    bool is_nonce = false;  ///< the PING at the end of a part
};
/// @param moves see SessionModel
std::vector<Sent> sent_by(const Program& program, std::size_t connection, bool moves = false);

/// A stream with the command that each of its frames answers.
struct Transcript {
    static constexpr std::size_t kNobody = static_cast<std::size_t>(-1);

    Frames frames;
    std::vector<std::size_t> owners;  ///< for each frame an index of `sent`, or kNobody
    std::size_t lost = 0;             ///< how often it did not fit and was taken up again at the next nonce
};

/// Assigns the frames of a stream. Where the model is wrong, frames up to the next nonce have no owner.
Transcript assign(const std::vector<Sent>& sent, std::string_view stream);

}  // namespace cvp::oracle
