#include "operator/webhook/admission_http.hpp"

#include <gmock/gmock.h>

namespace cvp::op {
namespace {

using ::testing::HasSubstr;

http::Request make_request(std::string body) {
    http::Request request;
    request.method = "POST";
    request.target = "/mutate-pods?timeout=5s";
    request.headers.set("Content-Type", "application/json");
    request.body = std::move(body);
    return request;
}

const std::string kReview = R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u",
    "operation":"CREATE","resource":{"group":"","version":"v1","resource":"pods"},"object":{"kind":"Pod"}}})";

TEST(AdmissionHttp, answers_a_review) {
    InjectionCounters counters;
    const auto response = answer_admission(make_request(kReview), {}, counters);
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.headers.find("Content-Type"), "application/json");
    EXPECT_THAT(response.body, HasSubstr(R"("uid":"u")"));
    EXPECT_EQ(counters.value("untouched", "NotAnnotated"), 1U);
}

TEST(AdmissionHttp, says_what_is_wrong_with_a_request) {
    InjectionCounters counters;
    auto elsewhere = make_request(kReview);
    elsewhere.target = "/";
    EXPECT_EQ(answer_admission(elsewhere, {}, counters).status, 404U);

    auto get = make_request("");
    get.method = "GET";
    const auto not_allowed = answer_admission(get, {}, counters);
    EXPECT_EQ(not_allowed.status, 405U);
    EXPECT_EQ(not_allowed.headers.find("Allow"), "POST");

    auto text = make_request(kReview);
    text.headers.set("Content-Type", "application/jsonp");
    EXPECT_EQ(answer_admission(text, {}, counters).status, 415U);
    text.headers.set("Content-Type", "application/json; charset=utf-8");
    EXPECT_EQ(answer_admission(text, {}, counters).status, 200U);

    const auto malformed = answer_admission(make_request("{}"), {}, counters);
    EXPECT_EQ(malformed.status, 400U);
    EXPECT_EQ(malformed.body, "AdmissionReview: apiVersion: must be admission.k8s.io/v1\n");
    EXPECT_EQ(counters.value("malformed", ""), 1U);
}

TEST(InjectionCounters, are_told_by_result_and_reason) {
    InjectionCounters counters;
    metrics::Page empty;
    counters.describe(empty);
    EXPECT_THAT(empty.render(), HasSubstr(R"(cloudvalkey_operator_injections_total{result="injected",reason=""} 0)"));

    counters.count("injected", "");
    counters.count("refused", "PortClash");
    counters.count("refused", "PortClash");
    metrics::Page page;
    counters.describe(page);
    EXPECT_THAT(page.render(), HasSubstr(R"(cloudvalkey_operator_injections_total{result="injected",reason=""} 1)"));
    EXPECT_THAT(page.render(), HasSubstr(R"(_total{result="refused",reason="PortClash"} 2)"));
}

TEST(InjectionCounters, count_answers_as_controller_runtime_does) {
    InjectionCounters counters;
    counters.count_answer(200, std::chrono::microseconds(300));
    counters.count_answer(400, std::chrono::milliseconds(3));
    metrics::Page page;
    counters.describe(page, 2);
    const auto text = page.render();
    for (const auto* line : {
             R"(controller_runtime_webhook_requests_total{webhook="/mutate-pods",code="200"} 1)",
             R"(controller_runtime_webhook_requests_total{webhook="/mutate-pods",code="400"} 1)",
             R"(controller_runtime_webhook_requests_total{webhook="/mutate-pods",code="500"} 0)",
             R"(controller_runtime_webhook_requests_in_flight{webhook="/mutate-pods"} 2)",
             R"(controller_runtime_webhook_latency_seconds_bucket{webhook="/mutate-pods",le="0.0005"} 1)",
             R"(controller_runtime_webhook_latency_seconds_count{webhook="/mutate-pods"} 2)",
         })
        EXPECT_THAT(text, HasSubstr(line));
}

}  // namespace
}  // namespace cvp::op
