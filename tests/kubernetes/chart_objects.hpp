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

/// A CRD of others, for objects of the chart that need it, as far as the API server looks at it here: it takes
/// anything. It is served as long as this lives.
class LaxCrd {
public:
    /// Throws if the API server does not take it.
    LaxCrd(const std::string& group, const std::string& plural, const std::string& kind);
    ~LaxCrd();
    LaxCrd(const LaxCrd&) = delete;
    LaxCrd& operator=(const LaxCrd&) = delete;

private:
    std::string name_;
};

}  // namespace cvp::test
