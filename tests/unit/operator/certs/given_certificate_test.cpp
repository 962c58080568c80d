#include "operator/certs/given_certificate.hpp"

#include <filesystem>

#include <gmock/gmock.h>

#include "operator/certs/webhook_tls.hpp"
#include "tests/support/temp_dir.hpp"

namespace cvp::op {
namespace {

namespace fs = std::filesystem;

crypto::CertificateAndKey make_leaf() {
    const auto now = std::chrono::system_clock::now();
    return make_webhook_leaf(make_webhook_ca(now).value(), {"dns:hooks.example"}, now).value();
}

class GivenCertificateTest : public testing::Test {
protected:
    /// As the kubelet does it: a new directory, then the symlink `..data` is swapped.
    void mount(const std::string& certificate, std::string_view key) {
        const auto version = "..v" + std::to_string(++version_);
        dir.write(version + "/tls.crt", certificate);
        dir.write(version + "/tls.key", key);
        fs::create_symlink(version, dir.path() / "..new");
        fs::rename(dir.path() / "..new", dir.path() / "..data");
        for (const auto* name : {"tls.crt", "tls.key"})
            if (!fs::is_symlink(dir.path() / name)) fs::create_symlink(fs::path("..data") / name, dir.path() / name);
    }
    void mount(const crypto::CertificateAndKey& pair) { mount(pair.certificate_pem, pair.key_pem.reveal()); }

    std::string metrics() const {
        metrics::Page page;
        given.describe(page);
        return page.render();
    }

    test::TempDir dir;
    GivenCertificate given{dir.path()};

private:
    int version_ = 0;
};

TEST_F(GivenCertificateTest, is_read_again_when_the_kubelet_swapped_it) {
    const auto first = make_leaf();
    mount(first);
    const auto read = given.read();
    ASSERT_TRUE(read);
    EXPECT_EQ(read->certificate_pem, first.certificate_pem);
    EXPECT_FALSE(given.read()) << "nothing new";

    const auto second = make_leaf();
    mount(second);
    ASSERT_TRUE(given.read());
    EXPECT_EQ(given.last_good()->certificate_pem, second.certificate_pem);
    EXPECT_THAT(metrics(), testing::HasSubstr("certwatcher_read_certificate_total 3\n"));
    EXPECT_THAT(metrics(), testing::HasSubstr("certwatcher_read_certificate_errors_total 0\n"));
}

TEST_F(GivenCertificateTest, stays_when_the_new_pair_is_broken) {
    const auto good = make_leaf();
    mount(good);
    ASSERT_TRUE(given.read());
    mount(make_leaf().certificate_pem, good.key_pem.reveal());
    EXPECT_FALSE(given.read());
    mount("", "");
    EXPECT_FALSE(given.read());
    fs::remove_all(dir.path() / "..data");
    EXPECT_FALSE(given.read());
    EXPECT_EQ(given.last_good()->certificate_pem, good.certificate_pem);
    EXPECT_THAT(metrics(), testing::HasSubstr("certwatcher_read_certificate_errors_total 3\n"));

    mount(make_leaf());
    EXPECT_TRUE(given.read());
}

TEST_F(GivenCertificateTest, is_waited_for_where_there_is_none_yet) {
    EXPECT_FALSE(given.read());
    EXPECT_FALSE(given.last_good());
    mount(make_leaf());
    EXPECT_TRUE(given.read());
}

}  // namespace
}  // namespace cvp::op
