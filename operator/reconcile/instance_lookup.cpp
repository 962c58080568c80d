#include "operator/reconcile/instance_lookup.hpp"

#include <utility>

#include <fmt/core.h>

#include "common/printable.hpp"

namespace cvp::op {

using providers::InstanceName;
using providers::Reason;
using providers::Refusal;
using providers::Resolved;
namespace memorystore = providers::memorystore;

Awaitable<Resolved<InstanceName>> InstanceLookup::find_name(std::string name) {
    Place place;
    if (providers::is_short_name(name)) {
        auto found = co_await place_.find();
        if (!found) {
            co_return tl::unexpected(Refusal{
                Reason::cloud_unavailable,
                fmt::format("{} is a short name, and project and location are not known: {}; give the full name "
                            "projects/PROJECT/locations/LOCATION/instances/INSTANCE",
                            in_quotes(name), found.error().context),
                std::nullopt});
        }
        place = std::move(*found);
    }
    auto parsed = providers::parse_instance_name(name, place.project, place.location);
    if (parsed) co_return std::move(*parsed);
    co_return tl::unexpected(Refusal{Reason::instance_not_found, std::move(parsed).error().context, std::nullopt});
}

Awaitable<Resolved<http::Response>> InstanceLookup::ask(InstanceName name, std::string target) {
    auto response = co_await cloud_.get(std::move(target));
    if (response) co_return std::move(*response);
    co_return tl::unexpected(providers::interpret_transport_error(response.error(), memorystore::describe_call(name)));
}

Awaitable<Resolved<memorystore::InstanceFacts>> InstanceLookup::fetch_instance(InstanceName name) {
    const auto response = co_await ask(name, memorystore::instance_target(name));
    if (!response) co_return tl::unexpected(response.error());
    co_return memorystore::interpret_instance(*response, name);
}

Awaitable<Resolved<std::string>> InstanceLookup::fetch_ca(InstanceName name, std::string target) {
    const auto response = co_await ask(name, std::move(target));
    if (!response) co_return tl::unexpected(response.error());
    co_return memorystore::interpret_ca(*response, name);
}

}  // namespace cvp::op
