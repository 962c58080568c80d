#include "operator/certs/ca_bundle.hpp"

#include <algorithm>

#include "common/crypto/certificate.hpp"

namespace cvp::op {
namespace {

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kEnd = "-----END CERTIFICATE-----";

bool is_usable(const std::string& certificate_pem, std::chrono::system_clock::time_point now) {
    const auto facts = crypto::parse_certificate(certificate_pem);
    return facts && facts->is_ca && facts->not_before <= now && now < facts->not_after;
}

}  // namespace

CaBundle::CaBundle(std::string_view pem, std::chrono::system_clock::time_point now) {
    for (auto begin = pem.find(kBegin); begin != std::string_view::npos; begin = pem.find(kBegin, begin + 1)) {
        const auto end = pem.find(kEnd, begin);
        if (end == std::string_view::npos) return;
        auto certificate = std::string(pem.substr(begin, end + kEnd.size() - begin)) + "\n";
        if (is_usable(certificate, now)) add(certificate);
    }
}

void CaBundle::add(const std::string& certificate_pem) {
    if (!certificate_pem.empty() && !holds(certificate_pem)) certificates_.push_back(certificate_pem);
}

void CaBundle::add(const CaBundle& other) {
    for (const auto& certificate : other.certificates_)
        add(certificate);
}

void CaBundle::limit(std::size_t count) {
    certificates_.resize(std::min(count, certificates_.size()));
}

bool CaBundle::holds(const std::string& certificate_pem) const {
    return std::find(certificates_.begin(), certificates_.end(), certificate_pem) != certificates_.end();
}

CaBundle CaBundle::of_subject(std::string_view subject) const {
    CaBundle chosen;
    for (const auto& certificate : certificates_) {
        const auto facts = crypto::parse_certificate(certificate);
        if (facts && facts->subject == subject) chosen.add(certificate);
    }
    return chosen;
}

CaBundle CaBundle::without(const CaBundle& other) const {
    CaBundle rest;
    for (const auto& certificate : certificates_)
        if (!other.holds(certificate)) rest.add(certificate);
    return rest;
}

std::string CaBundle::signer_of(std::string_view leaf_pem) const {
    for (const auto& certificate : certificates_)
        if (crypto::check_signed_by(leaf_pem, certificate)) return certificate;
    return {};
}

std::string CaBundle::pem() const {
    std::string all;
    for (const auto& certificate : certificates_)
        all += certificate;
    return all;
}

}  // namespace cvp::op
