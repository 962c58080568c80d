#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cvp {

/// One thing wrong with a document that a user wrote.
struct Fault {
    std::string key_path;  ///< "endpoints[0].port"; "" for the document as a whole
    std::string message;   ///< what is wrong and what is expected

    bool operator==(const Fault&) const = default;
};

/// What reading a document found: faults make it unusable, warnings do not.
struct Findings {
    std::vector<Fault> faults;
    std::vector<Fault> warnings;

    bool operator==(const Findings&) const = default;
};

/// "connection.yaml: endpoints[0].port: must be a number from 1 to 65535\n…", one line per fault.
std::string describe_faults(std::string_view file, const std::vector<Fault>& faults);

}  // namespace cvp
