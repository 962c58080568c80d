#pragma once

#include <array>
#include <atomic>
#include <cstddef>

namespace cvp::proxy {

/// Memory as malloc gives it, with the last buffers of one TLS record kept at hand. So that an idle connection owns
/// none, OpenSSL takes one for each record that it reads or writes and gives it back at once
/// (SSL_MODE_RELEASE_BUFFERS); 16 KiB are more than malloc's own cache of small chunks is for, and its search costs a
/// hundredth of a request.
///
/// Any thread may use it: cpprestsdk's do.
class RecordBuffers {
public:
    RecordBuffers() = default;
    ~RecordBuffers();
    RecordBuffers(const RecordBuffers&) = delete;
    RecordBuffers& operator=(const RecordBuffers&) = delete;

    /// @return null where there is no memory, and for 0 bytes
    void* allocate(std::size_t size);
    /// @param chunk of malloc's; null does nothing
    void release(void* chunk);

private:
    std::array<std::atomic<void*>, 2> kept_{};  ///< one to read, one to write
};

/// Gives OpenSSL its memory through RecordBuffers. Without effect once anything of OpenSSL was called.
void keep_record_buffers();

}  // namespace cvp::proxy
