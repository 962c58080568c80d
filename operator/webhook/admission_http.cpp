#include "operator/webhook/admission_http.hpp"

#include "common/contract/names.hpp"
#include "common/log/log.hpp"
#include "operator/webhook/mutate.hpp"

namespace cvp::op {
namespace {

constexpr std::string_view kJson = "application/json";

bool is_json(const http::Headers& headers) {
    const auto type = headers.find("Content-Type");
    return type && type->substr(0, type->find_first_of("; ")) == kJson;
}

http::Response complain(unsigned status, std::string sentence) {
    return http::make_response(status, "text/plain; charset=utf-8", std::move(sentence) + "\n");
}

}  // namespace

http::Response answer_admission(const http::Request& request, const InjectionConfig& config,
                                InjectionCounters& counters) {
    if (http::path_of(request.target) != names::kWebhookPath)
        return complain(404, "this server answers " + std::string(names::kWebhookPath) + " only");
    if (request.method != "POST") {
        auto response = complain(405, "POST an AdmissionReview");
        response.headers.set("Allow", "POST");
        return response;
    }
    if (!is_json(request.headers)) return complain(415, "the Content-Type must be application/json");

    auto mutation = mutate(request.body, config);
    if (!mutation) {
        log::debug("refused a malformed admission review", {{"reason", mutation.error().context}});
        counters.count("malformed", "");
        return complain(400, mutation.error().context);
    }
    counters.count(mutation->result, mutation->reason);
    return http::make_response(200, std::string(kJson), std::move(mutation->review));
}

}  // namespace cvp::op
