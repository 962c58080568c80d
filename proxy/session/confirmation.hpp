#pragma once

#include <optional>
#include <string_view>

namespace cvp::proxy {

/// What a server says of one name that a client (un)subscribed: "*3 subscribe news 1", or ">3 …".
struct Confirmation {
    char kind = 'c';             ///< 'c' a channel, 'p' a pattern, 's' a shard's channel
    bool is_subscribed = false;  ///< or not any more
    bool is_null = false;        ///< nothing was subscribed
    std::string_view name;
};

/// Reads one, of a whole frame of either protocol; nothing if it is something else, or not whole.
std::optional<Confirmation> parse_confirmation(std::string_view frame);

/// Whether a frame that begins so confirms a (un)subscription.
bool is_confirmation(std::string_view head);

/// Whether a frame that begins so is a message to a subscriber.
bool is_message(std::string_view head);

/// Whether a frame is the message of that shard channel.
bool is_message_of(std::string_view frame, std::string_view shard_channel);

}  // namespace cvp::proxy
