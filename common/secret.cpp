#include "common/secret.hpp"

#include <cstring>
#include <utility>

namespace cvp {

Secret::~Secret() {
    wipe();
}

Secret& Secret::operator=(const Secret& other) {
    if (this != &other) {
        wipe();
        value_ = other.value_;
    }
    return *this;
}

Secret::Secret(Secret&& other) noexcept : value_(std::move(other.value_)) {
    other.wipe();  // a short string was copied, not moved
}

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this != &other) {
        wipe();
        value_ = std::move(other.value_);
        other.wipe();
    }
    return *this;
}

bool Secret::operator==(const Secret& other) const {
    if (value_.size() != other.value_.size()) return false;
    unsigned char difference = 0;
    for (std::size_t i = 0; i < value_.size(); ++i) {
        difference = static_cast<unsigned char>(difference | (value_[i] ^ other.value_[i]));
    }
    return difference == 0;
}

void Secret::wipe() {
    if (!value_.empty()) ::explicit_bzero(value_.data(), value_.size());
    value_.clear();
}

}  // namespace cvp
