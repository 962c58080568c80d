#include "operator/cli/resolve.hpp"

#include <iostream>
#include <utility>

#include "common/async/task_group.hpp"
#include "common/rfc3339.hpp"
#include "operator/cli/manifest.hpp"
#include "operator/cloud/cloud_client.hpp"

namespace cvp::op {
namespace {

using providers::Outcome;
using providers::Refusal;
namespace memorystore = providers::memorystore;

constexpr int kUsageError = 64;
constexpr int kNotResolved = 1;

/// Everything that one look-up needs, on a loop of its own.
class Session {
public:
    explicit Session(const ResolveOptions& options)
        : metadata_(io_, options.metadata_server),
          source_(metadata_, std::string(memorystore::kScope)),
          tokens_("resolve", source_),
          cloud_(io_, options.api, tokens_),
          place_(metadata_),
          lookup_(cloud_, place_),
          tasks_(io_) {}

    Outcome resolve(const ValkeyConnection& connection) {
        tasks_.spawn("tokens", tokens_.run());
        tasks_.spawn("resolve", run(connection));
        io_.run();
        return std::move(outcome_);
    }

private:
    Awaitable<void> run(const ValkeyConnection& connection) {
        outcome_ = co_await resolve_once(lookup_, connection);
        tokens_.stop();
        cloud_.close();
        metadata_.close();
    }

    asio::io_context io_{1};
    MetadataServer metadata_;
    MetadataTokenSource source_;
    TokenCache tokens_;
    CloudClient cloud_;
    MetadataPlace place_;
    InstanceLookup lookup_;
    TaskGroup tasks_;
    Outcome outcome_;
};

}  // namespace

Awaitable<Outcome> resolve_once(InstanceLookup& lookup, const ValkeyConnection& connection) {
    const auto name = co_await lookup.find_name(connection.memorystore()->name);
    if (!name) co_return Outcome{std::nullopt, name.error()};
    const auto facts = co_await lookup.fetch_instance(*name);
    if (!facts) co_return Outcome{std::nullopt, facts.error()};
    std::string ca_pem;
    if (auto target = memorystore::ca_target(*name, *facts)) {
        auto ca = co_await lookup.fetch_ca(*name, std::move(*target));
        if (!ca) co_return Outcome{std::nullopt, std::move(ca).error()};
        ca_pem = std::move(*ca);
    }
    co_return memorystore::map(*name, *facts, ca_pem, connection.wishes());
}

int run_resolve(const ResolveOptions& options, std::ostream& out, std::ostream& err) {
    const auto manifest = load_manifest(options.file, std::cin);
    if (!manifest) {
        err << manifest.error().context << "\n";
        return kUsageError;
    }
    const auto parsed = parse_valkey_connection_manifest(*manifest);
    err << describe_faults(options.file, parsed.warnings) << describe_faults(options.file, parsed.faults);
    if (!parsed.faults.empty()) return kUsageError;

    const auto& connection = parsed.connection;
    const auto* self_hosted = connection.self_hosted();
    auto outcome = self_hosted != nullptr
                       ? Outcome{providers::endpoints::map(*self_hosted, connection.wishes()), std::nullopt}
                       : Session(options).resolve(connection);
    if (outcome.refusal) {
        err << to_string(outcome.refusal->reason) << ": " << outcome.refusal->message << "\n";
        return kNotResolved;
    }
    carry_changed_at(nullptr, *outcome.document, format_rfc3339(SystemClock::now()));
    out << write_resolved_connection(*outcome.document);
    return 0;
}

}  // namespace cvp::op
