#include "operator/webhook/warnings.hpp"

#include <gmock/gmock.h>

#include "tests/unit/operator/webhook/admission.hpp"

namespace cvp::op {
namespace {

using nlohmann::json;
using test::make_pod;
using test::make_review;
using test::respond;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// What the review of a pod is answered with besides the decision.
std::vector<std::string> warnings_of(const json& pod) {
    const auto response = respond(make_review(pod));
    if (!response.contains("warnings")) return {};
    return response["warnings"].get<std::vector<std::string>>();
}

json with_annotation(const std::string& key, const std::string& value = "x") {
    auto pod = make_pod("sessions");
    pod["metadata"]["annotations"]["cloudvalkey.dev/" + key] = value;
    return pod;
}

TEST(Warnings, say_nothing_about_what_is_known) {
    auto pod = with_annotation("secret.sessions");
    pod["metadata"]["annotations"]["cloudvalkey.dev/status"] = "{}";
    pod["metadata"]["annotations"]["other.dev/connections"] = "x";
    pod["metadata"]["annotations"]["cloudvalkey.development/x"] = "x";
    pod["metadata"]["labels"] = {{"cloudvalkey.dev/injected", "true"}, {"app", "shop"}};
    for (const auto* value : {"true", "false"}) {
        pod["metadata"]["annotations"]["cloudvalkey.dev/unix-socket"] = value;
        EXPECT_THAT(warnings_of(pod), IsEmpty());
    }
}

TEST(Warnings, name_unknown_annotations_and_do_not_refuse) {
    for (const std::string key :
         {"connection", "Connections", "refresh", "injected", "secret", "unix_socket", "", "a~b/c"}) {
        const auto pod = with_annotation(key);
        EXPECT_THAT(warnings_of(pod), ElementsAre(HasSubstr("annotation \"cloudvalkey.dev/" + key + "\" is unknown")));
        EXPECT_EQ(respond(make_review(pod))["allowed"], true);
    }
}

TEST(Warnings, name_unknown_labels) {
    auto pod = make_pod("sessions");
    pod["metadata"]["labels"]["cloudvalkey.dev/connections"] = "sessions";
    EXPECT_THAT(warnings_of(pod), ElementsAre(AllOf(HasSubstr("label \"cloudvalkey.dev/connections\" has no effect"),
                                                    HasSubstr("annotation"))));
    pod["metadata"]["labels"] = {{"cloudvalkey.dev/team", "x"}};
    EXPECT_THAT(warnings_of(pod), ElementsAre(HasSubstr("label \"cloudvalkey.dev/team\" is unknown")));
}

TEST(Warnings, tell_a_secret_for_no_connection_of_the_pod) {
    EXPECT_THAT(warnings_of(with_annotation("secret.orders")),
                ElementsAre(HasSubstr("\"cloudvalkey.dev/secret.orders\" has no effect")));
    EXPECT_THAT(warnings_of(with_annotation("secret.")), SizeIs(1));
}

TEST(Warnings, tell_a_switch_that_is_neither_true_nor_false) {
    EXPECT_THAT(warnings_of(with_annotation("unix-socket", "yes")),
                ElementsAre(HasSubstr("\"cloudvalkey.dev/unix-socket\" is neither \"true\" nor \"false\"")));
}

TEST(Warnings, tell_a_variable_that_two_connections_want) {
    EXPECT_THAT(warnings_of(make_pod("a:7000/7001, a-readers")), ElementsAre(HasSubstr("VALKEY_A_READERS_PORT")));
}

TEST(Warnings, come_with_every_decision) {
    auto refused = with_annotation("x");
    refused["spec"]["hostNetwork"] = true;
    EXPECT_EQ(respond(make_review(refused))["allowed"], false);
    EXPECT_THAT(warnings_of(refused), SizeIs(1));

    auto untouched = with_annotation("x");
    untouched["metadata"]["annotations"].erase("cloudvalkey.dev/connections");
    untouched["metadata"]["annotations"]["cloudvalkey.dev/secret.sessions"] = "login";
    EXPECT_FALSE(respond(make_review(untouched)).contains("patch"));
    EXPECT_THAT(warnings_of(untouched), ElementsAre(HasSubstr("cloudvalkey.dev/x")));

    const auto again = with_annotation("x");
    EXPECT_THAT(warnings_of(test::patched(again)), SizeIs(1));
}

TEST(Warnings, are_few_and_short_and_printable) {
    auto pod = make_pod("sessions");
    for (int i = 0; i < 100; ++i)
        pod["metadata"]["annotations"]["cloudvalkey.dev/" + std::string(500, 'x') + "\n\"ü" + std::to_string(i)] = "x";
    const auto warnings = warnings_of(pod);
    ASSERT_THAT(warnings, SizeIs(8));
    EXPECT_THAT(warnings.back(), HasSubstr("and 93 more"));
    for (const auto& warning : warnings) {
        EXPECT_LE(warning.size(), 256U) << warning;
        EXPECT_EQ(warning.find('\n'), std::string::npos);
    }
}

}  // namespace
}  // namespace cvp::op
