#include "operator/reconcile/notice.hpp"

#include <gtest/gtest.h>

#include "operator/reconcile/conditions.hpp"

namespace cvp::op {
namespace {

/// A status with those two conditions, "True/Resolved" and the like; "" leaves one out.
ConnectionStatus status(const std::string& ready, const std::string& resolved, const std::string& message = "m") {
    ConnectionStatus result;
    const auto add = [&](std::string_view type, const std::string& text) {
        if (text.empty()) return;
        const auto slash = text.find('/');
        auto value = ConditionStatus::unknown;
        for (const auto known : {ConditionStatus::true_, ConditionStatus::false_})
            if (text.substr(0, slash) == to_string(known)) value = known;
        result.conditions.push_back({std::string(type), value, text.substr(slash + 1), message, 1, ""});
    };
    add(kReady, ready);
    add(kResolved, resolved);
    return result;
}

const auto kNew = ConnectionStatus();
const auto kWaiting = status("Unknown/Pending", "Unknown/Pending");
const auto kGood = status("True/Resolved", "True/Resolved");
const auto kKept = status("True/PermissionDenied", "False/PermissionDenied");

/// "Warning PermissionDenied KeepLastGood", or "" for silence.
std::string told(const ConnectionStatus& before, const ConnectionStatus& after) {
    const auto text = notice_of(before, after);
    if (!text) return "";
    return std::string(text->is_warning ? "Warning " : "Normal ") + text->reason + " " + text->action;
}

TEST(NoticeOf, says_what_became_of_a_connection) {
    EXPECT_EQ(told(kWaiting, kGood), "Normal Resolved Resolve");
    EXPECT_EQ(told(kWaiting, status("False/InstanceNotFound", "False/InstanceNotFound")),
              "Warning InstanceNotFound Resolve");
    EXPECT_EQ(told(kGood, status("False/NameConflict", "True/Resolved")), "Warning NameConflict Resolve");
    EXPECT_EQ(told(kGood, status("False/NetworkAmbiguous", "False/NetworkAmbiguous")),
              "Warning NetworkAmbiguous Resolve");
    EXPECT_EQ(told(kGood, kKept), "Warning PermissionDenied KeepLastGood");
    EXPECT_EQ(told(kKept, status("True/CloudUnavailable", "False/CloudUnavailable")),
              "Warning CloudUnavailable KeepLastGood");
    EXPECT_EQ(told(kKept, kGood), "Normal Resolved Resolve");
    EXPECT_EQ(notice_of(kWaiting, status("True/Resolved", "True/Resolved", "the text"))->note, "the text");
}

TEST(NoticeOf, is_silent_where_nothing_changed) {
    EXPECT_EQ(told(kNew, kWaiting), "");
    EXPECT_EQ(told(kGood, kGood), "");
    EXPECT_EQ(told(kGood, status("True/Resolved", "True/Resolved", "another text")), "");
    EXPECT_EQ(told(kKept, kKept), "");
    EXPECT_EQ(told(kWaiting, status("False/Pending", "True/Resolved")), "") << "it goes on by itself";
    EXPECT_EQ(told(kGood, kNew), "");
}

}  // namespace
}  // namespace cvp::op
