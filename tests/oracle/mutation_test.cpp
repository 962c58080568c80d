#include <memory>

#include <gtest/gtest.h>

#include "tests/oracle/faulty_relay.hpp"
#include "tests/oracle/oracle.hpp"

namespace cvp::oracle {
namespace {

constexpr std::uint64_t kPrograms = 60;

/// The oracle in front of a relay that is at fault in one way, or in none.
class OracleTruth : public ::testing::Test {
protected:
    void SetUp() override {
        auto server = ServerUnderTest::start({"valkey-server"});
        ASSERT_TRUE(server) << to_string(server.error());
        server_ = std::make_unique<ServerUnderTest>(std::move(*server));
        auto catalog = load_catalog(server_->server());
        ASSERT_TRUE(catalog) << to_string(catalog.error());
        catalog_ = std::move(*catalog);
    }

    /// Runs programs until one differs. @return its report, "" if none did
    std::string first_difference(FaultyRelay& relay) {
        Oracle oracle(*server_, catalog_, 7);
        oracle.set_subject(connect_to_port(relay.port()));
        oracle.set_limit(std::chrono::seconds(3));
        for (std::uint64_t index = 0; index < kPrograms; ++index) {
            const auto verdict = oracle.check(oracle.make(index));
            if (verdict.kind != Verdict::Kind::equal) return verdict.report;
        }
        return {};
    }

    std::unique_ptr<ServerUnderTest> server_;
    Catalog catalog_;
};

class OracleMutation : public OracleTruth, public ::testing::WithParamInterface<Fault> {};

TEST_P(OracleMutation, is_seen) {
    FaultyRelay relay(GetParam(), server_->socket(), std::string(server_->password().reveal()));
    const auto report = first_difference(relay);
    EXPECT_FALSE(report.empty()) << "committed " << relay.committed() << " times";
    EXPECT_GT(relay.committed(), 0U) << "something else was found: " << report;
    EXPECT_EQ(report.find("UNSTABLE"), std::string::npos) << report;
}

INSTANTIATE_TEST_SUITE_P(Planted, OracleMutation,
                         ::testing::Values(Fault::swapped_replies, Fault::lost_push, Fault::dropped_byte,
                                           Fault::resp3_null, Fault::wrong_db_after_swap, Fault::eaten_skip,
                                           Fault::extra_exec_element, Fault::duplicated_message, Fault::leaked_nonce,
                                           Fault::reset_left_as_default),
                         [](const auto& fault) { return to_string(fault.param); });

TEST_F(OracleTruth, a_relay_without_a_fault_passes) {
    FaultyRelay relay(Fault::none, server_->socket(), std::string(server_->password().reveal()));
    const auto report = first_difference(relay);
    EXPECT_TRUE(report.empty()) << report;
    EXPECT_GT(relay.swaps(), 10U) << "upstream connections are replaced rightly";
}

}  // namespace
}  // namespace cvp::oracle
