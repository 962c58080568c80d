#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/result.hpp"

namespace cvp::op {

/// How a run of kubectl ended.
struct KubectlAnswer {
    int status = 0;  ///< its exit code
    std::string out;
    std::string err;

    bool is_ok() const { return status == 0; }
};

/// The user's own kubectl: the plugin asks the cluster through it, and so has every way to log in that he has (exec
/// plugins, OIDC, proxies), his context and his rights.
class Kubectl {
public:
    virtual ~Kubectl() = default;

    /// Runs it to its end with `input` as its standard input. A kubectl that cannot be started ends with 127 and says
    /// why on `err`.
    virtual KubectlAnswer run(const std::vector<std::string>& arguments, const std::string& input = {}) = 0;

    /// Runs it with --output=json.
    /// @errors not_found for an object or a kind that is not there; unavailable with kubectl's words for all else
    Result<nlohmann::json> get(std::vector<std::string> arguments, const std::string& input = {});
};

/// The program that stands on PATH.
class KubectlProgram final : public Kubectl {
public:
    /// @param flags put before every call's: --context, --kubeconfig
    explicit KubectlProgram(std::vector<std::string> flags = {}) : flags_(std::move(flags)) {}

    KubectlAnswer run(const std::vector<std::string>& arguments, const std::string& input = {}) override;

private:
    std::vector<std::string> flags_;
};

}  // namespace cvp::op
