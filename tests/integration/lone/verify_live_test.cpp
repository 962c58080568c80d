// make verify-live: the emulated cloud must have an answer to every question.

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/integration/lone/fixture.hpp"
#include "tests/support/source_tree.hpp"

namespace cvp::test {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

class VerifyLive : public LoneProxy {
protected:
    /// Its answers by id.
    Json ask(std::vector<std::string> flags) {
        ProcessOptions options;
        options.argv = {"/usr/bin/env", "python3", source_path("scripts/verify_live.py"), kName, "--json"};
        options.argv.insert(options.argv.end(), flags.begin(), flags.end());
        options.env = {"CVP_GOOGLE_API_BASE=" + cloud().rest_base(), "GCE_METADATA_HOST=" + cloud().metadata_host()};
        const auto ended = run_command(options, {}, std::chrono::minutes(2));
        if (!ended) throw std::runtime_error(to_string(ended.error()));
        EXPECT_EQ(ended->status, 0) << ended->err;
        Json answers;
        for (const auto& entry : Json::parse(ended->out))
            answers[entry["id"].get<std::string>()] = entry["answer"];
        return answers;
    }
};

TEST_F(VerifyLive, is_answered_every_question) {
    start_cloud(":valkey,replica,front");
    ASSERT_TRUE(cloud().admin("PATCH", "quota", {{"limited", true}}));
    ASSERT_TRUE(cloud().admin("POST", std::string("fronts/") + kName + ":age", {{"ms", 4000}, {"prolonged", false}}));
    const auto answers = ask({"--quota", "--hours=0.002"});
    EXPECT_EQ(answers["login"], "+OK");
    EXPECT_THAT(answers["wrong-login"].get<std::string>(), HasSubstr("-WRONGPASS"));
    EXPECT_THAT(answers["names"].get<std::string>(), HasSubstr("the address is among them"));
    EXPECT_EQ(answers["resumption"], "yes");
    EXPECT_THAT(answers["age"].get<std::string>(), HasSubstr("left alone: the connection ended after"));
    EXPECT_THAT(answers["quota"].get<std::string>(), HasSubstr("instances.get: refused was call"));
    EXPECT_GE(answers.size(), 25u);
}

}  // namespace
}  // namespace cvp::test
