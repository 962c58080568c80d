#pragma once

#include <functional>
#include <string_view>
#include <utility>

namespace cvp::proxy {

/// Whether `part` lies inside `whole`, in memory.
inline bool is_part_of(std::string_view part, std::string_view whole) {
    const std::less_equal<const char*> not_after;
    return not_after(whole.data(), part.data()) && not_after(part.data() + part.size(), whole.data() + whole.size());
}

/// Bytes on their way out, joined as long as each follows the last in memory: what passes unchanged stays one write.
class ByteRun {
public:
    /// @return the run before `bytes`, if they do not follow it: to be sent now
    std::string_view add(std::string_view bytes) {
        if (!run_.empty() && run_.data() + run_.size() == bytes.data()) {
            run_ = {run_.data(), run_.size() + bytes.size()};
            return {};
        }
        return std::exchange(run_, bytes);
    }
    std::string_view take() { return std::exchange(run_, {}); }

private:
    std::string_view run_;
};

}  // namespace cvp::proxy
