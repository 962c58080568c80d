#include "common/metrics/page.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

namespace cvp::metrics {
namespace {

using OwnedLabels = std::vector<std::pair<std::string, std::string>>;

std::string_view name_of(Kind kind) {
    switch (kind) {
        case Kind::counter:
            return "counter";
        case Kind::gauge:
            return "gauge";
        case Kind::histogram:
            return "histogram";
    }
    return "untyped";
}

/// The shortest text that reads back as the same number.
std::string text_of(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    return fmt::format("{}", value);
}

/// @param quotes whether they are escaped too, as in a label's value
void append_escaped(std::string& out, std::string_view text, bool quotes) {
    for (const char c : text) {
        if (c == '\n') {
            out += "\\n";
            continue;
        }
        if (c == '\\' || (c == '"' && quotes)) out += '\\';
        out += c;
    }
}

void append_label(std::string& out, std::string_view name, std::string_view value) {
    out += out.back() == '{' ? "" : ",";
    out.append(name).append("=\"");
    append_escaped(out, value, true);
    out += '"';
}

/// @param bound the label `le` of a histogram's bucket, or empty
void append_line(std::string& out, std::string_view name, std::string_view suffix, const OwnedLabels& labels,
                 std::string_view bound, std::string_view value) {
    out.append(name).append(suffix);
    if (!labels.empty() || !bound.empty()) {
        out += '{';
        for (const auto& [key, text] : labels)
            append_label(out, key, text);
        if (!bound.empty()) append_label(out, "le", bound);
        out += '}';
    }
    out.append(" ").append(value).append("\n");
}

void append_histogram(std::string& out, std::string_view name, const OwnedLabels& labels, const Histogram& histogram) {
    append_line(out, name, "_count", labels, "", fmt::format("{}", histogram.count()));
    append_line(out, name, "_sum", labels, "", text_of(histogram.sum()));
    const auto counts = histogram.cumulative_counts();
    const auto& bounds = histogram.upper_bounds();
    for (std::size_t i = 0; i < counts.size(); ++i) {
        append_line(out, name, "_bucket", labels, i == bounds.size() ? "+Inf" : text_of(bounds[i]),
                    fmt::format("{}", counts[i]));
    }
}

}  // namespace

void Page::add(const Metric& metric, Labels labels, double value) {
    add_sample(metric, labels, value);
}

void Page::add(const Metric& metric, Labels labels, const Histogram& histogram) {
    add_sample(metric, labels, histogram);
}

void Page::add_sample(const Metric& metric, Labels labels, std::variant<double, Histogram> value) {
    auto family =
        std::find_if(families_.begin(), families_.end(), [&](const Family& f) { return f.metric == &metric; });
    if (family == families_.end()) family = families_.insert(family, Family{&metric, {}});
    family->samples.push_back({{labels.begin(), labels.end()}, std::move(value)});
}

std::string Page::render() const {
    std::string out;
    for (const auto& family : families_) {
        const auto& metric = *family.metric;
        out.append("# HELP ").append(metric.name).append(" ");
        append_escaped(out, metric.help, false);
        out.append("\n# TYPE ").append(metric.name).append(" ").append(name_of(metric.kind)).append("\n");
        for (const auto& sample : family.samples) {
            if (const auto* histogram = std::get_if<Histogram>(&sample.value)) {
                append_histogram(out, metric.name, sample.labels, *histogram);
            } else {
                append_line(out, metric.name, "", sample.labels, "", text_of(std::get<double>(sample.value)));
            }
        }
    }
    return out;
}

}  // namespace cvp::metrics
