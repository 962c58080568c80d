#pragma once

#include <cstdint>
#include <string>

#include "tests/oracle/program.hpp"
#include "tests/oracle/rng.hpp"

namespace cvp::oracle {

/// One client connection of a pass, never blocking.
class ClientConnection {
public:
    ClientConnection() = default;
    /// Takes over a connected descriptor.
    explicit ClientConnection(int fd);
    ClientConnection(ClientConnection&& other) noexcept;
    ClientConnection& operator=(ClientConnection&& other) noexcept;
    ~ClientConnection();

    bool is_open() const { return fd_ >= 0; }  ///< until both sides ended
    int fd() const { return fd_; }
    const std::string& stream() const { return in_; }
    std::string take_stream() { return std::move(in_); }
    /// Leaves out the first bytes of the stream: what the harness asked for itself.
    void forget(std::size_t bytes) { in_.erase(0, bytes); }

    void queue(std::string bytes, const Part& part);
    bool has_output() const { return sent_ < out_.size(); }
    bool is_stuck() const { return stuck_; }
    bool may_read() const { return !writes_first_ || !has_output(); }
    /// Writes the next piece, if the socket takes it.
    void write_piece();
    /// Reads what is there.
    void read_some();
    /// Whether the text came after the place where the last search ended.
    bool has_seen(const std::string& text);
    void finish_writing();

private:
    void close();

    int fd_ = -1;
    std::string in_;
    std::string out_;
    std::size_t sent_ = 0;
    std::size_t piece_ = 0;
    Rng pieces_{0};
    bool stuck_ = false;
    bool writes_first_ = false;
    std::string searched_;
    std::size_t searched_to_ = 0;
};

}  // namespace cvp::oracle
