#pragma once

#include <array>
#include <atomic>
#include <cstddef>

namespace cvp::proxy {

/// Memory as malloc gives it, but for the buffers of TLS records, of which two are always at hand. So that an idle
/// connection owns none, OpenSSL takes one for each record that it reads or writes and gives it back at once
/// (SSL_MODE_RELEASE_BUFFERS); 16 KiB are more than malloc's own cache of small chunks is for, and its search costs a
/// hundredth of a request.
///
/// A handshake asks for memory some thousand times, so all that is not such a buffer must pass at the cost of a
/// comparison.
///
/// Any thread may use it: cpprestsdk's do.
class RecordBuffers {
public:
    constexpr RecordBuffers() = default;
    RecordBuffers(const RecordBuffers&) = delete;
    RecordBuffers& operator=(const RecordBuffers&) = delete;

    /// @return null where there is no memory, and for 0 bytes
    void* allocate(std::size_t size);
    /// As realloc(3), of a chunk of either kind.
    void* reallocate(void* chunk, std::size_t size);
    /// @param chunk of allocate() or malloc; null does nothing
    void release(void* chunk);

private:
    /// A record of 16 KiB with its header and what encryption and alignment add: up to 16.8 KiB.
    static constexpr std::size_t kLeast = std::size_t{16} * 1024;
    static constexpr std::size_t kMost = std::size_t{18} * 1024;
    struct alignas(std::max_align_t) Buffer {
        std::array<std::byte, kMost> bytes;
    };

    bool owns(const void* chunk) const;

    std::array<Buffer, 2> buffers_{};  ///< one to read, one to write
    std::array<std::atomic<bool>, 2> taken_{};
};

/// Gives OpenSSL its memory through RecordBuffers. Without effect once anything of OpenSSL was called.
void keep_record_buffers();

}  // namespace cvp::proxy
