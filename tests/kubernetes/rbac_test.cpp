// The operator's rights: what the API server says it may do, and above all what it may not.

#include <algorithm>
#include <set>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/kubernetes/operator_account.hpp"
#include "tests/kubernetes/real_client.hpp"
#include "tests/support/made_file.hpp"

// tests/golden/rbac/NAME.txt is what `kubectl auth can-i --list` shows of the operator and of no other account.
// CVP_UPDATE_GOLDEN=1 rewrites the files: read the diff then.

namespace cvp::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

/// The lines of `kubectl auth can-i --list`, with single spaces.
std::set<std::string> rights_of(const std::string& account, const std::string& name_space) {
    const auto listed = control_plane().kubectl(
        {"auth", "can-i", "--list", "--namespace=" + name_space, "--as=system:serviceaccount:cloud-valkey:" + account});
    EXPECT_TRUE(listed) << listed.error().context;
    std::set<std::string> lines;
    std::istringstream text(listed.value_or(""));
    for (std::string line; std::getline(text, line);) {
        std::istringstream words(line);
        std::string joined;
        for (std::string word; words >> word;)
            joined += (joined.empty() ? "" : " ") + word;
        lines.insert(joined);
    }
    return lines;
}

/// What the operator may do there, and an account without any role may not: one line each.
std::string rights_in(const std::string& name_space, const std::string& title) {
    const auto operators = rights_of("cloud-valkey-operator", name_space);
    const auto anybodys = rights_of("nobody", name_space);
    std::string text = "# " + title + "\n";
    for (const auto& line : operators) {
        if (!anybodys.contains(line)) text += line + "\n";
    }
    return text;
}

void expect_golden(const std::string& name, const std::string& text) {
    const auto file = "tests/golden/rbac/" + name;
    EXPECT_EQ(differs_from_made(file, text, "CVP_UPDATE_GOLDEN"), "");
}

class Rbac : public RealClientTest {
protected:
    Rbac() : RealClientTest("rbac") {}
    ~Rbac() override {
        (void)control_plane().kubectl({"delete", "clusterrole,clusterrolebinding", "cloud-valkey-operator"});
        (void)control_plane().kubectl(
            {"delete", "--ignore-not-found", "role,rolebinding", "cloud-valkey-operator", "--namespace=cloud-valkey"});
    }
};

TEST_F(Rbac, grants_the_contracts_list_and_no_more) {
    install_operator_account();
    expect_golden("cluster.txt", rights_in(name_space_, "any namespace") + "\n" +
                                     rights_in(kOperatorNamespace, "the operator's own namespace"));
}

TEST_F(Rbac, keeps_to_the_listed_namespaces) {
    const auto other = make_fresh_namespace("rbac");
    install_operator_account({"--set", "watchNamespaces={" + name_space_ + "}"});
    expect_golden("namespaced.txt", rights_in(name_space_, "a listed namespace") + "\n" +
                                        rights_in(other, "another namespace") + "\n" +
                                        rights_in(kOperatorNamespace, "the operator's own namespace"));
}

TEST_F(Rbac, needs_no_secret_where_it_makes_no_certificate) {
    for (const auto* values :
         {"injection.mode=Policy", "webhook.certificate.mode=certManager,webhook.certificate.issuerRef.name=ca",
          "webhook.certificate.mode=given,webhook.certificate.secretName=tls,webhook.certificate.caBundle=TUlJ"}) {
        install_operator_account({"--set", values});
        EXPECT_THAT(rights_in(kOperatorNamespace, ""), Not(HasSubstr("secrets"))) << values;
    }
}

TEST_F(Rbac, an_empty_patch_of_a_foreign_secret_is_refused_and_shows_nothing) {
    const auto as_operator = connect(install_operator_account());
    for (const auto& where : {name_space_, std::string(kOperatorNamespace)}) {
        json secret = {{"apiVersion", "v1"},
                       {"kind", "Secret"},
                       {"metadata", {{"name", "login"}, {"namespace", where}}},
                       {"stringData", {{"password", "hunter2"}}}};
        ASSERT_TRUE(call(api_->create(op::secrets(where, "login"), secret)));
        const auto patched =
            call(as_operator->patch(op::secrets(where, "login"), op::PatchType::merge, json::object()));
        ASSERT_FALSE(patched) << "patch is get: " << *patched;
        EXPECT_EQ(patched.error().http_status, 403U);
        EXPECT_THAT(patched.error().error.context, Not(HasSubstr("aHVudGVyMg")));
        EXPECT_FALSE(call(as_operator->get(op::secrets(where, "login"))));
        EXPECT_FALSE(call(as_operator->list(op::secrets(where), op::ListOptions())));
        json other = {{"apiVersion", "v1"}, {"kind", "Secret"}, {"metadata", {{"name", "new"}}}};
        EXPECT_FALSE(call(as_operator->create(op::secrets(where), other)));
        EXPECT_FALSE(
            call(as_operator->apply(op::secrets(where, "new"), other, op::ApplyOptions("cloud-valkey-operator"))));
        ASSERT_TRUE(call(api_->remove(op::secrets(where, "login"))));
    }
}

}  // namespace
}  // namespace cvp::test
