#include "common/yaml/parser.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <string>

#include <fmt/core.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "common/printable.hpp"

namespace cvp::yaml {
namespace {

constexpr std::size_t kMaxQuotedMessage = 200;

/// How a refusal leaves yaml-cpp's parser; it does not leave this file.
struct Refused : std::runtime_error {
    using std::runtime_error::runtime_error;
};

std::string at(const YAML::Mark& mark, std::string_view message) {
    return fmt::format("line {}, column {}: {}", mark.line + 1, mark.column + 1, message);
}

/// Builds the tree from yaml-cpp's events. Nodes under construction are on a stack and move into their parent when
/// they are complete.
class Builder : public YAML::EventHandler {
public:
    explicit Builder(const Limits& limits) : limits_(limits) {}

    Node take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        check(mark, anchor, "");
        add(mark, Node{});
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_anchor(mark); }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        check(mark, anchor, tag);
        Node node;
        node.kind = Node::Kind::scalar;
        node.scalar = value;
        node.is_plain = tag == "?";
        add(mark, std::move(node));
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, Node::Kind::list);
    }
    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, Node::Kind::map);
    }
    void OnMapEnd() override { close(); }

private:
    struct Frame {
        Node node;
        YAML::Mark mark;
        std::string key;
        bool has_key = false;
    };

    [[noreturn]] static void refuse_anchor(const YAML::Mark& mark) {
        throw Refused(at(mark, "anchors and aliases are not supported; write the value out"));
    }

    void check(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& tag) {
        if (anchor != YAML::NullAnchor) refuse_anchor(mark);
        // yaml-cpp's words for "no tag": "?" for a plain node, "!" for a quoted one.
        if (!tag.empty() && tag != "?" && tag != "!") throw Refused(at(mark, "tags are not supported; leave it out"));
        if (++nodes_ > limits_.max_nodes) {
            throw Refused(at(mark, fmt::format("the document has more than {} values", limits_.max_nodes)));
        }
    }

    void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node::Kind kind) {
        check(mark, anchor, tag);
        if (stack_.size() >= limits_.max_depth) {
            throw Refused(at(mark, fmt::format("values are nested deeper than {} levels", limits_.max_depth)));
        }
        Frame frame;
        frame.node.kind = kind;
        frame.mark = mark;
        stack_.push_back(std::move(frame));
    }

    void close() {
        auto frame = std::move(stack_.back());
        stack_.pop_back();
        add(frame.mark, std::move(frame.node));
    }

    void add(const YAML::Mark& mark, Node node) {
        if (stack_.empty()) {
            root_ = std::move(node);
            return;
        }
        auto& parent = stack_.back();
        if (parent.node.kind == Node::Kind::list) {
            parent.node.items.push_back(std::move(node));
        } else if (parent.has_key) {
            parent.node.fields.emplace_back(std::move(parent.key), std::move(node));
            parent.has_key = false;
        } else {
            set_key(mark, parent, std::move(node));
        }
    }

    static void set_key(const YAML::Mark& mark, Frame& map, Node key) {
        if (key.kind != Node::Kind::scalar) throw Refused(at(mark, "a key must be a word"));
        const auto same = [&](const auto& field) { return field.first == key.scalar; };
        if (std::any_of(map.node.fields.begin(), map.node.fields.end(), same)) {
            throw Refused(at(mark, fmt::format("key {} stands twice", in_quotes(key.scalar))));
        }
        map.key = std::move(key.scalar);
        map.has_key = true;
    }

    const Limits& limits_;
    std::vector<Frame> stack_;
    std::size_t nodes_ = 0;
    Node root_;
};

/// Refuses whatever follows the first document.
class NoMore : public YAML::EventHandler {
public:
    void OnDocumentStart(const YAML::Mark& mark) override {
        throw Refused(at(mark, "one document is expected, a second one begins here"));
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
    void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
    void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
    void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
    void OnMapEnd() override {}
};

}  // namespace

tl::expected<Node, Fault> parse(std::string_view text, Limits limits) {
    const auto refuse = [](std::string message) { return tl::unexpected<Fault>(Fault{"", std::move(message)}); };
    if (text.size() > limits.max_bytes) {
        return refuse(fmt::format("the document has {} bytes; at most {} are allowed", text.size(), limits.max_bytes));
    }
    try {
        // The end marker turns a quote that is never closed into an error; yaml-cpp accepts one that ends in a new
        // line.
        std::string ended(text);
        ended += text.ends_with('\n') ? "...\n" : "\n...\n";
        std::istringstream input(std::move(ended));
        YAML::Parser parser(input);
        Builder builder(limits);
        if (!parser.HandleNextDocument(builder)) return Node{};
        NoMore no_more;
        parser.HandleNextDocument(no_more);
        return builder.take();
    } catch (const Refused& refused) {
        return refuse(refused.what());
    } catch (const YAML::Exception& error) {
        return refuse(at(error.mark, "not YAML: " + printable(error.msg, kMaxQuotedMessage)));
    } catch (const std::exception& error) {
        return refuse("not YAML: " + printable(error.what(), kMaxQuotedMessage));
    }
}

}  // namespace cvp::yaml
