#pragma once

#include <string>
#include <string_view>

namespace cvp {

/// A token, password or private key. It has no formatter and no operator<<, so it cannot reach a log by accident;
/// reveal() marks the few places where the bytes are really needed. Its memory is wiped when it ends.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string value) : value_(std::move(value)) {}
    ~Secret();
    Secret(const Secret&) = default;
    Secret& operator=(const Secret& other);
    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret&& other) noexcept;

    std::string_view reveal() const { return value_; }
    bool empty() const { return value_.empty(); }

    /// Compares in time that depends on the lengths only.
    bool operator==(const Secret& other) const;

private:
    void wipe();

    std::string value_;
};

}  // namespace cvp
