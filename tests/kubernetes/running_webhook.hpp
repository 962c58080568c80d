#pragma once

#include <memory>
#include <string>

#include "tests/kubernetes/webhook_configuration.hpp"

namespace cvp::test {

/// The operator's webhook and the keeper of its certificates, running on a thread of their own as the chart's
/// ServiceAccount with the chart's rights, and the webhook configuration that calls them.
///
/// The constructor returns once the API server trusts the webhook. Throws where it does not.
class RunningWebhook {
public:
    RunningWebhook();
    ~RunningWebhook();

    /// Whether the API server trusts it at present.
    bool is_trusted() const;

    /// The counters of answered reviews, as /metrics shows them.
    std::string counters() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
    std::unique_ptr<WebhookConfiguration> configuration_;
};

}  // namespace cvp::test
