#include "proxy/loop/record_buffers.hpp"

#include <cstdlib>
#include <cstring>

#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

constexpr std::size_t kRecord = 16'709;

TEST(RecordBuffersTest, gives_the_last_records_buffer_again) {
    RecordBuffers buffers;
    void* const first = buffers.allocate(kRecord);
    void* const second = buffers.allocate(kRecord);
    ASSERT_NE(first, second);
    buffers.release(first);
    buffers.release(second);
    EXPECT_EQ(buffers.allocate(kRecord), first);
    EXPECT_EQ(buffers.allocate(kRecord), second);
    buffers.release(first);
    buffers.release(second);
}

TEST(RecordBuffersTest, gives_no_buffer_that_is_too_small) {
    RecordBuffers buffers;
    buffers.release(buffers.allocate(16'500));
    void* const chunk = buffers.allocate(17'500);
    std::memset(chunk, 1, 17'500);  // the address sanitizer looks on
    buffers.release(chunk);
}

TEST(RecordBuffersTest, keeps_two_and_no_memory_of_other_sizes) {
    RecordBuffers buffers;
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{1'000}, kRecord, kRecord, kRecord, std::size_t{70'000}}) {
        void* const chunk = std::malloc(size);
        buffers.release(chunk);  // the leak checker looks on: what is not kept is free
    }
    EXPECT_EQ(buffers.allocate(0), nullptr);
    buffers.release(nullptr);
}

}  // namespace
}  // namespace cvp::proxy
