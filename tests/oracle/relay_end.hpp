#pragma once

#include <string>
#include <string_view>

namespace cvp::oracle {

/// One side of a relayed connection: a descriptor, what came and what is to go. Never blocks, never stops taking.
class RelayEnd {
public:
    RelayEnd() = default;
    explicit RelayEnd(int fd);
    RelayEnd(RelayEnd&& other) noexcept;
    RelayEnd& operator=(RelayEnd&& other) noexcept;
    ~RelayEnd();

    int fd() const { return fd_; }
    bool is_open() const { return fd_ >= 0; }
    bool has_ended() const { return ended_; }  ///< the peer says no more
    bool has_output() const { return !out_.empty(); }

    std::string& input() { return in_; }
    void send(std::string_view bytes) { out_.append(bytes); }
    /// Says "no more" once all is written.
    void finish() { finishing_ = true; }

    void read();
    void write();
    void close();

private:
    int fd_ = -1;
    std::string in_;
    std::string out_;
    bool ended_ = false;
    bool finishing_ = false;
};

/// A connected unix socket, or -1.
int connect_unix(const std::string& path);

}  // namespace cvp::oracle
