#include "common/error.hpp"

#include <gtest/gtest.h>

#include "common/result.hpp"

namespace cvp {
namespace {

TEST(Error, renders_its_class_and_its_context) {
    EXPECT_EQ(to_string(Error{ErrorCode::unavailable, "dialling 10.0.0.3:6379"}),
              "unavailable: dialling 10.0.0.3:6379");
    EXPECT_EQ(to_string(Error{ErrorCode::timeout, ""}), "timeout");
}

TEST(Error, only_faults_that_time_can_heal_are_retryable) {
    for (const auto code : {ErrorCode::unavailable, ErrorCode::timeout, ErrorCode::resource_exhausted,
                            ErrorCode::permission_denied, ErrorCode::not_found, ErrorCode::conflict}) {
        EXPECT_TRUE(is_retryable({code, ""})) << to_string(code);
    }
    for (const auto code :
         {ErrorCode::invalid_argument, ErrorCode::tls_failed, ErrorCode::cancelled, ErrorCode::internal}) {
        EXPECT_FALSE(is_retryable({code, ""})) << to_string(code);
    }
}

TEST(Result, carries_the_error_of_fail) {
    const Result<int> result = fail(ErrorCode::timeout, "reading");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), (Error{ErrorCode::timeout, "reading"}));
}

}  // namespace
}  // namespace cvp
