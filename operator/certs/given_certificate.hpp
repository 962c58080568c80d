#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "common/crypto/x509_maker.hpp"
#include "common/metrics/page.hpp"
#include "common/result.hpp"

namespace cvp::op {

/// The webhook's certificate where somebody else makes it (cert-manager, an administrator): tls.crt and tls.key in a
/// directory, as a Secret is mounted.
///
/// Owner: a CertificateKeeper, which reads it every few seconds: the files are a few kB, and no event can be missed.
class GivenCertificate {
public:
    explicit GivenCertificate(std::filesystem::path directory) : directory_(std::move(directory)) {}

    /// Reads the files. A pair that is broken leaves the last good one in use; each new fault is logged once.
    /// @return the pair where it is another than the last good one
    std::optional<crypto::CertificateAndKey> read();

    /// The last good one, or nothing.
    const std::optional<crypto::CertificateAndKey>& last_good() const { return last_good_; }

    /// Adds certwatcher_read_certificate_total and certwatcher_read_certificate_errors_total, as controller-runtime
    /// names them.
    void describe(metrics::Page& page) const;

private:
    Result<crypto::CertificateAndKey> load() const;

    std::filesystem::path directory_;
    std::optional<crypto::CertificateAndKey> last_good_;
    std::string last_fault_;
    std::uint64_t reads_ = 0;
    std::uint64_t errors_ = 0;
};

}  // namespace cvp::op
