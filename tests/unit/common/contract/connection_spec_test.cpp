#include "common/contract/connection_spec.hpp"

#include <gtest/gtest.h>

namespace cvp::test {
namespace {

using Specs = std::vector<ConnectionSpec>;

SpecReason reason_of(std::string_view list) {
    const auto parsed = parse_connection_list(list);
    EXPECT_FALSE(parsed) << list;
    return parsed ? SpecReason::empty : parsed.error().reason;
}

std::string message_of(std::string_view list) {
    const auto parsed = parse_connection_list(list);
    EXPECT_FALSE(parsed) << list;
    return parsed ? "" : parsed.error().message;
}

TEST(ConnectionSpec, default_ports_count_up_by_position) {
    const auto parsed = parse_connection_list("sessions,orders:7000/7001,carts");
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(*parsed, (Specs{{"sessions", 6379, {}}, {"orders", 7000, 7001}, {"carts", 6399, {}}}));
}

TEST(ConnectionSpec, spaces_round_entries_are_allowed_and_inside_them_not) {
    const auto parsed = parse_connection_list("  sessions ,  orders:6390/6391  ");
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(*parsed, (Specs{{"sessions", 6379, {}}, {"orders", 6390, 6391}}));
    EXPECT_EQ(reason_of("sessions :6379"), SpecReason::bad_name);
    EXPECT_EQ(reason_of("sessions: 6379"), SpecReason::bad_port);
    EXPECT_EQ(reason_of("sessions:6379 /6380"), SpecReason::bad_port);
    EXPECT_EQ(reason_of("\tsessions"), SpecReason::bad_name);
    EXPECT_EQ(reason_of("sessions\n"), SpecReason::bad_name);
}

TEST(ConnectionSpec, refuses_empty_lists_and_entries) {
    for (const auto* list : {"", "   ", ",", "a,", ",a", "a,,b", "a, ,b"}) {
        EXPECT_EQ(reason_of(list), SpecReason::empty) << '"' << list << '"';
    }
    EXPECT_EQ(reason_of(":6379"), SpecReason::bad_name);
    EXPECT_NE(message_of("a,,b").find("entry 2 is empty"), std::string::npos);
}

TEST(ConnectionSpec, names_follow_the_rule_for_metadata_name) {
    const std::string longest(40, 'x');
    for (const auto& name : {std::string("a"), std::string("0"), std::string("a-b"), std::string("a--b"), longest}) {
        EXPECT_TRUE(is_connection_name(name)) << name;
    }
    for (const auto& name : {std::string(), std::string("-a"), std::string("a-"), std::string("A"), std::string("a.b"),
                             std::string("a_b"), std::string("ü"), longest + "x", std::string("a\0b", 3)}) {
        EXPECT_FALSE(is_connection_name(name)) << name;
        if (name.empty()) continue;
        EXPECT_EQ(reason_of(name), SpecReason::bad_name) << name;
    }
}

TEST(ConnectionSpec, ports_are_plain_numbers_from_1024_to_65535) {
    for (const auto* port : {"1024", "65535"}) {
        EXPECT_TRUE(parse_connection_list(std::string("a:") + port)) << port;
    }
    for (const auto* port :
         {"", "0", "1023", "65536", "06379", "+6379", "-1", "6379x", "0x18eb", "99999999999999999999", "6379/",
          "6379/0", "6379/80", "6379/6380/6381", "6379:6380", "/6380"}) {
        EXPECT_EQ(reason_of(std::string("a:") + port), SpecReason::bad_port) << port;
    }
    EXPECT_NE(message_of("orders:6390/99").find("readers' port \"99\" of connection \"orders\""), std::string::npos);
}

TEST(ConnectionSpec, refuses_a_name_that_stands_twice) {
    EXPECT_EQ(reason_of("a,b,a"), SpecReason::duplicate);
    EXPECT_EQ(reason_of("a:7000,a:7001"), SpecReason::duplicate);
}

TEST(ConnectionSpec, refuses_more_than_eight) {
    EXPECT_TRUE(parse_connection_list("a,b,c,d,e,f,g,h"));
    EXPECT_EQ(reason_of("a,b,c,d,e,f,g,h,i"), SpecReason::too_many);
    EXPECT_NE(message_of("a,b,c,d,e,f,g,h,i").find("9 connections"), std::string::npos);
}

TEST(ConnectionSpec, refuses_ports_that_clash) {
    EXPECT_EQ(reason_of("a:7000,b:7000"), SpecReason::port_clash);
    EXPECT_EQ(reason_of("a:7000/7000"), SpecReason::port_clash);
    EXPECT_EQ(reason_of("a:7000/7001,b:7001"), SpecReason::port_clash);
    EXPECT_EQ(reason_of("a:7000,b:7001/7000"), SpecReason::port_clash);
    EXPECT_EQ(reason_of("a:6389,b"), SpecReason::port_clash) << "a written port on another's default";
    EXPECT_EQ(reason_of("a:9379"), SpecReason::port_clash) << "the admin port";
    EXPECT_EQ(reason_of("a:7000/9379"), SpecReason::port_clash) << "the admin port";
    EXPECT_EQ(message_of("a:7000,b:7000"),
              "port 7000 is wanted twice: it is the port of connection \"a\" and the port of connection \"b\"; give "
              "one of them another port, as in \"b:PORT\"");
}

TEST(ConnectionSpec, the_admin_port_can_be_moved_or_absent) {
    EXPECT_TRUE(parse_connection_list("a:9379", 9999));
    EXPECT_FALSE(parse_connection_list("a:9999", 9999));
    EXPECT_TRUE(parse_connection_list("a:9379", 0));
}

TEST(ConnectionSpec, messages_quote_input_printable_and_bounded) {
    const auto message = message_of("\x1b[31m" + std::string(5000, 'A'));
    EXPECT_LT(message.size(), 300u);
    EXPECT_EQ(message.find('\x1b'), std::string::npos);
}

TEST(ConnectionSpec, reads_back_what_it_writes) {
    for (const ConnectionSpec& spec : Specs{{"orders", 6390, 6391}, {"sessions", 6379, {}}}) {
        EXPECT_EQ(parse_connection_spec(to_string(spec), 7), spec);
    }
    EXPECT_EQ(to_string(ConnectionSpec{"orders", 6390, 6391}), "orders:6390/6391");
}

TEST(ConnectionSpec, reasons_have_the_contracts_names) {
    EXPECT_EQ(to_string(SpecReason::empty), "Empty");
    EXPECT_EQ(to_string(SpecReason::bad_name), "BadName");
    EXPECT_EQ(to_string(SpecReason::bad_port), "BadPort");
    EXPECT_EQ(to_string(SpecReason::duplicate), "Duplicate");
    EXPECT_EQ(to_string(SpecReason::too_many), "TooMany");
    EXPECT_EQ(to_string(SpecReason::port_clash), "PortClash");
}

}  // namespace
}  // namespace cvp::test
