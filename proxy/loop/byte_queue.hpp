#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include <sys/uio.h>

namespace cvp::proxy {

/// Bytes that wait for a socket, first in, first out, in chunks of 16 KiB. Costs nothing while empty: memory goes back
/// chunk by chunk as bytes leave. Not bounded by itself: its users stop reading what they would append.
class ByteQueue {
public:
    ByteQueue();
    ~ByteQueue();
    ByteQueue(const ByteQueue&) = delete;
    ByteQueue& operator=(const ByteQueue&) = delete;

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

    void append(std::string_view bytes);

    /// The bytes of the first chunk; valid until the queue changes.
    std::string_view front() const;

    /// Fills at most `count` vectors with the first bytes, for writev(2).
    /// @return how many were filled
    std::size_t gather(iovec* vectors, std::size_t count) const;

    /// Drops the first `bytes`, at most all.
    void consume(std::size_t bytes);

    void clear();

private:
    struct Chunk;

    std::unique_ptr<Chunk> head_;
    Chunk* tail_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace cvp::proxy
