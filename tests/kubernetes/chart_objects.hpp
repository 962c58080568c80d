#pragma once

#include <string>
#include <vector>

namespace cvp::test {

/// Some objects of the chart, in force for the whole API server as long as this lives. It takes the API server a moment
/// to see that policies and webhooks came or went.
class ChartObjects {
public:
    /// @param templates files of the chart's templates/, for example {"guard.yaml"}
    /// @param arguments more of helm's, for example {"--set", "watchNamespaces={shop}"}
    explicit ChartObjects(const std::vector<std::string>& templates, const std::vector<std::string>& arguments = {});
    ~ChartObjects();
    ChartObjects(const ChartObjects&) = delete;
    ChartObjects& operator=(const ChartObjects&) = delete;

private:
    std::string manifest_;
};

}  // namespace cvp::test
