#pragma once

#include <nlohmann/json_fwd.hpp>

#include "tests/emulator/backend.hpp"
#include "tests/emulator/state.hpp"
#include "tests/support/resp_client.hpp"

namespace cvp::emulator {

/// How the admin API shows things. Tokens appear in tokens_json() alone.
nlohmann::ordered_json calls_json(const CallLog& calls);
nlohmann::ordered_json faults_json(const Faults& faults);
nlohmann::ordered_json metadata_json(const MetadataSettings& settings, const TokenMint& mint);
nlohmann::ordered_json token_json(const MintedToken& token, SystemClock::time_point now);
nlohmann::ordered_json tokens_json(const TokenMint& mint, SystemClock::time_point now);
/// {"primary": {"host", "port", …}, "reader": {…}}
nlohmann::ordered_json backend_json(Backend& backend);
/// Strings, numbers, null, arrays; an error is {"error": text}.
nlohmann::ordered_json reply_json(const test::RespReply& reply);

}  // namespace cvp::emulator
