#include "proxy/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/proxy/sample_document.hpp"

namespace cvp::proxy {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class DocumentFile : public ::testing::Test {
protected:
    void write(const ResolvedConnection& connection) { write(write_resolved_connection(connection)); }
    void write(const std::string& yaml) { file_ = dir_.write("connection.yaml", yaml); }

    tl::expected<Document, std::string> load() { return load_document(file_, "sessions"); }
    std::string faults() {
        const auto document = load();
        return document ? "" : document.error();
    }

    test::TempDir dir_;
    std::filesystem::path file_ = dir_.path() / "connection.yaml";
};

TEST_F(DocumentFile, is_what_the_operator_wrote) {
    write(sample_connection());
    const auto document = load();
    ASSERT_TRUE(document) << document.error();
    EXPECT_EQ(document->connection, sample_connection());
    EXPECT_FALSE(document->password);
}

TEST_F(DocumentFile, that_is_bad_says_how) {
    EXPECT_EQ(faults(), file_.string() + ": No such file or directory");
    write("");
    EXPECT_THAT(faults(), HasSubstr(file_.string() + ": "));
    write(write_resolved_connection(sample_connection()).substr(0, 200));
    EXPECT_THAT(faults(), HasSubstr(file_.string() + ": "));
    write("apiVersion: cloudvalkey.dev/v9\nkind: ResolvedConnection\nname: sessions\n");
    EXPECT_THAT(faults(), AllOf(HasSubstr("apiVersion: "), HasSubstr("v9"), HasSubstr("v1alpha1")));
    write("just a string");
    EXPECT_THAT(faults(), HasSubstr(file_.string() + ": "));
}

TEST_F(DocumentFile, reports_all_its_faults_at_once) {
    write(R"(
apiVersion: cloudvalkey.dev/v1alpha1
kind: ResolvedConnection
name: orders
topology: Sentinel
endpoints: [{role: primary, host: 10.0.0.3, port: seventy}]
tls: {mode: Disabled}
auth: {mode: GoogleIAM, impersonate: [a@b]}
)");
    EXPECT_THAT(faults(), AllOf(HasSubstr("endpoints[0].port: "), HasSubstr("name: is \"orders\""),
                                HasSubstr("topology: Sentinel"), HasSubstr("tls.mode: Disabled"),
                                HasSubstr("auth.impersonate: ")));
}

TEST_F(DocumentFile, may_have_any_name_where_none_is_expected) {
    write(sample_connection());
    EXPECT_TRUE(load_document(file_, ""));
    EXPECT_FALSE(load_document(file_, "orders"));
}

TEST_F(DocumentFile, with_an_unreadable_ca_is_refused) {
    auto connection = sample_connection();
    connection.tls.ca = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    write(connection);
    EXPECT_THAT(faults(), HasSubstr("connection.yaml: tls.ca: "));
}

TEST_F(DocumentFile, takes_user_password_and_ca_from_files_beside_it) {
    auto connection = sample_connection();
    connection.auth = {AuthMode::password, "default", "", {}, "username", "password"};
    connection.tls.ca.clear();
    connection.tls.ca_file = "ca.crt";
    write(connection);
    auto document = load();
    ASSERT_TRUE(document) << document.error();
    EXPECT_FALSE(document->password);
    EXPECT_EQ(document->connection.auth.username, "default");
    EXPECT_EQ(document->connection.tls.ca, "");

    dir_.write("username", "alice\n");
    dir_.write("password", "canary-1\r\n");
    dir_.write("ca.crt", sample_ca());
    document = load();
    ASSERT_TRUE(document) << document.error();
    EXPECT_EQ(document->password, Secret("canary-1"));
    EXPECT_EQ(document->connection.auth.username, "alice");
    EXPECT_EQ(document->connection.tls.ca, sample_ca());

    dir_.write("ca.crt", "canary-2");
    EXPECT_THAT(faults(), AllOf(HasSubstr("tls.ca"), Not(HasSubstr("canary"))));
}

TEST_F(DocumentFile, takes_a_client_certificate_whole_or_not_at_all) {
    write(sample_connection());
    EXPECT_FALSE(load()->certificate);
    dir_.write("tls.crt", "certificate");
    EXPECT_THAT(faults(), AllOf(HasSubstr("tls.key: the file is missing"), HasSubstr("there is tls.crt")));
    dir_.write("tls.key", "");
    EXPECT_THAT(faults(), HasSubstr("tls.key: the file is missing or empty"));
    dir_.write("tls.key", "canary-1");
    const auto document = load();
    ASSERT_TRUE(document) << document.error();
    EXPECT_EQ(document->certificate, (ClientCertificate{"certificate", Secret("canary-1")}));

    dir_.write("tls.crt", "");
    EXPECT_THAT(faults(), AllOf(HasSubstr("tls.crt: the file is missing or empty"), Not(HasSubstr("canary"))));
    auto plain = sample_connection();
    plain.auth = {};
    plain.tls = {};
    plain.tls.mode = TlsMode::disabled;
    write(plain);
    EXPECT_FALSE(load()->certificate) << "nobody asks for it";
}

TEST_F(DocumentFile, takes_the_password_of_clients_from_beside_it) {
    write(sample_connection());
    EXPECT_FALSE(load()->client_password);
    dir_.write("client-password", "canary-1\n");
    EXPECT_EQ(load()->client_password, Secret("canary-1"));
    dir_.write("client-password", "\n");
    EXPECT_FALSE(load()->client_password) << "an empty one would let in whoever says so";
}

TEST(UnservableDocument, would_leak_a_token) {
    auto connection = sample_connection();
    EXPECT_TRUE(find_unservable(connection, "sessions").empty());
    connection.tls.verify = tls::Verify::none;
    EXPECT_EQ(find_unservable(connection, "").at(0).key_path, "tls.verify");
    connection.tls.mode = TlsMode::disabled;
    EXPECT_EQ(find_unservable(connection, "").at(0).key_path, "tls.mode");
    connection.auth.mode = AuthMode::none;
    EXPECT_TRUE(find_unservable(connection, "").empty());
}

TEST(UnservableDocument, asks_for_what_is_not_built) {
    auto connection = sample_connection();
    connection.topology = Topology::sentinel;
    connection.auth.mode = AuthMode::password;
    std::vector<std::string> keys;
    for (const auto& fault : find_unservable(connection, ""))
        keys.push_back(fault.key_path);
    EXPECT_THAT(keys, ElementsAre("topology", "auth.passwordFile"));
}

}  // namespace
}  // namespace cvp::proxy
