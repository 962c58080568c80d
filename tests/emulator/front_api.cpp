#include "tests/emulator/front_api.hpp"

#include <nlohmann/json.hpp>

#include "tests/emulator/admin_fields.hpp"

namespace cvp::emulator {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;

Result<LoginTurn> parse_turn(std::string_view text) {
    if (text == "any") return LoginTurn::any;
    if (text == "first") return LoginTurn::first;
    if (text == "later") return LoginTurn::later;
    return fail(ErrorCode::invalid_argument, "turn '" + std::string(text) + "': expected any, first or later");
}

std::string_view to_string(LoginTurn turn) {
    return turn == LoginTurn::any ? "any" : turn == LoginTurn::first ? "first" : "later";
}

Json fault_json(const LoginFault& fault) {
    Json json = {
        {"answer", to_string(fault.answer)}, {"turn", to_string(fault.turn)}, {"delayMs", fault.delay.count()}};
    if (fault.remaining) json["count"] = *fault.remaining;
    if (fault.expiry)
        json["forMs"] = std::chrono::duration_cast<milliseconds>(*fault.expiry - SteadyClock::now()).count();
    return json;
}

Result<void> add_fault(Front& front, Fields& fields) {
    LoginFault fault;
    std::string answer = "pass";
    std::string turn = "any";
    std::optional<long long> for_ms;
    long long delay_ms = 0;
    fields.read("answer", answer);
    fields.read("turn", turn);
    fields.read("count", fault.remaining);
    fields.read("forMs", for_ms);
    fields.read("delayMs", delay_ms);
    if (auto read = fields.finish(); !read) return read;
    const auto parsed_answer = parse_login_answer(answer);
    if (!parsed_answer) return fail(parsed_answer.error());
    const auto parsed_turn = parse_turn(turn);
    if (!parsed_turn) return fail(parsed_turn.error());
    fault.answer = *parsed_answer;
    fault.turn = *parsed_turn;
    fault.delay = milliseconds(delay_ms);
    if (for_ms) fault.expiry = SteadyClock::now() + milliseconds(*for_ms);
    front.add_fault(fault);
    return {};
}

Result<void> limit_age(Front& front, Fields& fields) {
    LoginAge age;
    long long ms = 0;
    fields.read("ms", ms);
    fields.read("prolonged", age.is_prolonged);
    if (auto read = fields.finish(); !read) return read;
    age.limit = milliseconds(ms);
    front.limit_age(age);
    return {};
}

}  // namespace

http::Response answer_front(Front& front, const http::Request& request, std::string_view verb) {
    if (verb.empty())
        return request.method == "GET" ? json_response(200, front_json(front)) : method_not_allowed(request);
    if (request.method != "POST") return method_not_allowed(request);
    const auto body = parse_body(request);
    if (!body) return refuse(body.error());
    Fields fields(*body);
    if (verb == "fault") return outcome(add_fault(front, fields));
    if (verb == "age") return outcome(limit_age(front, fields));
    if (verb != "heal" && verb != "cut") return refuse(404, std::string(verb) + ": no such action");
    if (auto read = fields.finish(); !read) return refuse(read.error());
    if (verb == "cut") {
        front.cut_all();
    } else {
        front.clear_faults();
        front.limit_age({});
    }
    return done();
}

Json front_json(const Front& front) {
    const auto counts = front.counts();
    const auto age = front.age();
    Json json = {{"host", front.address().ip}, {"port", front.address().port}};
    json["connections"] = {
        {"open", counts.connections_open}, {"total", counts.connections_total}, {"cutByAge", counts.cut_by_age}};
    json["logins"] = {{"seen", counts.logins_seen},
                      {"passed", counts.logins_passed},
                      {"passedLater", counts.relogins_passed},
                      {"invalid", counts.logins_invalid},
                      {"refused", counts.logins_refused},
                      {"silenced", counts.logins_silenced},
                      {"cut", counts.logins_cut},
                      {"delayed", counts.logins_delayed},
                      {"waiting", counts.logins_waiting},
                      {"mostWaiting", counts.most_logins_waiting}};
    json["age"] = {{"ms", age.limit.count()}, {"prolonged", age.is_prolonged}};
    json["faults"] = Json::array();
    for (const auto& fault : front.faults())
        json["faults"].push_back(fault_json(fault));
    return json;
}

}  // namespace cvp::emulator
