#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/oracle/catalog.hpp"
#include "tests/oracle/rng.hpp"

namespace cvp::oracle {

/// Makes the words of commands. Each kind of key holds values of one type, so that most commands meet a value that they
/// understand; a few out of a hundred get a key of another kind on purpose.
class Values {
public:
    using Maker = std::string (Values::*)();

    /// @param big whether texts may have megabytes
    Values(Rng& rng, const Catalog& catalog, bool big) : rng_(rng), catalog_(catalog), big_(big) {}

    /// Puts a text before each key, so that connections which send at the same time do not meet.
    void set_prefix(std::string prefix) { prefix_ = std::move(prefix); }

    /// The maker of a name as templates write it between braces, nullptr for an unknown one.
    static Maker maker(std::string_view name);
    /// The name of the kind of key that a group of commands works on.
    static std::string_view key_kind(const CommandSpec& command);

    std::string text();    ///< mostly short; may hold anything, RESP included
    std::string member();  ///< one of few, so that it is found again
    std::string field();
    std::string any_key();
    /// A key by its name without the prefix.
    std::string named(const std::string& key) const { return prefix_ + key; }
    Rng& rng() { return rng_; }

private:
    std::string key(char kind);
    std::string string_key() { return key('s'); }
    std::string number_key() { return key('n'); }
    std::string bitmap_key() { return key('b'); }
    std::string list_key() { return key('l'); }
    std::string set_key() { return key('t'); }
    std::string sorted_set_key() { return key('z'); }
    std::string hash_key() { return key('h'); }
    std::string log_key() { return key('p'); }
    std::string geo_key() { return key('g'); }
    std::string stream_key() { return key('x'); }
    std::string spare_key() { return key('r'); }
    /// Of a sorted set whose scores are all alike: ranges of texts mean nothing in others, and are left to chance
    /// there.
    std::string word_key();
    /// Of a hash whose fields expire; never another kind, for DUMP would show the times.
    std::string expiring_hash_key();
    std::string absent_key() { return prefix_ + "absent"; }

    std::string number_field();
    std::string small();
    std::string count();
    std::string zero_or_one();
    std::string offset();
    std::string floating();
    std::string score();
    std::string database();
    std::string seconds();
    std::string milliseconds();
    std::string unix_seconds();
    std::string unix_milliseconds();
    std::string min_score();
    std::string max_score();
    std::string min_text();
    std::string max_text();
    std::string longitude();
    std::string latitude();
    std::string radius();
    std::string stream_id();
    std::string next_stream_id();
    std::string group();
    std::string consumer();
    std::string idle();
    std::string user();
    std::string channel();
    std::string shard_channel();
    std::string pattern();
    std::string command_name();
    std::string category();
    std::string type_name();
    std::string encoding();
    std::string script();
    std::string read_only_script();
    std::string sha();
    std::string read_only_sha();
    std::string library();
    std::string library_name();
    std::string function();
    std::string read_only_function();
    std::string dump();
    std::string function_dump();
    std::string nobody();  ///< the id of a client that is none
    std::string zero();
    std::string blink();  ///< the shortest timeout

    Rng& rng_;
    const Catalog& catalog_;
    bool big_;
    std::string prefix_;
    std::uint64_t stream_clock_ = 1000;
};

}  // namespace cvp::oracle
