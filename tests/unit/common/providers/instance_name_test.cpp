#include "common/providers/instance_name.hpp"

#include <gtest/gtest.h>

namespace cvp::test {
namespace {

using namespace providers;

std::string fault_of(std::string_view name, std::string_view project = "p", std::string_view location = "us-central1") {
    const auto parsed = parse_instance_name(name, project, location);
    EXPECT_FALSE(parsed) << name;
    if (parsed) return "";
    EXPECT_EQ(parsed.error().code, ErrorCode::invalid_argument);
    return parsed.error().context;
}

TEST(InstanceName, a_short_name_takes_project_and_location_from_elsewhere) {
    EXPECT_TRUE(is_short_name("my-valkey"));
    const auto parsed = parse_instance_name("my-valkey", "my-project", "us-central1");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, (InstanceName{"my-project", "us-central1", "my-valkey"}));
    EXPECT_EQ(parsed->full(), "projects/my-project/locations/us-central1/instances/my-valkey");
}

TEST(InstanceName, a_full_name_needs_nothing_else) {
    const auto* full = "projects/example.com:p1/locations/europe-west4/instances/i";
    EXPECT_FALSE(is_short_name(full));
    const auto parsed = parse_instance_name(full, "", "");
    ASSERT_TRUE(parsed) << parsed.error().context;
    EXPECT_EQ(parsed->full(), full);
    EXPECT_TRUE(parse_instance_name("projects/123456/locations/us-east1/instances/i", "other", "other"));
}

TEST(InstanceName, refuses_with_the_form_it_must_have) {
    EXPECT_EQ(fault_of(""), "the name of the instance is empty");
    EXPECT_EQ(fault_of("my-valkey", "", "us-central1"),
              "\"my-valkey\" is a short name and needs a project and a location; give the full name "
              "projects/PROJECT/locations/LOCATION/instances/INSTANCE");
    EXPECT_NE(fault_of("my-valkey", "p", "").find("short name"), std::string::npos);
    for (const auto* name :
         {"projects/p", "a/b", "projects/p/locations/l/instances/i/", "/projects/p/locations/l/instances/i",
          "projects/p/locations/l/clusters/i", "https://x/projects/p/locations/l/instances/i"}) {
        EXPECT_NE(fault_of(name).find("projects/PROJECT/locations/LOCATION/instances/INSTANCE"), std::string::npos);
    }
}

TEST(InstanceName, every_part_is_safe_in_a_url) {
    for (const auto* name : {"My", "1a", "-a", "a-", "a.b", "a b", "a%2f", "a?x", "a#", "..", "ü"}) {
        EXPECT_NE(fault_of(name).find("is not the name of an instance"), std::string::npos) << name;
    }
    EXPECT_TRUE(parse_instance_name(std::string(63, 'a'), "p", "l1"));
    EXPECT_NE(fault_of(std::string(64, 'a')).find("is not the name"), std::string::npos);
    for (const auto* project : {"P", "a b", "..", "a..b", "a?b", "-a", "%41"}) {
        EXPECT_NE(fault_of("i", project).find("is not a Google Cloud project"), std::string::npos) << project;
    }
    for (const auto* location : {"US", "us central1", "..", "us-central1?x=1", "1a"}) {
        EXPECT_NE(fault_of("i", "p", location).find("is not a location"), std::string::npos) << location;
    }
    EXPECT_NE(fault_of("projects/../locations/../instances/i").find("is not a Google"), std::string::npos);
    EXPECT_NE(fault_of("projects//locations/l/instances/i").find("is not a Google"), std::string::npos);
}

TEST(InstanceName, a_zone_is_told_from_a_region) {
    EXPECT_EQ(fault_of("i", "p", "us-central1-a"),
              "\"us-central1-a\" is a zone; instances live in a region such as us-central1");
}

}  // namespace
}  // namespace cvp::test
