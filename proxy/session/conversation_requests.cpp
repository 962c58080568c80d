#include <algorithm>
#include <utility>

#include "proxy/session/conversation.hpp"

namespace cvp::proxy {

namespace {

constexpr std::string_view kPing = "*1\r\n$4\r\nPING\r\n";
constexpr std::string_view kOk = "+OK\r\n";
constexpr std::string_view kNoMaintenance = "-ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP.\r\n";

bool is(std::string_view word, std::string_view lower) {
    return equals_ignoring_case(word, lower);
}

/// The server's words for a command that a subscriber of RESP2 may not send.
std::string refusal_to_subscriber(std::string_view name) {
    return "-ERR Can't execute '" + std::string(name) +
           "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context\r\n";
}

bool has_block_option(const std::vector<std::string_view>& arguments) {
    for (const auto word : arguments) {
        if (is(word, "block")) return true;
        if (is(word, "streams")) return false;
    }
    return false;
}

}  // namespace

Conversation::Conversation(Wire& wire, ClientPolicy policy, bool keeps_commands)
    : wire_(wire), policy_(std::move(policy)), fifo_(keeps_commands) {}

std::size_t Conversation::on_client_bytes(std::string_view bytes, SteadyClock::time_point now) {
    if (is_copied_) {
        wire_.to_server(bytes);
        return bytes.size();
    }
    now_ = now;
    input_ = bytes;
    requests_.feed(bytes);
    std::size_t left = 0;
    while (true) {
        if (is_paused_ && !is_command_open_ && !is_opaque_ && !is_in_one_shot()) {
            left = requests_.take_rest().size();
            break;
        }
        const auto step = requests_.step();
        if (step.event == RequestFramer::Event::starved) break;
        switch (step.event) {
            case RequestFramer::Event::body:
                if (!is_body_dropped_) pass_to_server(step.bytes);
                is_command_open_ = !step.is_whole && !is_body_dropped_;
                is_body_dropped_ = is_body_dropped_ && !step.is_whole;
                break;
            case RequestFramer::Event::noise:
                use_up_one_shots();
                pass_to_server(step.bytes);
                break;
            case RequestFramer::Event::command:
                on_command(step.bytes, step.is_whole);
                break;
            case RequestFramer::Event::broken:
                if (!is_logged_in_) {
                    lose("bytes that are no RESP before the client's login");
                    send_to_server({});
                    return bytes.size();
                }
                copy_from_here();
                pass_to_server(step.bytes);
                break;
            case RequestFramer::Event::starved:
                break;
        }
        if (is_copied_) pass_to_server(requests_.take_rest());
    }
    send_to_server({});
    return bytes.size() - left;
}

/// Whether the next command means something else than it would on another connection, or the last one may be lost
/// without anybody's noticing, for it has no reply.
bool Conversation::is_in_one_shot() const {
    return is_one_shot_set_ || is_next_skipped_ || is_reply_skipped_;
}

/// Whatever comes next uses them up, be it an empty command.
void Conversation::use_up_one_shots() {
    is_reply_skipped_ = std::exchange(is_next_skipped_, false);
    is_one_shot_set_ = false;
}

void Conversation::on_command(std::string_view head, bool is_whole) {
    const auto& command = requests_.command();
    wire_.on_command(command);
    use_up_one_shots();
    is_end_asked_for_ = command.effect == Effect::quit;
    is_body_dropped_ = false;
    is_command_open_ = !is_whole;
    note_ties(command);
    if (command.effect == Effect::waits && was_moved_) write_before_wait();
    if (requests_.is_cut_short() && command.effect != Effect::script) return pass_long(head);
    if (is_opaque_) return pass_unseen(head);
    if (is_answered_here(command)) {
        is_body_dropped_ = !is_whole;
        is_command_open_ = false;
        return;
    }
    if (command.effect == Effect::reset) return forward_reset(head);
    note_request(command);
    pass_to_server(head);
}

/// What it does cannot be known without its arguments.
void Conversation::pass_long(std::string_view head) {
    const auto effect = requests_.command().effect;
    if (!is_logged_in_ || effect == Effect::auth || effect == Effect::hello) {
        is_body_dropped_ = true;
        is_command_open_ = false;
        return lose("a login of more than 64 KiB");
    }
    become_opaque();
    pass_to_server(head);
}

/// Of an opaque client only those commands are looked at that log in or out: credentials do not go to the server, and
/// a RESET makes all known again.
void Conversation::pass_unseen(std::string_view head) {
    const auto& command = requests_.command();
    switch (command.effect) {
        case Effect::auth:
            return send_to_server(kPing);
        case Effect::hello: {
            const auto verdict = judge_hello(policy_, requests_.arguments(), is_logged_in_);
            return send_to_server(verdict.forward.empty() ? kPing : verdict.forward);
        }
        case Effect::reset:
            if (is_muddled_ || is_reply_skipped_) return lose("a RESET whose reply could not be found");
            return forward_reset(head);
        case Effect::replication:
            if (command.name != "replconf") copy_from_here();
            break;
        case Effect::client:
            note_reply_mode(requests_.arguments());
            break;
        default:
            break;
    }
    pass_to_server(head);
}

bool Conversation::is_answered_here(const CommandInfo& command) {
    const auto& arguments = requests_.arguments();
    switch (command.effect) {
        case Effect::auth: {
            if (is_bound_by_resp2()) {
                replace(refusal_to_subscriber("auth"));
                return true;
            }
            const auto verdict = judge_auth(policy_, arguments, is_logged_in_);
            is_logged_in_ = verdict.is_logged_in;
            replace(verdict.answer);
            return true;
        }
        case Effect::hello: {
            const auto verdict = judge_hello(policy_, arguments, is_logged_in_);
            is_logged_in_ = verdict.is_logged_in;
            if (!verdict.answer.empty()) {
                replace(verdict.answer);
            } else {
                note_request(command);
                send_to_server(verdict.forward);
            }
            return true;
        }
        case Effect::quit:
        case Effect::reset:
            return false;
        case Effect::client:
            if (is_logged_in_) return answer_client(arguments);
            break;
        default:
            break;
    }
    if (is_logged_in_) return false;
    replace(kNoAuth);
    return true;
}

/// Two subcommands ask the server to tell where else it can be reached, which would be past the proxy. In a transaction
/// the server answers: our answer would not be one of EXEC's.
bool Conversation::answer_client(const std::vector<std::string_view>& arguments) {
    if (is_in_multi_ || arguments.size() < 2 || is_bound_by_resp2()) return false;
    if (is(arguments[0], "maint_notifications")) {
        replace(kNoMaintenance);
        return true;
    }
    if (is(arguments[0], "capa") && arguments.size() == 2 && is(arguments[1], "redirect")) {
        replace(kOk);
        return true;
    }
    return false;
}

void Conversation::replace(std::string_view answer) {
    send_to_server(kPing);
    if (is_silent()) return;
    answers_.emplace_back(answer);
    push(Kind::replaced);
}

void Conversation::note_request(const CommandInfo& command) {
    if (state_.is_tracking && is_about_data(command.effect)) has_tracked_reads_ = true;
    switch (command.effect) {
        case Effect::multi:
            is_in_multi_ = true;
            break;
        case Effect::exec:
        case Effect::discard:
            is_in_multi_ = false;
            is_watching_ = false;
            break;
        case Effect::watch:
            is_watching_ = true;
            break;
        case Effect::unwatch:
            if (!is_in_multi_) is_watching_ = false;
            break;
        case Effect::asking:
            is_one_shot_set_ = true;
            break;
        case Effect::monitor:
            if (!is_silent()) push(Kind::plain);
            return become_opaque();
        case Effect::replication:
            return command.name == "replconf" ? become_opaque() : copy_from_here();
        case Effect::subscribe:
            has_subscribed_since_reset_ = true;
            [[fallthrough]];
        case Effect::unsubscribe:
            // Their confirmations come also where replies are off, and inside EXEC's they are counted by nobody.
            is_muddled_ = is_in_multi_;
            if (is_in_multi_ || is_silent()) return become_opaque();
            break;
        case Effect::hello:
            // Which protocol it speaks after EXEC cannot be seen.
            if (is_in_multi_ && requests_.argument_count() > 0) return become_opaque();
            break;
        case Effect::client:
            note_client(requests_.arguments());
            if (is_opaque_) return;
            break;
        default:
            break;
    }
    expect_reply(command);
}

void Conversation::note_client(const std::vector<std::string_view>& arguments) {
    if (arguments.empty()) return;
    const auto what = arguments[0];
    if (is(what, "id")) has_asked_id_ = true;
    if (is(what, "kill")) is_end_asked_for_ = true;
    if (is(what, "caching")) is_one_shot_set_ = true;
    if (is(what, "import-source")) is_known_ = false;
    if (is(what, "capa")) is_known_ = false;
    if (!is(what, "reply") || !is_in_multi_) return note_reply_mode(arguments);
    is_muddled_ = true;
    become_opaque();
}

void Conversation::note_reply_mode(const std::vector<std::string_view>& arguments) {
    if (arguments.size() != 2 || !is(arguments[0], "reply")) return;
    if (is(arguments[1], "on"))
        is_reply_off_ = is_reply_skipped_ = false;  // it answers, also where it was to be skipped
    if (is(arguments[1], "off")) is_reply_off_ = true;
    if (is(arguments[1], "skip") && !is_reply_off_) {
        is_next_skipped_ = true;
        is_reply_skipped_ = true;  // it has no reply itself
    }
}

void Conversation::expect_reply(const CommandInfo& command) {
    if (command.effect == Effect::plain) return is_silent() ? void() : push(Kind::plain);
    auto change = change_of(command, requests_.arguments());
    // What is queued, or done in silence, cannot be seen to succeed.
    if (change && (is_in_multi_ || is_silent())) {
        is_known_ = false;
        change.reset();
    }
    if (is_silent()) return;
    switch (command.effect) {
        case Effect::subscribe:
            return requests_.argument_count() == 0
                       ? push(Kind::plain)
                       : push(Kind::subscribe, static_cast<std::uint32_t>(requests_.argument_count()));
        case Effect::unsubscribe:
            return requests_.argument_count() == 0
                       ? push(Kind::unsubscribe_all)
                       : push(Kind::unsubscribe, static_cast<std::uint32_t>(requests_.argument_count()));
        case Effect::blocks:
        case Effect::waits:
            return push(is_in_multi_ ? Kind::plain : Kind::blocking);
        case Effect::blocks_if_option:
            return push(!is_in_multi_ && has_block_option(requests_.arguments()) ? Kind::blocking : Kind::plain);
        default:
            break;
    }
    if (!change) return push(Kind::plain);
    if (change->protocol && !will_refuse_hello()) protocol_asked_ = *change->protocol;
    changes_.push_back(*std::move(change));
    push(Kind::change);
}

/// RESET logs out. The login behind it stands in the same write, and nothing may pass before it succeeded.
void Conversation::forward_reset(std::string_view head) {
    const auto login = wire_.login_after_reset();
    protocol_asked_ = 2;
    has_subscribed_since_reset_ = false;
    is_in_multi_ = false;
    is_watching_ = false;
    is_reply_off_ = false;
    has_tracked_reads_ = false;
    if (policy_.asks_for_login()) is_logged_in_ = false;
    auto change = change_by_reset();
    if (std::exchange(is_opaque_, false)) {
        push(Kind::resync);
    } else if (is_reply_skipped_) {
        apply(change, state_);
    } else {
        changes_.push_back(std::move(change));
        push(Kind::change);
    }
    if (!login) return pass_to_server(head);
    send_login(head, *login, Kind::vital_login);
}

bool Conversation::is_idle() const {
    return !is_command_open_ && fifo_.empty() && replies_.is_at_boundary();
}

bool Conversation::must_hear_of_end() const {
    return is_opaque_ || is_in_multi_ || is_subscribed() || fifo_.owed(Kind::blocking) > 0;
}

/// By the time at which the server sees the next command: a RESET on its way ends subscriptions that are still known
/// here.
bool Conversation::is_bound_by_resp2() const {
    if (protocol_asked_ != 2) return false;
    const bool is_reset_owed =
        fifo_.owed(Kind::resync) > 0 ||
        std::any_of(changes_.begin(), changes_.end(), [](const auto& change) { return change.reset; });
    return is_reset_owed ? has_subscribed_since_reset_ : is_subscribed();
}

/// To a subscriber of RESP2 HELLO is one of the commands that it may not send. One that unsubscribes may be none by
/// then.
bool Conversation::will_refuse_hello() const {
    return is_bound_by_resp2() && fifo_.owed(Kind::unsubscribe) + fifo_.owed(Kind::unsubscribe_all) == 0;
}

bool Conversation::is_subscribed() const {
    return !state_.subscriptions.empty() || fifo_.owed(Kind::subscribe) > 0;
}

void Conversation::push(Kind kind, std::uint32_t count) {
    fifo_.push({kind, requests_.command().index, count, now_});
}

void Conversation::copy_from_here() {
    is_copied_ = true;
    become_opaque();
}

void Conversation::become_opaque() {
    if (std::exchange(is_opaque_, true)) return;
    is_command_open_ = false;
    wire_.on_opaque();
}

void Conversation::pass_to_server(std::string_view bytes) {
    if (const auto before = server_run_.add(bytes); !before.empty()) wire_.to_server(before);
    // The framer's own memory is gone at its next step.
    if (!is_part_of(bytes, input_)) send_to_server({});
}

void Conversation::send_to_server(std::string_view bytes) {
    if (const auto before = server_run_.take(); !before.empty()) wire_.to_server(before);
    if (!bytes.empty()) wire_.to_server(bytes);
}

}  // namespace cvp::proxy
