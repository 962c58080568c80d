#pragma once

#include <string>

namespace cvp::test {

/// The chart's webhook configuration, in force for the whole API server as long as the object lives.
class WebhookConfiguration {
public:
    /// @param url where the operator's webhook listens, "https://127.0.0.1:PORT/mutate-pods"
    explicit WebhookConfiguration(const std::string& url);
    ~WebhookConfiguration();
    WebhookConfiguration(const WebhookConfiguration&) = delete;
    WebhookConfiguration& operator=(const WebhookConfiguration&) = delete;
};

}  // namespace cvp::test
