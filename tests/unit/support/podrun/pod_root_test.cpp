#include "tests/support/podrun/pod_root.hpp"

#include <map>

#include <gtest/gtest.h>

namespace cvp::test::podrun {
namespace {

using Kind = DirectoryEntry::Kind;
using Listing = std::map<std::string, std::vector<DirectoryEntry>>;

ListDirectory listing(const Listing& directories) {
    return [directories](const std::string& directory) {
        const auto found = directories.find(directory);
        EXPECT_NE(found, directories.end()) << "asked for " << directory << " without need";
        return found == directories.end() ? std::vector<DirectoryEntry>() : found->second;
    };
}

/// "mkdir /etc; bind /usr; link /bin=usr/bin; file /x; "
std::string script(const std::vector<RootStep>& steps) {
    std::string text;
    for (const auto& step : steps) {
        switch (step.kind) {
            case RootStep::Kind::make_directory:
                text += "mkdir " + step.path;
                break;
            case RootStep::Kind::make_file:
                text += "file " + step.path;
                break;
            case RootStep::Kind::link:
                text += "link " + step.path + "=" + step.from;
                break;
            case RootStep::Kind::bind:
                text += "bind " + step.path;
                break;
        }
        text += "; ";
    }
    return text;
}

TEST(PodRootPlan, binds_what_is_there_and_makes_what_is_missing_on_the_way) {
    const auto list =
        listing({{"/", {{"bin", Kind::link, "usr/bin"}, {"etc", Kind::directory, ""}, {"usr", Kind::directory, ""}}},
                 {"/etc", {{"hosts", Kind::file, ""}, {"ssl", Kind::directory, ""}}}});
    EXPECT_EQ(script(plan_root({"/etc/cloudvalkey/a", "/etc/cloudvalkey/b"}, {"/cloud-valkey-proxy"}, list)),
              "link /bin=usr/bin; "
              "mkdir /etc; file /etc/hosts; bind /etc/hosts; mkdir /etc/ssl; bind /etc/ssl; "
              "mkdir /etc/cloudvalkey; mkdir /etc/cloudvalkey/a; mkdir /etc/cloudvalkey/b; "
              "mkdir /usr; bind /usr; "
              "file /cloud-valkey-proxy; ");
}

TEST(PodRootPlan, makes_a_long_way_from_where_the_host_ends) {
    const auto list = listing({{"/", {{"run", Kind::directory, ""}}}, {"/run", {{"lock", Kind::directory, ""}}}});
    EXPECT_EQ(
        script(plan_root({"/run/secrets/kubernetes.io/serviceaccount"}, {}, list)),
        "mkdir /run; mkdir /run/lock; bind /run/lock; "
        "mkdir /run/secrets; mkdir /run/secrets/kubernetes.io; mkdir /run/secrets/kubernetes.io/serviceaccount; ");
}

TEST(PodRootPlan, leaves_places_that_exist_as_they_are) {
    const auto list = listing({{"/", {{"run", Kind::directory, ""}, {"proxy", Kind::file, ""}}},
                               {"/run", {{"cloudvalkey", Kind::directory, ""}}}});
    EXPECT_EQ(script(plan_root({"/run/cloudvalkey"}, {"/proxy"}, list)),
              "mkdir /run; mkdir /run/cloudvalkey; bind /run/cloudvalkey; file /proxy; bind /proxy; ");
}

TEST(PodRootPlan, is_not_confused_by_names_that_begin_alike) {
    const auto list = listing({{"/", {{"etc", Kind::directory, ""}, {"etcetera", Kind::directory, ""}}}, {"/etc", {}}});
    EXPECT_EQ(script(plan_root({"/etc/x"}, {}, list)), "mkdir /etc; mkdir /etc/x; mkdir /etcetera; bind /etcetera; ");
}

}  // namespace
}  // namespace cvp::test::podrun
