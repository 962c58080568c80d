#include "proxy/loop/outbox.hpp"

namespace cvp::proxy {

bool Outbox::take(Sender& sender, std::string_view bytes) {
    if (!is_open_ || bytes.size() > kLongest || bytes_.size() + bytes.size() > kMost) return false;
    bytes_.append(bytes);
    if (!pieces_.empty() && pieces_.back().sender == &sender) {
        pieces_.back().size += bytes.size();
    } else {
        pieces_.push_back({&sender, bytes.size()});
    }
    return true;
}

void Outbox::flush() {
    std::string_view rest = bytes_;
    for (const auto& piece : pieces_) {
        piece.sender->send_now(rest.substr(0, piece.size));
        rest.remove_prefix(piece.size);
    }
    pieces_.clear();
    bytes_.clear();
}

}  // namespace cvp::proxy
