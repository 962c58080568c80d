#pragma once

#include <string>

#include <gtest/gtest.h>

#include "tests/e2e/application.hpp"

namespace cvp::test {

/// A test with a namespace of its own, in which the connection `sessions` leads to the cloud's instance. Where it
/// fails, what there was to see is kept (tests/e2e/collect.sh).
class NodeTest : public testing::Test {
protected:
    /// @param labels of the namespace, as YAML
    explicit NodeTest(const std::string& labels = "{}");

    void SetUp() override;
    void TearDown() override;

    /// Makes `sessions` and waits until it is Ready.
    void connect();
    /// An application that is ready and has begun to write.
    Application start_application(const ApplicationOptions& options = {});
    /// A name of a pod that no other test uses: it is a key at the server, too.
    std::string unique(const std::string& name) const { return name + "-" + name_space_; }

    const std::string& name_space() const { return name_space_; }

private:
    const std::string labels_;
    std::string name_space_;
};

/// The manifest of the connection `sessions`.
std::string sessions_manifest();

/// A manifest of examples/, with the image that there is on the node.
std::string example(const std::string& file);

/// How often the operator's Deployment has how many replicas. Returns once they are ready, or gone.
void scale_operator(int replicas);

}  // namespace cvp::test
