#include "tests/oracle/command_writer.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "tests/oracle/written_commands.hpp"

namespace cvp::oracle {

Template::Template(std::string_view text) {
    commands_.emplace_back();
    std::size_t at = 0;
    while (at < text.size()) {
        const auto blank = std::min(text.find(' ', at), text.size());
        auto word = text.substr(at, blank - at);
        at = blank + 1;
        if (word == ";") {
            commands_.emplace_back();
            continue;
        }
        auto& pieces = commands_.back();
        while (!word.empty()) {
            const auto open = word.find('{');
            Piece piece;
            if (open != 0) {
                piece.literal = word.substr(0, open);
                word.remove_prefix(piece.literal.size());
            } else {
                const auto close = word.find('}');
                auto name = word.substr(1, close - 1);
                if (name.back() >= '1' && name.back() <= '9') {
                    piece.memory = static_cast<std::size_t>(name.back() - '0');
                    name.remove_suffix(1);
                }
                piece.maker = Values::maker(name);
                if (!piece.maker) throw std::invalid_argument("a template names {" + std::string(name) + "}");
                word.remove_prefix(close + 1);
            }
            piece.ends_word = word.empty();
            pieces.push_back(std::move(piece));
        }
    }
}

void Template::expand(Values& values, std::vector<Command>& out) const {
    std::array<std::string, 10> memory;
    for (const auto& pieces : commands_) {
        auto& words = out.emplace_back().words;
        std::string word;
        for (const auto& piece : pieces) {
            if (!piece.maker) {
                word += piece.literal;
            } else if (piece.memory == 0) {
                word += (values.*piece.maker)();
            } else {
                auto& known = memory[piece.memory];
                if (known.empty()) known = (values.*piece.maker)();
                word += known;
            }
            if (piece.ends_word) {
                words.push_back(std::move(word));
                word.clear();
            }
        }
    }
}

CommandWriter::CommandWriter(const Catalog& catalog) {
    for (const auto& written : written_commands()) {
        // A command that this version of the server does not know is left out.
        if (const auto* spec = catalog.find(std::string(written.name)))
            templates_[spec->name].emplace_back(written.text);
    }
}

void CommandWriter::write(const CommandSpec& spec, Values& values, std::vector<Command>& out) const {
    const auto first = out.size();
    if (const auto found = templates_.find(spec.name); found != templates_.end()) {
        values.rng().pick(found->second).expand(values, out);
    } else {
        auto& words = out.emplace_back().words;
        words = spec.words;
        write_documented(spec, values, words);
    }
    if (values.rng().chance(0.1))  // names are not case-sensitive
        for (auto& c : out[first].words.front())
            if (c >= 'A' && c <= 'Z' && values.rng().chance(0.5)) c = static_cast<char>(c - 'A' + 'a');
}

}  // namespace cvp::oracle
