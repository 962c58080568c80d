#include "proxy/client_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(ClientRules, make_a_certificate_enough_where_there_is_no_password) {
    const ClientRules certificates{std::nullopt, true, false};
    const auto by_certificate = build_client_policy(ClientAuth::require, std::nullopt, certificates);
    EXPECT_TRUE(by_certificate.certificate_is_enough);
    EXPECT_FALSE(by_certificate.asks_for_login());
    const auto by_both = build_client_policy(ClientAuth::require, Secret("p"), certificates);
    EXPECT_FALSE(by_both.certificate_is_enough);
    EXPECT_TRUE(by_both.asks_for_login());

    const auto by_nothing = build_client_policy(ClientAuth::require, std::nullopt, {});
    EXPECT_TRUE(by_nothing.asks_for_login()) << "a password that is missing lets nobody in";
    EXPECT_FALSE(build_client_policy(ClientAuth::accept, Secret("p"), {}).asks_for_login());
    EXPECT_FALSE(build_client_policy(ClientAuth::reject, Secret("p"), {}).asks_for_login());
}

TEST(ClientRules, close_what_other_machines_can_reach_and_name_both_ways_out) {
    const ClientRules exposed{std::nullopt, false, true};
    for (const auto mode : {ClientAuth::accept, ClientAuth::reject}) {
        const auto why = find_exposure(mode, exposed);
        ASSERT_TRUE(why);
        EXPECT_THAT(*why, AllOf(HasSubstr("clientAuth: Require"), HasSubstr("--allow-open-listen")));
        EXPECT_FALSE(find_exposure(mode, {std::nullopt, true, true})) << "nobody gets in without a certificate";
        EXPECT_FALSE(find_exposure(mode, {}));
    }
    EXPECT_FALSE(find_exposure(ClientAuth::require, exposed));
}

}  // namespace
}  // namespace cvp::proxy
