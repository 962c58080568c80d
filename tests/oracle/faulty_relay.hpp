#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace cvp::oracle {

/// The faults that a proxy may well have. The oracle must see each of them.
enum class Fault : std::uint8_t {
    none,                   ///< and so it must let this one pass
    swapped_replies,        ///< two replies in each other's place
    lost_push,              ///< a message or an invalidation that never arrives
    dropped_byte,           ///< a byte inside a reply's body
    resp3_null,             ///< "_" for "$-1"
    wrong_db_after_swap,    ///< the upstream connection is replaced, its SELECT is not replayed
    eaten_skip,             ///< a login right after CLIENT REPLY SKIP takes the skip
    extra_exec_element,     ///< something of the proxy's own got into a transaction
    duplicated_message,     ///< a message or an invalidation twice
    leaked_nonce,           ///< the answer to the proxy's own PING reaches the client
    reset_left_as_default,  ///< no login after RESET
};

const char* to_string(Fault fault);
std::optional<Fault> parse_fault(std::string_view name);

/// A proxy in this process: it logs in, logs in again after RESET and replaces upstream connections, all of it rightly
/// but for one fault, which it commits now and then.
///
/// Owner: a test. It runs on a thread of its own, which ends with the object.
class FaultyRelay {
public:
    /// @param socket of the server, which wants that password
    FaultyRelay(Fault fault, std::filesystem::path socket, std::string password);
    ~FaultyRelay();

    std::uint16_t port() const { return port_; }
    /// How often the fault was committed.
    std::uint64_t committed() const { return committed_; }
    /// How often an upstream connection was replaced.
    std::uint64_t swaps() const { return swaps_; }

private:
    class Link;

    void run();

    const Fault fault_;
    const std::filesystem::path socket_;
    const std::string password_;
    int listener_ = -1;
    int stop_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<std::uint64_t> committed_ = 0;
    std::atomic<std::uint64_t> swaps_ = 0;
    std::thread thread_;
};

}  // namespace cvp::oracle
