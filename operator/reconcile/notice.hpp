#pragma once

#include <optional>

#include "operator/api/connection_status.hpp"
#include "operator/runtime/event_filter.hpp"

namespace cvp::op {

/// What a change of the status is worth telling its owner: nothing for a refresh that found nothing new, so that Events
/// come on change only, also across restarts.
///
/// Told are: Ready became True; Ready became False, or is so for another reason (Stalled and NameConflict among them);
/// the last look-up failed, or does so for another reason, while the last good configuration is kept; it succeeds
/// again.
std::optional<EventText> notice_of(const ConnectionStatus& before, const ConnectionStatus& after);

}  // namespace cvp::op
