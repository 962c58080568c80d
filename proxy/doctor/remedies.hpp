#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/doctor/diagnosis.hpp"

namespace cvp::proxy {

/// Commands that mend what the doctor finds, for the project, identity and instance at hand; what is not known stands
/// in capitals for the reader to fill in.
class Remedies {
public:
    /// @param instance its full name, where it is known
    Remedies(const Patient& patient, const ConnectionView& connection, std::string email, std::string instance);

    std::string enable_api() const;
    std::string grant(std::string_view role) const;
    std::string list_instances() const;
    std::string describe_instance() const;
    std::string ask_for_token() const;
    std::string link_service_account() const;
    std::string resolve_anew() const;
    std::string give_password() const;
    std::string look_up(std::string_view host) const;
    std::string compare_clocks() const;
    std::string open_port(std::string_view host, std::uint16_t port) const;
    /// Shows both networks, this machine's and the instance's, and what makes an endpoint in another one.
    std::string join_network(std::string_view host, std::uint16_t port) const;

private:
    static constexpr std::string_view kNoInstance = "INSTANCE";

    bool is_injected() const;
    bool is_of_google() const { return short_instance_ != kNoInstance; }

    Patient patient_;
    std::string name_;   ///< of the connection
    std::string email_;  ///< of the identity
    std::string short_instance_;
};

}  // namespace cvp::proxy
