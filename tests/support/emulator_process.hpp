#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/result.hpp"
#include "tests/support/process.hpp"

namespace cvp::test {

/// Where an instance's Valkey is at its start.
struct EmulatedInstance {
    std::string host;
    std::uint16_t port = 0;
    std::string reader_host;
    std::uint16_t reader_port = 0;
    std::filesystem::path ca_file;
};

/// A running cloud-valkey-emulator and its admin API (tests/emulator/admin_api.hpp says what it can do).
///
/// Owner: a test. The emulator and its Valkeys end with the object.
class EmulatorProcess {
public:
    /// Starts the binary with `--dir dir` and the given further arguments and waits until it is ready.
    /// @errors as Process::start; `unavailable` with the end of its log
    static Result<EmulatorProcess> start(const std::filesystem::path& binary, const std::filesystem::path& dir,
                                         const std::vector<std::string>& arguments);

    const std::string& rest_base() const { return rest_base_; }          ///< "http://127.0.0.1:port"
    const std::string& metadata_host() const { return metadata_host_; }  ///< "127.0.0.1:port", for GCE_METADATA_HOST
    std::uint16_t admin_port() const { return admin_port_; }
    /// Where the instance was at the start. Throws std::out_of_range for one without a Valkey.
    const EmulatedInstance& instance(const std::string& full_name) const;

    /// Where a front of --front is: "front-1", …; its address and CA. Throws std::out_of_range.
    const EmulatedInstance& front(const std::string& name) const;

    /// One call of the admin API: its JSON answer.
    /// @errors `invalid_argument` with its error text for any status but 200; as http_call
    Result<nlohmann::json> admin(const std::string& method, const std::string& path, const nlohmann::json& body) const;
    Result<nlohmann::json> admin(const std::string& method, const std::string& path) const;

    /// A command on a Valkey of an instance, as its administrator; the reply as JSON.
    Result<nlohmann::json> command(const std::string& full_name, const std::vector<std::string>& words,
                                   const std::string& node = "primary") const;
    /// Mints a token: from now on a login and a bearer.
    Result<std::string> mint(std::optional<std::chrono::seconds> lifetime = std::nullopt) const;
    /// Every token that was ever minted, for a search that must find none of them.
    Result<std::vector<std::string>> tokens() const;
    /// How many calls of "rest instances.get", "metadata instance/service-accounts/default/token", … came.
    Result<std::uint64_t> calls(const std::string& surface_and_kind) const;

    Process& process() { return process_; }
    std::filesystem::path log_file() const { return process_.log_file(); }

private:
    explicit EmulatorProcess(Process process) : process_(std::move(process)) {}

    Process process_;
    std::string rest_base_;
    std::string metadata_host_;
    std::uint16_t admin_port_ = 0;
    std::vector<std::pair<std::string, EmulatedInstance>> instances_;
    std::vector<std::pair<std::string, EmulatedInstance>> fronts_;
};

}  // namespace cvp::test
