#pragma once

#include <memory>

#include "proxy/document.hpp"
#include "proxy/upstream/target.hpp"

namespace cvp::proxy {

/// Where the clients of one role go, as a document says. Pure.
///
/// @param login null where the document's auth.mode is None
/// @param clients what they must show
/// @return an answer of our own for a cluster (never dialled: its MOVED answers would lead clients past us), for a role
///         without an endpoint, and while the file that holds the CA is missing
Destination build_destination(const Document& document, EndpointRole role, std::shared_ptr<LoginSource> login,
                              ClientPolicy clients = {});

}  // namespace cvp::proxy
