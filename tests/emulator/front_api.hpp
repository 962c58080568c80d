#pragma once

#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "common/http/message.hpp"
#include "tests/emulator/front.hpp"

namespace cvp::emulator {

/// The part of the admin API that is about a TLS front. NAME is an instance with the option `front`, or "front-1" ….
///
/// | call | body | does |
/// |---|---|---|
/// | GET /admin/fronts/NAME | | address, counts, faults, age |
/// | POST …/NAME:fault | answer, count, forMs, delayMs, turn | adds a fault for logins |
/// | POST …/NAME:heal | | no faults, no age |
/// | POST …/NAME:age | ms, prolonged | cuts each connection so long after its newest login (or its first); 0: never |
/// | POST …/NAME:cut | | cuts all connections now, as CLIENT KILL does |
///
/// `answer` is WRONGPASS, ERR_IAM_EXHAUSTED, ERR_IAM_OTHER, silence (refused without a reply), cut (the connection
/// breaks in the middle of the answer) or pass (default: only delay). `count` logins are hit, or those of the next
/// `forMs`, or all until healed. `turn` is any (default), first (of a connection) or later.
///
/// @param verb what follows the colon; empty for none
http::Response answer_front(Front& front, const http::Request& request, std::string_view verb);

nlohmann::ordered_json front_json(const Front& front);

}  // namespace cvp::emulator
