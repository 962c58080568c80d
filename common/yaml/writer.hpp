#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cvp::yaml {

/// Writes a document in block style. The same calls give the same bytes, always; strings are quoted wherever another
/// parser could take them for something else, and texts of several lines (PEM) become literal blocks.
class Writer {
public:
    void field(std::string_view key, std::string_view value);
    void field(std::string_view key, std::int64_t value);
    /// A list of strings; an empty one is "[]".
    void field(std::string_view key, const std::vector<std::string>& values);

    /// Opens a map under `key`, until end().
    void begin_map(std::string_view key);
    /// Opens a list of maps under `key`, until end(); each element is begin_item() … end().
    void begin_list(std::string_view key);
    void begin_item();
    void end();

    std::string take() { return std::move(out_); }

private:
    void begin_line();

    std::string out_;
    int depth_ = 0;
    bool at_item_ = false;  ///< the next line begins with "- "
};

}  // namespace cvp::yaml
