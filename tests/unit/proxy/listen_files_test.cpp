#include "proxy/listen_files.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"
#include "tests/support/test_ca.hpp"

namespace cvp::proxy {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ListenFilesTest : public ::testing::Test {
protected:
    void show(const crypto::CertificateAndKey& pair) {
        dir.write("cert.pem", pair.certificate_pem);
        dir.write("key.pem", pair.key_pem.reveal());
    }
    std::string fault() {
        const auto loaded = files.load();
        return loaded ? "" : loaded.error().context;
    }

    test::TempDir dir;
    test::TestCa ca;
    ListenFileNames names{dir.path() / "cert.pem", dir.path() / "key.pem", {}, {}};
    ListenFiles files{names};
};

TEST_F(ListenFilesTest, are_none_where_no_flag_names_one) {
    ListenFiles none{ListenFileNames{}};
    EXPECT_TRUE(none.load());
    EXPECT_EQ(none.tls(), nullptr);
    EXPECT_FALSE(none.password());
    EXPECT_FALSE(none.reload());
    EXPECT_EQ(none.errors(), 0u);
}

TEST_F(ListenFilesTest, must_be_good_at_the_start) {
    EXPECT_THAT(fault(), HasSubstr("cert.pem: No such file"));
    auto pair = ca.sign(test::Leaf::good);
    show(pair);
    dir.write("key.pem", ca.sign(test::Leaf::good).key_pem.reveal());
    EXPECT_THAT(fault(), HasSubstr("private key mismatch"));
    dir.write("key.pem", "canary");
    EXPECT_THAT(fault(), AllOf(HasSubstr("key"), Not(HasSubstr("canary"))));
    show(pair);
    EXPECT_EQ(fault(), "");
    EXPECT_NE(files.tls(), nullptr);
    EXPECT_GT(files.expires_at(), SystemClock::now());
}

TEST_F(ListenFilesTest, with_an_empty_client_ca_would_let_everybody_in) {
    show(ca.sign(test::Leaf::good));
    names.client_ca = dir.write("ca.pem", "");
    files = ListenFiles(names);
    EXPECT_THAT(fault(), HasSubstr("ca.pem: holds no PEM certificate"));
    dir.write("ca.pem", "nonsense");
    EXPECT_THAT(fault(), HasSubstr("holds no PEM certificate"));
    dir.write("ca.pem", ca.pem());
    EXPECT_EQ(fault(), "");
}

TEST_F(ListenFilesTest, that_become_bad_change_nothing_and_are_counted_once) {
    show(ca.sign(test::Leaf::good));
    ASSERT_EQ(fault(), "");
    const auto profile = files.tls();
    const auto expiry = files.expires_at();
    dir.write("cert.pem", "nonsense");
    files.reload();
    files.reload();
    EXPECT_EQ(files.errors(), 1u);
    EXPECT_THAT(files.last_error(), HasSubstr("certificate"));
    EXPECT_EQ(files.tls(), profile);
    EXPECT_EQ(files.expires_at(), expiry);
    std::filesystem::remove(dir.path() / "cert.pem");
    files.reload();
    EXPECT_EQ(files.errors(), 2u);

    show(ca.sign(test::Leaf::good));
    files.reload();
    EXPECT_EQ(files.last_error(), "");
    EXPECT_EQ(files.tls(), profile) << "listeners hold the same object";
}

TEST_F(ListenFilesTest, bring_a_new_password_of_clients) {
    names = {{}, {}, {}, dir.path() / "password"};
    files = ListenFiles(names);
    EXPECT_THAT(fault(), HasSubstr("No such file"));
    dir.write("password", "\n");
    EXPECT_THAT(fault(), HasSubstr("holds no password"));
    dir.write("password", "one\r\n");
    EXPECT_EQ(fault(), "");
    EXPECT_EQ(files.password(), Secret("one"));
    EXPECT_FALSE(files.reload());
    dir.write("password", "two");
    EXPECT_TRUE(files.reload());
    EXPECT_EQ(files.password(), Secret("two"));
    dir.write("password", "");
    EXPECT_FALSE(files.reload());
    EXPECT_EQ(files.password(), Secret("two"));
    EXPECT_EQ(files.errors(), 1u);
}

}  // namespace
}  // namespace cvp::proxy
