#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/source_tree.hpp"

namespace cvp::test {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string, std::less<>>;

/// The first component of a path: "proxy" for proxy/loop/x.hpp.
std::string top_of(std::string_view path) {
    return std::string(path.substr(0, path.find('/')));
}

/// The layer inside a component: "loop" for proxy/loop/x.hpp, "app" for a file beside main.cpp.
std::string layer_of(std::string_view path) {
    const auto rest = path.substr(path.find('/') + 1);
    return rest.find('/') == std::string_view::npos ? "app" : top_of(rest);
}

/// Which layers of its own component a layer may include; one that is not listed, "app" first, may include all.
const std::map<std::string, std::map<std::string, Names, std::less<>>, std::less<>> kLayers = {
    {"proxy", {{"loop", {}}, {"resp", {}}, {"session", {"resp"}}, {"upstream", {"loop", "resp", "session"}}}},
    {"operator",
     {{"api", {}},
      {"cloud", {}},
      {"kube", {"api"}},
      {"runtime", {"api", "kube"}},
      {"reconcile", {"api", "cloud", "kube", "runtime"}},
      {"webhook", {"api", "kube", "runtime"}},
      {"certs", {"api", "kube", "runtime"}}}},
};

/// Libraries that live behind one wall: what their includes begin with, and the files and folders that may have them.
struct Wall {
    std::string_view include;
    std::vector<std::string_view> homes;
};
const std::vector<Wall> kWalls = {
    {"CLI/", {"common/config/command_line.cpp"}},
    {"boost/asio/awaitable.hpp", {"common/async/asio.hpp"}},
    {"boost/asio/ssl", {"common/asio_impl.cpp", "common/http/", "common/tls/"}},
    {"boost/beast", {"common/asio_impl.cpp", "common/http/"}},
    {"cpprest/", {"operator/cloud/"}},
    {"openssl/", {"common/crypto/", "common/tls/", "proxy/loop/"}},
    {"pplx/", {"operator/cloud/"}},
    {"spdlog/", {"common/log/"}},
    {"yaml-cpp/", {"common/yaml/"}},
};

/// Slow to compile, so kept out of headers: nobody shall pay for them without knowing.
const std::vector<std::string_view> kNotInHeaders = {"boost/beast", "nlohmann/json.hpp", "spdlog/"};

/// Says what is wrong with `file` (its path from the root) including `include` (as written between the quotes or
/// brackets), or nothing.
std::optional<std::string> check_include(std::string_view file, std::string_view include) {
    static const Names kProduct = {"common", "operator", "proxy"};
    const auto from = top_of(file);
    if (!kProduct.contains(from)) return std::nullopt;  // tests may see everything; their link lines say what

    const auto to = top_of(include);
    if (to == "tests") return "the product does not include tests/";
    if (kProduct.contains(to)) {
        if (to != from && to != "common") return from + "/ does not include " + to + "/";
        if (to != from || from == "common") return std::nullopt;
        const auto& layers = kLayers.find(from)->second;
        const auto below = layers.find(layer_of(file));
        const auto layer = layer_of(include);
        if (below == layers.end() || layer == below->first || below->second.contains(layer)) return std::nullopt;
        return from + "/" + below->first + "/ does not include " + from + "'s " + layer;
    }
    for (const auto& wall : kWalls) {
        const auto lets_in = [&](std::string_view home) { return file.starts_with(home); };
        if (include.starts_with(wall.include) && std::none_of(wall.homes.begin(), wall.homes.end(), lets_in)) {
            return std::string(wall.include) + " is only for " + testing::PrintToString(wall.homes);
        }
    }
    if (file.ends_with(".hpp")) {
        for (const auto heavy : kNotInHeaders) {
            if (include.starts_with(heavy)) return std::string(heavy) + " is not for headers";
        }
    }
    return std::nullopt;
}

/// What a source file includes, and how: quotes are for our own files, which are named from the root of the tree.
struct Include {
    std::string path;
    bool is_quoted;
};

std::vector<Include> read_includes(const fs::path& file) {
    static const std::regex kDirective(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"].*)");
    std::vector<Include> includes;
    std::ifstream in(file);
    std::smatch match;
    for (std::string line; std::getline(in, line);) {
        if (std::regex_match(line, match, kDirective)) includes.push_back({match[2], match[1] == "\""});
    }
    return includes;
}

TEST(Layering, every_include_of_the_tree_points_the_right_way) {
    const auto root = source_path("");
    int seen = 0;
    for (const auto* top : {"common", "operator", "proxy", "tests"}) {
        for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
            if (entry.path().extension() != ".hpp" && entry.path().extension() != ".cpp") continue;
            const auto file = entry.path().lexically_relative(root).string();
            for (const auto& [include, is_quoted] : read_includes(entry.path())) {
                ++seen;
                const auto wrong = check_include(file, include);
                EXPECT_FALSE(wrong) << file << " includes " << include << ": " << wrong.value_or("");
                EXPECT_EQ(is_quoted, fs::exists(root / include))
                    << file << " includes " << include << ": our own files, and they alone, are included in quotes, by "
                    << "their path from the root of the tree";
            }
        }
    }
    EXPECT_GT(seen, 100) << "the tree was not found";
}

TEST(Layering, components_see_common_and_never_each_other) {
    EXPECT_FALSE(check_include("proxy/app.cpp", "common/error.hpp"));
    EXPECT_FALSE(check_include("operator/app.cpp", "common/error.hpp"));
    EXPECT_FALSE(check_include("common/http/client.cpp", "common/tls/options.hpp"));
    EXPECT_EQ(check_include("proxy/app.cpp", "operator/version.hpp"), "proxy/ does not include operator/");
    EXPECT_EQ(check_include("operator/cli/inject.cpp", "proxy/version.hpp"), "operator/ does not include proxy/");
    EXPECT_EQ(check_include("common/error.cpp", "proxy/version.hpp"), "common/ does not include proxy/");
    EXPECT_EQ(check_include("common/error.cpp", "operator/version.hpp"), "common/ does not include operator/");
    EXPECT_EQ(check_include("proxy/app.cpp", "tests/support/process.hpp"), "the product does not include tests/");
}

TEST(Layering, layers_see_those_below_them) {
    EXPECT_FALSE(check_include("proxy/app.cpp", "proxy/upstream/target.hpp"));
    EXPECT_FALSE(check_include("proxy/upstream/dial.cpp", "proxy/loop/socket.hpp"));
    EXPECT_FALSE(check_include("proxy/session/state.cpp", "proxy/resp/framer.hpp"));
    EXPECT_FALSE(check_include("proxy/session/state.cpp", "proxy/session/state.hpp"));
    EXPECT_EQ(check_include("proxy/loop/socket.cpp", "proxy/resp/framer.hpp"),
              "proxy/loop/ does not include proxy's resp");
    EXPECT_EQ(check_include("proxy/resp/framer.hpp", "proxy/session/state.hpp"),
              "proxy/resp/ does not include proxy's session");
    EXPECT_EQ(check_include("proxy/session/state.cpp", "proxy/loop/socket.hpp"),
              "proxy/session/ does not include proxy's loop");
    EXPECT_EQ(check_include("proxy/upstream/dial.cpp", "proxy/app.hpp"),
              "proxy/upstream/ does not include proxy's app");

    EXPECT_FALSE(check_include("operator/app.cpp", "operator/certs/rotation.hpp"));
    EXPECT_FALSE(check_include("operator/cli/resolve.cpp", "operator/cloud/transport.hpp"));
    EXPECT_FALSE(check_include("operator/reconcile/connection.cpp", "operator/runtime/work_queue.hpp"));
    EXPECT_FALSE(check_include("operator/webhook/server.cpp", "operator/kube/api.hpp"));
    EXPECT_EQ(check_include("operator/api/valkey_connection.hpp", "operator/kube/api.hpp"),
              "operator/api/ does not include operator's kube");
    EXPECT_EQ(check_include("operator/kube/api.cpp", "operator/runtime/store.hpp"),
              "operator/kube/ does not include operator's runtime");
    EXPECT_EQ(check_include("operator/runtime/store.cpp", "operator/reconcile/connection.hpp"),
              "operator/runtime/ does not include operator's reconcile");
    EXPECT_EQ(check_include("operator/webhook/mutate.cpp", "operator/certs/rotation.hpp"),
              "operator/webhook/ does not include operator's certs");
    EXPECT_FALSE(check_include("operator/reconcile/connection.cpp", "operator/cloud/cloud.hpp"));
    EXPECT_EQ(check_include("operator/webhook/mutate.cpp", "operator/cloud/cloud.hpp"),
              "operator/webhook/ does not include operator's cloud");
    EXPECT_EQ(check_include("operator/certs/rotation.cpp", "operator/cli/resolve.hpp"),
              "operator/certs/ does not include operator's cli");
}

TEST(Layering, libraries_stay_behind_their_walls) {
    EXPECT_FALSE(check_include("common/http/client.cpp", "boost/beast/http.hpp"));
    EXPECT_FALSE(check_include("operator/cloud/transport.cpp", "cpprest/http_client.h"));
    EXPECT_FALSE(check_include("proxy/loop/tls_engine.cpp", "openssl/ssl.h"));
    EXPECT_FALSE(check_include("common/http/client.cpp", "boost/asio/ip/tcp.hpp"));
    EXPECT_FALSE(check_include("tests/support/tls_server.cpp", "openssl/ssl.h"));
    for (const auto& [file, include] : std::vector<std::pair<std::string, std::string>>{
             {"proxy/admin.cpp", "boost/beast/http.hpp"},
             {"operator/webhook/server.cpp", "boost/beast/http.hpp"},
             {"common/providers/memorystore.cpp", "cpprest/json.h"},
             {"operator/reconcile/connection.cpp", "pplx/pplxtasks.h"},
             {"common/contract/resolved_connection.cpp", "yaml-cpp/yaml.h"},
             {"common/http/client.cpp", "openssl/ssl.h"},
             {"proxy/upstream/dial.cpp", "openssl/ssl.h"},
             {"proxy/upstream/dial.cpp", "boost/asio/ssl.hpp"},
             {"proxy/main.cpp", "spdlog/spdlog.h"},
             {"proxy/config.cpp", "CLI/App.hpp"},
             {"common/config/flags.cpp", "CLI/CLI.hpp"},
             {"operator/kube/watch.hpp", "boost/asio/awaitable.hpp"}}) {
        const auto wrong = check_include(file, include);
        ASSERT_TRUE(wrong) << file << " includes " << include;
        EXPECT_THAT(*wrong, testing::HasSubstr(" is only for { \"")) << file << " includes " << include;
    }
}

TEST(Layering, heavy_libraries_stay_out_of_headers) {
    EXPECT_FALSE(check_include("operator/webhook/patch.cpp", "nlohmann/json.hpp"));
    EXPECT_FALSE(check_include("operator/webhook/patch.hpp", "nlohmann/json_fwd.hpp"));
    EXPECT_EQ(check_include("operator/webhook/patch.hpp", "nlohmann/json.hpp"), "nlohmann/json.hpp is not for headers");
    EXPECT_EQ(check_include("common/http/client.hpp", "boost/beast/http.hpp"), "boost/beast is not for headers");
    EXPECT_EQ(check_include("common/log/log.hpp", "spdlog/spdlog.h"), "spdlog/ is not for headers");
}

}  // namespace
}  // namespace cvp::test
