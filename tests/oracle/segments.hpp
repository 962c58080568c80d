#pragma once

#include "tests/oracle/program_builder.hpp"

namespace cvp::oracle {

/// One stretch in which connections change what they understand: a transaction, a subscription, a switch of protocol, …
void add_state_segment(ProgramBuilder& builder, const CommandChoice& choice);

/// Clients that block and the one that frees them.
void add_blocking(ProgramBuilder& builder, const CommandChoice& choice);

/// Pub/sub on any protocol, with and without replies.
void add_pubsub(ProgramBuilder& builder, const CommandChoice& choice);

/// CLIENT TRACKING in its forms.
void add_tracking(ProgramBuilder& builder, const CommandChoice& choice);

/// Something after which a connection is of no more use: QUIT, MONITOR, bytes that are no command.
void add_odd_end(ProgramBuilder& builder, const CommandChoice& choice);

}  // namespace cvp::oracle
