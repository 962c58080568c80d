// The watcher on a real API server.

#include "operator/runtime/watcher.hpp"

#include "tests/kubernetes/real_client.hpp"

namespace cvp::test {
namespace {

using op::config_maps;
using Json = nlohmann::json;

class RealWatcher : public RealClientTest {
protected:
    RealWatcher() : RealClientTest("watcher") {}

    ~RealWatcher() override {
        watcher_.stop();
        EXPECT_TRUE(run_until(io_, [this] { return ended_; }));
    }

    void start() {
        ended_ = false;
        asio::co_spawn(io_, watcher_.run(), [this](std::exception_ptr) { ended_ = true; });
    }
    bool synced() {
        return run_until(io_, [this] { return store_.is_synced(); });
    }
    std::string value_of(const std::string& name) {
        const auto object = store_.find({name_space_, name});
        return object ? object->at("data").at("k").get<std::string>() : "absent";
    }
    bool becomes(const std::string& name, const std::string& value) {
        return run_until(io_, [&] { return value_of(name) == value; });
    }
    void write(const std::string& name, const std::string& value) {
        auto object = config_map(name, value);
        object["metadata"]["labels"] = {{"ours", "yes"}};
        const auto written = call(api_->apply(config_maps(name_space_, name), object, op::ApplyOptions("test")));
        ASSERT_TRUE(written) << written.error().error.context;
    }

    op::Store store_;
    bool ended_ = true;
    int changes_ = 0;
    op::Watcher watcher_{*api_, config_maps(name_space_), op::WatchFsm::Selection{"ours=yes", ""}, store_,
                         [this](const op::StoreChange&) { ++changes_; }};
};

TEST_F(RealWatcher, keeps_the_store_equal_to_the_collection) {
    write("before", "1");
    ASSERT_TRUE(call(api_->create(config_maps(name_space_), config_map("foreign", "1"))));
    start();
    ASSERT_TRUE(synced());
    EXPECT_EQ(value_of("before"), "1");
    write("after", "1");
    EXPECT_TRUE(becomes("after", "1"));
    write("before", "2");
    EXPECT_TRUE(becomes("before", "2"));
    ASSERT_TRUE(call(api_->remove(config_maps(name_space_, "before"))));
    EXPECT_TRUE(becomes("before", "absent"));
    EXPECT_EQ(changes_, 4);
    EXPECT_EQ(store_.size(), 1u) << "the foreign one was never in it";
}

TEST_F(RealWatcher, sees_an_object_leave_the_selection_as_a_deletion) {
    write("x", "1");
    start();
    ASSERT_TRUE(becomes("x", "1"));
    const Json other = {{"metadata", {{"labels", {{"ours", "no"}}}}}};
    ASSERT_TRUE(call(api_->patch(config_maps(name_space_, "x"), op::PatchType::merge, other)));
    EXPECT_TRUE(becomes("x", "absent"));
}

}  // namespace
}  // namespace cvp::test
