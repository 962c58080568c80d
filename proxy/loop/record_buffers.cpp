#include "proxy/loop/record_buffers.hpp"

#include <cstdlib>
#include <cstring>
#include <functional>

#include <openssl/crypto.h>

namespace cvp::proxy {

namespace {

/// Not an object of main()'s: OpenSSL gives back more at the process's very end.
constinit RecordBuffers openssl_memory;

}  // namespace

bool RecordBuffers::owns(const void* chunk) const {
    const void* const begin = buffers_.data();
    const void* const end = buffers_.data() + buffers_.size();
    return !std::less<>()(chunk, begin) && std::less<>()(chunk, end);
}

void* RecordBuffers::allocate(std::size_t size) {
    if (size == 0) return nullptr;
    if (size >= kLeast && size <= kMost) {
        for (std::size_t i = 0; i < buffers_.size(); ++i)
            if (!taken_[i].exchange(true, std::memory_order_acquire)) return &buffers_[i];
    }
    return std::malloc(size);
}

void* RecordBuffers::reallocate(void* chunk, std::size_t size) {
    if (!owns(chunk)) {
        if (size > 0) return std::realloc(chunk, size);
        std::free(chunk);
        return nullptr;
    }
    if (size > 0 && size <= kMost) return chunk;
    void* const moved = size > 0 ? std::malloc(size) : nullptr;
    if (size > 0 && moved == nullptr) return nullptr;
    if (moved != nullptr) std::memcpy(moved, chunk, kMost);
    release(chunk);
    return moved;
}

void RecordBuffers::release(void* chunk) {
    if (!owns(chunk)) return std::free(chunk);
    const auto place = static_cast<std::size_t>(static_cast<Buffer*>(chunk) - buffers_.data());
    taken_[place].store(false, std::memory_order_release);
}

void keep_record_buffers() {
    CRYPTO_set_mem_functions(
        [](std::size_t size, const char*, int) { return openssl_memory.allocate(size); },
        [](void* chunk, std::size_t size, const char*, int) { return openssl_memory.reallocate(chunk, size); },
        [](void* chunk, const char*, int) { openssl_memory.release(chunk); });
}

}  // namespace cvp::proxy
