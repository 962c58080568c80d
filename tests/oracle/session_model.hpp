#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "tests/oracle/mask.hpp"
#include "tests/oracle/program.hpp"

namespace cvp::oracle {

/// What follows from one command.
struct Expectation {
    std::size_t frames = 1;  ///< in-band frames that answer it
    const Mask* mask = nullptr;
    std::vector<const Mask*> elements;  ///< of EXEC: a mask for each element
};

/// The oracle's own idea of a connection, from the commands that were sent on it: how many frames answer each one.
///
/// It serves the generator (what can be sent now), and the comparison (which reply belongs to which command). A wrong
/// idea costs the mask of a few replies, never a difference that goes unseen: what cannot be assigned is compared byte
/// by byte.
class SessionModel {
public:
    /// @param moves whether subscribers are moved between connections, see mask_while_moving()
    explicit SessionModel(bool moves = false) : moves_(moves) {}

    Expectation apply(const Command& command);

    int protocol() const { return protocol_; }
    bool is_in_multi() const { return in_multi_; }
    bool is_monitor() const { return monitor_; }
    bool is_closed() const { return closed_; }
    /// It subscribed inside a transaction, after which replies cannot be counted: a proxy may end it at its RESET.
    bool is_uncountable() const { return uncountable_; }
    bool replies() const { return reply_ == Reply::on; }
    std::size_t subscriptions() const { return channels_.size() + patterns_.size() + shards_.size(); }
    /// RESP2 and subscribed: the server takes only a handful of commands.
    bool is_restricted() const { return protocol_ == 2 && subscriptions() > 0; }
    const std::set<std::string>& channels() const { return channels_; }
    const std::set<std::string>& patterns() const { return patterns_; }
    const std::set<std::string>& shards() const { return shards_; }

private:
    enum class Reply { on, off, skip_next, skip };

    Expectation act(const std::string& name, const std::vector<std::string>& words, bool silent);
    /// What happens at EXEC to commands that change the connection; its own reply and what follows it out of turn.
    Expectation execute(Expectation exec);
    std::size_t subscribe(std::set<std::string>& set, const std::vector<std::string>& words);
    Expectation unsubscribe(std::set<std::string>& set, const std::vector<std::string>& words, bool silent);
    void reset();

    bool moves_;
    int protocol_ = 2;
    bool in_multi_ = false;
    bool monitor_ = false;
    bool closed_ = false;
    bool uncountable_ = false;
    Reply reply_ = Reply::on;
    std::vector<const Mask*> queued_;
    std::vector<std::vector<std::string>> queued_changes_;  ///< HELLO and subscriptions among them
    std::set<std::string> channels_;
    std::set<std::string> patterns_;
    std::set<std::string> shards_;
};

}  // namespace cvp::oracle
