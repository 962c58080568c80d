#include "proxy/loop/byte_queue.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace cvp::proxy {

struct ByteQueue::Chunk {
    static constexpr std::size_t kBytes = 16 * 1024 - 64;  // with its header and malloc's: within 16 KiB

    std::unique_ptr<Chunk> next;
    std::size_t begin = 0;
    std::size_t end = 0;
    std::array<char, kBytes> bytes;  // not initialised on purpose: begin and end say what is there
};

ByteQueue::ByteQueue() = default;

ByteQueue::~ByteQueue() {
    clear();  // one by one: a chain of unique_ptr would end itself by recursion
}

void ByteQueue::append(std::string_view bytes) {
    size_ += bytes.size();
    while (!bytes.empty()) {
        if (tail_ == nullptr || tail_->end == Chunk::kBytes) {
            std::unique_ptr<Chunk> chunk(new Chunk);
            auto& place = tail_ == nullptr ? head_ : tail_->next;
            place = std::move(chunk);
            tail_ = place.get();
        }
        const auto part = std::min(bytes.size(), Chunk::kBytes - tail_->end);
        std::memcpy(tail_->bytes.data() + tail_->end, bytes.data(), part);
        tail_->end += part;
        bytes.remove_prefix(part);
    }
}

std::string_view ByteQueue::front() const {
    if (!head_) return {};
    return {head_->bytes.data() + head_->begin, head_->end - head_->begin};
}

std::size_t ByteQueue::gather(iovec* vectors, std::size_t count) const {
    std::size_t filled = 0;
    for (Chunk* chunk = head_.get(); chunk != nullptr && filled < count; chunk = chunk->next.get()) {
        vectors[filled++] = {chunk->bytes.data() + chunk->begin, chunk->end - chunk->begin};
    }
    return filled;
}

void ByteQueue::consume(std::size_t bytes) {
    bytes = std::min(bytes, size_);
    size_ -= bytes;
    while (bytes > 0) {
        const auto part = std::min(bytes, head_->end - head_->begin);
        head_->begin += part;
        bytes -= part;
        if (head_->begin == head_->end) head_ = std::move(head_->next);
    }
    if (!head_) tail_ = nullptr;
}

void ByteQueue::clear() {
    consume(size_);
}

}  // namespace cvp::proxy
