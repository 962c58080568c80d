#include "common/secret.hpp"

#include <sstream>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

namespace cvp {
namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) {
    out << value;
};

TEST(Secret, has_no_way_to_be_printed) {
    static_assert(!Printable<Secret>);
    static_assert(!std::is_convertible_v<Secret, std::string>);
    static_assert(!std::is_convertible_v<std::string, Secret>);
}

TEST(Secret, reveals_what_it_was_given) {
    const Secret secret("canary");
    EXPECT_EQ(secret.reveal(), "canary");
    EXPECT_FALSE(secret.empty());
    EXPECT_TRUE(Secret().empty());
}

TEST(Secret, compares_by_value) {
    EXPECT_EQ(Secret("a"), Secret("a"));
    EXPECT_NE(Secret("a"), Secret("b"));
    EXPECT_NE(Secret("a"), Secret("ab"));
    EXPECT_EQ(Secret(), Secret(""));
}

TEST(Secret, leaves_nothing_where_it_was_moved_from) {
    for (const std::string& text : {std::string("short"), std::string(100, 'x')}) {
        Secret from(text);
        const char* place = from.reveal().data();
        Secret to(std::move(from));
        EXPECT_EQ(to.reveal(), text);
        EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that is the point
        if (text.size() < 16) {
            EXPECT_NE(std::string_view(place, text.size()), text) << "the inline bytes are wiped";
        }
        Secret assigned("old");
        assigned = std::move(to);
        EXPECT_EQ(assigned.reveal(), text);
        EXPECT_TRUE(to.empty());  // NOLINT(bugprone-use-after-move)
    }
}

TEST(Secret, copies_are_independent) {
    Secret one("canary");
    Secret two = one;
    one = Secret("other");
    EXPECT_EQ(two.reveal(), "canary");
    two = two;  // NOLINT(clang-diagnostic-self-assign-overloaded)
    EXPECT_EQ(two.reveal(), "canary");
}

}  // namespace
}  // namespace cvp
