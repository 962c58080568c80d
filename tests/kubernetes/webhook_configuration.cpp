#include "tests/kubernetes/webhook_configuration.hpp"

#include <stdexcept>

#include "tests/kubernetes/chart.hpp"
#include "tests/kubernetes/environment.hpp"

namespace cvp::test {

WebhookConfiguration::WebhookConfiguration(const std::string& url) {
    const auto manifest = render_chart({"--show-only", "templates/webhook.yaml", "--set", "webhook.url=" + url});
    const auto applied = control_plane().kubectl({"apply", "--server-side", "--filename=-"}, manifest);
    if (!applied) throw std::runtime_error(applied.error().context);
}

WebhookConfiguration::~WebhookConfiguration() {
    (void)control_plane().kubectl({"delete", "mutatingwebhookconfiguration", "cloud-valkey-operator"});
}

}  // namespace cvp::test
