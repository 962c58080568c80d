#include "proxy/loop/record_buffers.hpp"

#include <cstdlib>

#include <malloc.h>
#include <openssl/crypto.h>

namespace cvp::proxy {

namespace {

/// A record of 16 KiB with its header and what encryption and alignment add: up to 16.8 KiB.
constexpr std::size_t kLeast = std::size_t{16} * 1024;
constexpr std::size_t kMost = std::size_t{18} * 1024;

bool is_record_size(std::size_t size) {
    return size >= kLeast && size <= kMost;
}

RecordBuffers& openssl_memory() {
    static auto* const memory = new RecordBuffers;  // OpenSSL gives back more at the process's very end
    return *memory;
}

}  // namespace

RecordBuffers::~RecordBuffers() {
    for (auto& place : kept_)
        std::free(place.load());
}

void* RecordBuffers::allocate(std::size_t size) {
    if (size == 0) return nullptr;
    if (is_record_size(size)) {
        for (auto& place : kept_) {
            void* chunk = place.exchange(nullptr, std::memory_order_acquire);
            if (chunk == nullptr) continue;
            if (::malloc_usable_size(chunk) >= size) return chunk;
            std::free(chunk);
        }
    }
    return std::malloc(size);
}

void RecordBuffers::release(void* chunk) {
    if (chunk == nullptr) return;
    if (is_record_size(::malloc_usable_size(chunk))) {
        for (auto& place : kept_) {
            void* nothing = nullptr;
            if (place.compare_exchange_strong(nothing, chunk, std::memory_order_release)) return;
        }
    }
    std::free(chunk);
}

void keep_record_buffers() {
    openssl_memory();
    CRYPTO_set_mem_functions([](std::size_t size, const char*, int) { return openssl_memory().allocate(size); },
                             [](void* chunk, std::size_t size, const char*, int) {
                                 if (size > 0) return std::realloc(chunk, size);
                                 openssl_memory().release(chunk);
                                 return static_cast<void*>(nullptr);
                             },
                             [](void* chunk, const char*, int) { openssl_memory().release(chunk); });
}

}  // namespace cvp::proxy
