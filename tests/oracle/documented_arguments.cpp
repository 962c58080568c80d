#include <optional>
#include <unordered_map>

#include "tests/oracle/command_writer.hpp"

namespace cvp::oracle {
namespace {

using Type = ArgumentSpec::Type;

/// What an argument means, by its name in COMMAND DOCS: the name of a maker of Values.
const std::unordered_map<std::string_view, std::string_view> kByName = {
    {"value", "v"},
    {"element", "m"},
    {"pivot", "m"},
    {"member", "m"},
    {"member1", "m"},
    {"member2", "m"},
    {"field", "f"},
    {"message", "v"},
    {"arg", "v"},
    {"increment", "i"},
    {"decrement", "i"},
    {"score", "score"},
    {"cursor", "zero"},
    {"count", "c"},
    {"limit", "c"},
    {"len", "c"},
    {"rank", "c"},
    {"num-matches", "c"},
    {"weight", "i"},
    {"bit", "bit"},
    {"offset", "off"},
    {"db", "db"},
    {"destination-db", "db"},
    {"index1", "db"},
    {"index2", "db"},
    {"seconds", "sec"},
    {"milliseconds", "ms"},
    {"ttl", "ms"},
    {"unix-time-seconds", "at"},
    {"unix-time-milliseconds", "atms"},
    {"timeout", "blink"},
    {"longitude", "lon"},
    {"latitude", "lat"},
    {"radius", "rad"},
    {"width", "rad"},
    {"height", "rad"},
    {"channel", "ch"},
    {"shardchannel", "sh"},
    {"pattern", "pat"},
    {"id", "id"},
    {"group", "G"},
    {"consumer", "C"},
    {"username", "u"},
    {"category", "cat"},
    {"type", "type"},
    {"command", "cmd"},
    {"client-id", "nobody"},
    {"min", "smin"},
    {"max", "smax"},
    {"min-idle-time", "idle"},
};

class Writer {
public:
    Writer(const CommandSpec& spec, Values& values, std::vector<std::string>& words)
        : values_(values), words_(words), key_(Values::maker(Values::key_kind(spec))) {
        // Commands on the expiry of fields keep to hashes of their own, whose times DUMP would show.
        const auto has = [&](std::string_view part) { return spec.name.find(part) != std::string::npos; };
        if (spec.group == "hash" && (has("expire") || has("ttl") || has("persist") || spec.name.ends_with("ex")))
            key_ = Values::maker("e");
    }

    void sequence(const std::vector<ArgumentSpec>& arguments) {
        for (const auto& argument : arguments) {
            if (argument.is_optional && !values_.rng().chance(0.3)) continue;
            repeated(argument);
        }
    }

private:
    void repeated(const ArgumentSpec& argument) {
        std::size_t times = 1;
        if (argument.is_multiple) {
            // What follows "numkeys" is as many as it says; and so are the weights after the keys.
            times = announced_ && (argument.type == Type::key || argument.type == Type::block ||
                                   argument.name == "weight" || argument.name.starts_with("field"))
                        ? *announced_
                        : values_.rng().between(1, 3);
        }
        for (std::size_t i = 0; i < times; ++i) {
            if (!argument.token.empty() && argument.type != Type::token && (i == 0 || argument.repeats_token))
                words_.push_back(argument.token);
            one(argument);
        }
    }

    void one(const ArgumentSpec& argument) {
        switch (argument.type) {
            case Type::token:
                words_.push_back(argument.token);
                return;
            case Type::one_of:
                if (!argument.arguments.empty()) repeated(values_.rng().pick(argument.arguments));
                return;
            case Type::block:
                sequence(argument.arguments);
                return;
            case Type::key:
                words_.push_back((values_.*key_)());
                return;
            default:
                words_.push_back(word(argument));
        }
    }

    std::string word(const ArgumentSpec& argument) {
        if (argument.name == "numkeys" || argument.name == "numfields") {
            announced_ = values_.rng().between(1, 3);
            return std::to_string(*announced_);
        }
        // Ranges of texts have the names of ranges of numbers.
        if (argument.type == Type::string && argument.name == "min") return made("lmin");
        if (argument.type == Type::string && argument.name == "max") return made("lmax");
        if (const auto found = kByName.find(argument.name); found != kByName.end()) return made(found->second);
        switch (argument.type) {
            case Type::integer:
                return made("i");
            case Type::number:
                return made("d");
            case Type::pattern:
                return made("pat");
            case Type::unix_time:
                return made("at");
            default:
                return made("m");
        }
    }

    std::string made(std::string_view name) { return (values_.*Values::maker(name))(); }

    Values& values_;
    std::vector<std::string>& words_;
    Values::Maker key_;
    std::optional<std::size_t> announced_;
};

}  // namespace

void write_documented(const CommandSpec& spec, Values& values, std::vector<std::string>& words) {
    Writer(spec, values, words).sequence(spec.arguments);
}

}  // namespace cvp::oracle
