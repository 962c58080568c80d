#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace cvp::op {

/// CA certificates, each the PEM text of one, each once, in order.
///
/// They are compared as texts: we write what we read, and a text that somebody else has wrapped anew is replaced.
class CaBundle {
public:
    CaBundle() = default;
    /// Takes the CA certificates that are valid at `now`; whatever else the text holds is left out.
    CaBundle(std::string_view pem, std::chrono::system_clock::time_point now);

    /// Empty: nothing.
    void add(const std::string& certificate_pem);
    void add(const CaBundle& other);
    /// Keeps the first `count`.
    void limit(std::size_t count);

    bool empty() const { return certificates_.empty(); }
    bool holds(const std::string& certificate_pem) const;
    /// Those of a subject, in RFC 2253 form.
    CaBundle of_subject(std::string_view subject) const;
    /// Those that the other has not.
    CaBundle without(const CaBundle& other) const;

    /// The one that signed the leaf; empty where none did.
    std::string signer_of(std::string_view leaf_pem) const;

    std::string pem() const;

private:
    std::vector<std::string> certificates_;
};

}  // namespace cvp::op
