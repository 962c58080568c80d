#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "operator/cli/kubectl.hpp"

namespace cvp::op::test {

/// Answers as it was told: the first entry whose key is a part of the command line ("get crd"); else NotFound.
class FakeKubectl final : public Kubectl {
public:
    KubectlAnswer run(const std::vector<std::string>& arguments, const std::string& input = {}) override {
        std::string line;
        for (const auto& argument : arguments)
            line += (line.empty() ? "" : " ") + argument;
        calls.push_back(line);
        inputs.push_back(input);
        for (const auto& [part, answer] : answers)
            if (line.find(part) != std::string::npos) return answer;
        return {1, "", "Error from server (NotFound): it is not there\n"};
    }

    void say(const std::string& part, const std::string& out) { answers.emplace_back(part, KubectlAnswer{0, out, ""}); }
    void refuse(const std::string& part, const std::string& err) {
        answers.insert(answers.begin(), {part, KubectlAnswer{1, "", err}});
    }
    /// Before whatever was said earlier.
    void say_first(const std::string& part, const std::string& out) {
        answers.insert(answers.begin(), {part, KubectlAnswer{0, out, ""}});
    }

    std::vector<std::pair<std::string, KubectlAnswer>> answers;
    std::vector<std::string> calls;
    std::vector<std::string> inputs;
};

}  // namespace cvp::op::test
