#include "tests/kubernetes/chart_objects.hpp"

#include <stdexcept>

#include "tests/kubernetes/chart.hpp"
#include "tests/kubernetes/environment.hpp"

namespace cvp::test {

ChartObjects::ChartObjects(const std::vector<std::string>& templates, const std::vector<std::string>& arguments) {
    auto all = arguments;
    for (const auto& file : templates) {
        all.emplace_back("--show-only");
        all.push_back("templates/" + file);
    }
    manifest_ = render_chart(all);
    const auto applied =
        control_plane().kubectl({"apply", "--server-side", "--force-conflicts", "--filename=-"}, manifest_);
    if (!applied) throw std::runtime_error(applied.error().context);
}

ChartObjects::~ChartObjects() {
    (void)control_plane().kubectl({"delete", "--ignore-not-found", "--filename=-"}, manifest_);
}

}  // namespace cvp::test
