#include "operator/kube/request_target.hpp"

#include <gtest/gtest.h>

namespace cvp::op {
namespace {

TEST(RequestTarget, lists_with_what_is_set) {
    ListOptions options;
    EXPECT_EQ(list_target(pods("shop", "ignored"), options), "/api/v1/namespaces/shop/pods?limit=500");
    options.label_selector = "a=b,c!=d";
    options.field_selector = "metadata.name=x";
    options.continue_token = "a/b=";
    options.resource_version = "7";
    options.limit = 0;
    EXPECT_EQ(list_target(pods(""), options),
              "/api/v1/pods?labelSelector=a%3Db%2Cc%21%3Dd&fieldSelector=metadata.name%3Dx&continue=a%2Fb%3D&"
              "resourceVersion=7");
}

TEST(RequestTarget, watches_with_bookmarks_and_an_end) {
    WatchOptions options;
    options.resource_version = "42";
    options.label_selector = "a=b";
    options.timeout = std::chrono::seconds(299);
    EXPECT_EQ(watch_target(pods("shop"), options),
              "/api/v1/namespaces/shop/pods?watch=true&allowWatchBookmarks=true&labelSelector=a%3Db&resourceVersion=42&"
              "timeoutSeconds=299");
}

TEST(RequestTarget, asks_for_all_objects_first) {
    WatchOptions options;
    options.send_initial_events = true;
    options.timeout = std::chrono::seconds(299);
    EXPECT_EQ(watch_target(pods("shop"), options),
              "/api/v1/namespaces/shop/pods?watch=true&allowWatchBookmarks=true&sendInitialEvents=true&"
              "resourceVersionMatch=NotOlderThan&timeoutSeconds=299");
}

}  // namespace
}  // namespace cvp::op
