#include "operator/kube/status_error.hpp"

#include <gtest/gtest.h>

namespace cvp::op {
namespace {

using namespace std::chrono_literals;

http::Response answer(unsigned status, std::string body) {
    return http::make_response(status, "application/json", std::move(body));
}

// As kube-apiserver 1.36.3 answers the creation of a ConfigMap in a namespace that is being deleted.
constexpr auto kTerminating = R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",
  "message":"configmaps \"x\" is forbidden: unable to create new content in namespace shop because it is being terminated",
  "reason":"Forbidden","details":{"name":"x","kind":"configmaps","causes":[{"reason":"NamespaceTerminating",
  "message":"namespace shop is being terminated","field":"metadata.namespace"}]},"code":403})";

TEST(KubeError, reads_reason_causes_and_message) {
    const auto error = make_kube_error("create configmaps shop/x", answer(403, kTerminating));
    EXPECT_EQ(error.http_status, 403u);
    EXPECT_EQ(error.reason, "Forbidden");
    EXPECT_TRUE(error.has_cause("NamespaceTerminating"));
    EXPECT_FALSE(error.has_cause("Other"));
    EXPECT_EQ(error.causes.front().field, "metadata.namespace");
    EXPECT_EQ(
        to_string(error.error),
        "permission_denied: create configmaps shop/x: configmaps \"x\" is forbidden: unable to create new content "
        "in namespace shop because it is being terminated");
}

TEST(KubeError, reads_how_long_to_wait_from_body_or_header) {
    const auto body = make_kube_error(
        "list",
        answer(429, R"({"kind":"Status","reason":"TooManyRequests","details":{"retryAfterSeconds":3},"code":429})"));
    EXPECT_EQ(body.error.code, ErrorCode::resource_exhausted);
    EXPECT_EQ(body.retry_after, 3s);

    auto response = answer(429, "slow down");
    response.headers.set("Retry-After", "7");
    EXPECT_EQ(make_kube_error("list", response).retry_after, 7s);

    response.headers.set("Retry-After", "Fri, 20 Nov 2026 12:00:00 GMT");
    EXPECT_EQ(make_kube_error("list", response).retry_after, std::nullopt);
}

TEST(KubeError, does_without_a_status) {
    for (const auto* body : {"", "<html>bad gateway</html>", "[1]", "{\"kind\":\"Pod\"}", "{\"kind\":7}",
                             "{\"kind\":\"Status\",\"code\":-1,\"details\":[],\"message\":{}}",
                             "{\"kind\":\"Status\",\"details\":{\"causes\":[1,{}],\"retryAfterSeconds\":\"x\"}}"}) {
        const auto error = make_kube_error("get x", answer(502, body));
        EXPECT_EQ(to_string(error.error), "unavailable: get x: HTTP status 502") << body;
        EXPECT_EQ(error.http_status, 502u) << body;
        EXPECT_EQ(error.retry_after, std::nullopt) << body;
    }
}

TEST(KubeError, classifies_by_status) {
    EXPECT_EQ(error_code_of(400), ErrorCode::invalid_argument);
    EXPECT_EQ(error_code_of(401), ErrorCode::unauthenticated);
    EXPECT_EQ(error_code_of(403), ErrorCode::permission_denied);
    EXPECT_EQ(error_code_of(404), ErrorCode::not_found);
    EXPECT_EQ(error_code_of(409), ErrorCode::conflict);
    EXPECT_EQ(error_code_of(410), ErrorCode::gone);
    EXPECT_EQ(error_code_of(413), ErrorCode::invalid_argument);
    EXPECT_EQ(error_code_of(422), ErrorCode::invalid_argument);
    EXPECT_EQ(error_code_of(429), ErrorCode::resource_exhausted);
    EXPECT_EQ(error_code_of(500), ErrorCode::unavailable);
    EXPECT_EQ(error_code_of(503), ErrorCode::unavailable);
    EXPECT_EQ(error_code_of(504), ErrorCode::timeout);
    EXPECT_EQ(error_code_of(302), ErrorCode::protocol_error);
}

TEST(KubeError, reads_the_status_inside_a_watch) {
    const auto error = make_kube_error("watch", std::string_view(R"~({"kind":"Status","status":"Failure",
        "message":"too old resource version: 1 (5)","reason":"Expired","code":410})~"));
    EXPECT_EQ(error.error, (Error{ErrorCode::gone, "watch: too old resource version: 1 (5)"}));
    EXPECT_EQ(make_kube_error("watch", std::string_view("{}")).error,
              (Error{ErrorCode::protocol_error, "watch: an error without a Status"}));
}

TEST(KubeError, wraps_a_fault_without_an_answer) {
    const auto error = make_kube_error("get x", Error{ErrorCode::timeout, "no answer"});
    EXPECT_EQ(error.error, (Error{ErrorCode::timeout, "get x: no answer"}));
    EXPECT_EQ(error.http_status, 0u);
}

}  // namespace
}  // namespace cvp::op
