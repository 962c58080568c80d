#include "proxy/loop/byte_queue.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

std::string drain(ByteQueue& queue) {
    std::string all;
    while (!queue.empty()) {
        all += queue.front();
        queue.consume(queue.front().size());
    }
    return all;
}

TEST(ByteQueue, hands_out_what_was_put_in) {
    ByteQueue queue;
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.front(), "");
    queue.append("one ");
    queue.append("two");
    EXPECT_EQ(queue.size(), 7u);
    EXPECT_EQ(queue.front(), "one two");
    queue.consume(2);
    EXPECT_EQ(drain(queue), "e two");
}

TEST(ByteQueue, keeps_order_over_many_chunks_in_pieces_of_any_size) {
    std::mt19937 random(20261120);
    ByteQueue queue;
    std::string in, out;
    for (int step = 0; step < 2000; ++step) {
        std::string piece(random() % 40'000, char('a' + step % 26));
        in += piece;
        queue.append(piece);
        std::array<iovec, 3> vectors{};
        const auto filled = queue.gather(vectors.data(), vectors.size());
        std::size_t budget = random() % 60'000;
        for (std::size_t i = 0; i < filled && budget > 0; ++i) {
            const auto part = std::min(budget, vectors[i].iov_len);
            out.append(static_cast<const char*>(vectors[i].iov_base), part);
            budget -= part;
            queue.consume(part);
            if (part < vectors[i].iov_len) break;
        }
        ASSERT_EQ(queue.size(), in.size() - out.size());
    }
    out += drain(queue);
    EXPECT_TRUE(in == out);
}

TEST(ByteQueue, consumes_no_more_than_it_has_and_can_be_used_again) {
    ByteQueue queue;
    queue.append(std::string(100'000, 'x'));
    queue.consume(1'000'000);
    EXPECT_TRUE(queue.empty());
    queue.append("again");
    EXPECT_EQ(drain(queue), "again");
}

TEST(ByteQueue, ends_a_long_chain_without_deep_recursion) {
    ByteQueue queue;
    queue.append(std::string(256u << 20, 'x'));  // 16,000 chunks
    queue.clear();
    EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace cvp::proxy
