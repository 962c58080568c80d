#include "proxy/loop/record_buffers.hpp"

#include <cstdlib>
#include <cstring>
#include <memory>

#include <gtest/gtest.h>

namespace cvp::proxy {
namespace {

constexpr std::size_t kRecord = 16'709;

/// They are 36 KiB.
class RecordBuffersTest : public testing::Test {
protected:
    std::unique_ptr<RecordBuffers> buffers_ = std::make_unique<RecordBuffers>();
};

TEST_F(RecordBuffersTest, gives_the_last_records_buffer_again) {
    void* const first = buffers_->allocate(kRecord);
    void* const second = buffers_->allocate(kRecord);
    ASSERT_NE(first, second);
    buffers_->release(first);
    buffers_->release(second);
    EXPECT_EQ(buffers_->allocate(kRecord), first);
    EXPECT_EQ(buffers_->allocate(kRecord), second);
    buffers_->release(first);
    buffers_->release(second);
}

TEST_F(RecordBuffersTest, gives_mallocs_memory_beyond_two_and_for_other_sizes) {
    void* const first = buffers_->allocate(kRecord);
    void* const second = buffers_->allocate(kRecord);
    for (const std::size_t size : {std::size_t{1}, std::size_t{1'000}, kRecord, std::size_t{70'000}}) {
        void* const chunk = buffers_->allocate(size);
        std::memset(chunk, 1, size);  // the address sanitizer looks on
        buffers_->release(chunk);     // and the leak checker: what is not at hand is free
    }
    buffers_->release(std::malloc(kRecord));
    buffers_->release(first);
    buffers_->release(second);
    EXPECT_EQ(buffers_->allocate(0), nullptr);
    buffers_->release(nullptr);
}

TEST_F(RecordBuffersTest, a_buffer_that_outgrows_its_place_moves_with_what_is_in_it) {
    auto* const buffer = static_cast<char*>(buffers_->allocate(kRecord));
    std::strcpy(buffer, "record");
    EXPECT_EQ(buffers_->reallocate(buffer, kRecord + 100), buffer);
    auto* moved = static_cast<char*>(buffers_->reallocate(buffer, 40'000));
    ASSERT_NE(moved, buffer);
    EXPECT_STREQ(moved, "record");
    EXPECT_EQ(buffers_->allocate(kRecord), buffer) << "its place is free again";
    moved = static_cast<char*>(buffers_->reallocate(moved, 80'000));
    EXPECT_STREQ(moved, "record");
    EXPECT_EQ(buffers_->reallocate(moved, 0), nullptr);
    EXPECT_EQ(buffers_->reallocate(buffer, 0), nullptr);
    EXPECT_EQ(buffers_->allocate(kRecord), buffer);
    buffers_->release(buffer);
}

}  // namespace
}  // namespace cvp::proxy
