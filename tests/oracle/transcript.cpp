#include "tests/oracle/transcript.hpp"

namespace cvp::oracle {
namespace {

/// The text of a nonce inside a short frame, "" if there is none: "$9\r\n~7.3.921~\r\n".
std::string_view nonce_in(std::string_view frame) {
    if (frame.size() > 80) return {};
    const auto first = frame.find('~');
    const auto last = frame.rfind('~');
    return first == last ? std::string_view() : frame.substr(first, last - first + 1);
}

}  // namespace

std::vector<Sent> sent_by(const Program& program, std::size_t connection, bool moves) {
    std::vector<Sent> sent;
    SessionModel model(moves);
    for (const auto& step : program.steps) {
        for (const auto& part : step) {
            if (part.connection != connection) continue;
            for (const auto& command : part.commands) {
                Sent one{&command, model.apply(command), false};
                one.is_nonce = !part.nonce.empty() && command.words.size() == 2 && command.words[1] == part.nonce &&
                               one.expected.frames == 1;
                sent.push_back(std::move(one));
            }
        }
    }
    return sent;
}

Transcript assign(const std::vector<Sent>& sent, std::string_view stream) {
    Transcript transcript;
    transcript.frames = split_frames(stream);
    std::size_t at = 0;     // the command whose reply is due
    std::size_t taken = 0;  // of its frames
    for (const auto& frame : transcript.frames.whole) {
        const auto bytes = stream.substr(frame.begin, frame.size);
        auto owner = Transcript::kNobody;
        if (!is_out_of_band(bytes)) {
            while (at < sent.size() && taken >= sent[at].expected.frames) {
                ++at;
                taken = 0;
            }
            const auto nonce = nonce_in(bytes);
            auto match = at;
            if (!nonce.empty())
                while (match < sent.size() && !(sent[match].is_nonce && sent[match].command->words[1] == nonce))
                    ++match;
            if (!nonce.empty() && match < sent.size()) {
                if (match != at) ++transcript.lost;
                at = match;
                taken = 0;
            }
            if (at < sent.size() && (!sent[at].is_nonce || (!nonce.empty() && match == at))) {
                owner = at;
                ++taken;
            }
        }
        transcript.owners.push_back(owner);
    }
    return transcript;
}

}  // namespace cvp::oracle
