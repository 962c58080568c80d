#include "operator/certs/given_certificate.hpp"

#include "common/config/file.hpp"
#include "common/crypto/certificate.hpp"
#include "common/log/log.hpp"

namespace cvp::op {
namespace {

using metrics::Kind;
using metrics::Metric;

constexpr Metric kReads{"certwatcher_read_certificate_total", Kind::counter,
                        "Times that the given certificate was read."};
constexpr Metric kErrors{"certwatcher_read_certificate_errors_total", Kind::counter,
                         "Times that the given certificate could not be used; the last good one is served."};

constexpr std::size_t kMaxFile = 1024UL * 1024;

}  // namespace

std::optional<crypto::CertificateAndKey> GivenCertificate::read() {
    ++reads_;
    auto pair = load();
    // The kubelet swaps both files at once, but we read one after the other.
    if (!pair) pair = load();
    if (!pair) {
        ++errors_;
        const auto fault = to_string(pair.error());
        if (fault != last_fault_)
            log::error(last_good_ ? "the given certificate cannot be used; the last good one is served"
                                  : "the given certificate cannot be used",
                       {{"directory", directory_.string()}, {"reason", fault}});
        last_fault_ = fault;
        return std::nullopt;
    }
    last_fault_.clear();
    const bool is_same =
        last_good_ && last_good_->certificate_pem == pair->certificate_pem && last_good_->key_pem == pair->key_pem;
    if (is_same) return std::nullopt;
    last_good_ = std::move(*pair);
    return last_good_;
}

Result<crypto::CertificateAndKey> GivenCertificate::load() const {
    auto certificate = load_file(directory_ / "tls.crt", kMaxFile);
    if (!certificate) return fail(std::move(certificate).error());
    auto key = load_file(directory_ / "tls.key", kMaxFile);
    if (!key) return fail(std::move(key).error());
    crypto::CertificateAndKey pair{std::move(*certificate), Secret(std::move(*key))};
    if (auto fits = crypto::check_key_fits(pair.certificate_pem, pair.key_pem); !fits)
        return fail(std::move(fits).error());
    return pair;
}

void GivenCertificate::describe(metrics::Page& page) const {
    page.add(kReads, {}, static_cast<double>(reads_));
    page.add(kErrors, {}, static_cast<double>(errors_));
}

}  // namespace cvp::op
