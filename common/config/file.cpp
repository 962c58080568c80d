#include "common/config/file.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cvp {
namespace {

/// A descriptor that closes itself.
class File {
public:
    /// Non-blocking, so that a FIFO in a file's place cannot hold us up.
    explicit File(const std::filesystem::path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
    ~File() {
        if (fd_ >= 0) ::close(fd_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    int fd() const { return fd_; }

private:
    int fd_;
};

tl::unexpected<Error> refuse(const std::filesystem::path& path, int system_error) {
    auto code = ErrorCode::internal;
    if (system_error == ENOENT || system_error == ENOTDIR) code = ErrorCode::not_found;
    if (system_error == EACCES || system_error == EPERM) code = ErrorCode::permission_denied;
    return fail(code, path.string() + ": " + std::generic_category().message(system_error));
}

}  // namespace

Result<std::string> load_file(const std::filesystem::path& path, std::size_t max_bytes) {
    const File file(path);
    if (file.fd() < 0) return refuse(path, errno);
    struct stat status {};
    if (::fstat(file.fd(), &status) != 0) return refuse(path, errno);
    if (!S_ISREG(status.st_mode)) return fail(ErrorCode::internal, path.string() + ": Not a regular file");

    std::string content;
    char buffer[16 * 1024];
    while (true) {
        const auto count = ::read(file.fd(), buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return refuse(path, errno);
        if (count == 0) return content;
        content.append(buffer, static_cast<std::size_t>(count));
        if (content.size() > max_bytes) {
            return fail(ErrorCode::resource_exhausted,
                        path.string() + ": larger than " + std::to_string(max_bytes) + " bytes");
        }
    }
}

}  // namespace cvp
