#include "operator/cloud/place.hpp"

#include <utility>

namespace cvp::op {

Awaitable<Result<Place>> MetadataPlace::find() {
    if (known_.project.empty()) {
        auto project = co_await server_.fetch_project_id();
        if (!project) co_return fail(std::move(project).error());
        known_.project = std::move(*project);
    }
    if (known_.location.empty()) {
        auto region = co_await server_.fetch_region();
        if (!region) co_return fail(std::move(region).error());
        known_.location = std::move(*region);
    }
    co_return known_;
}

}  // namespace cvp::op
