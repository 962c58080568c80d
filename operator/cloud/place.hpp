#pragma once

#include <string>

#include "common/async/asio.hpp"
#include "common/credentials/metadata_server.hpp"
#include "common/result.hpp"

namespace cvp::op {

/// Where the operator runs: what a short instance name leaves open.
struct Place {
    std::string project;
    std::string location;  ///< a region

    bool operator==(const Place&) const = default;
};

/// Knows the place. Implemented by `MetadataPlace`; tests put a fake here.
class PlaceSource {
public:
    virtual ~PlaceSource() = default;

    /// @errors as MetadataServer's
    virtual Awaitable<Result<Place>> find() = 0;
};

/// Asks the metadata server, and remembers what it said for ever: a cluster does not move.
///
/// Owner: the App; `server` outlives it. Calls may overlap.
class MetadataPlace final : public PlaceSource {
public:
    explicit MetadataPlace(MetadataServer& server) : server_(server) {}

    Awaitable<Result<Place>> find() override;

private:
    MetadataServer& server_;
    Place known_;
};

}  // namespace cvp::op
