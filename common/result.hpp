#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

#include "common/error.hpp"

namespace cvp {

/// A value or an Error. `Result<void>` for actions.
template <class T>
using Result = tl::expected<T, Error>;

/// Makes the error side of any Result: `return fail(ErrorCode::timeout, "dialling " + host);`
inline tl::unexpected<Error> fail(ErrorCode code, std::string context) {
    return tl::unexpected<Error>(Error{code, std::move(context)});
}

/// Hands an error on unchanged: `if (!token) return fail(std::move(token).error());`
inline tl::unexpected<Error> fail(Error error) {
    return tl::unexpected<Error>(std::move(error));
}

}  // namespace cvp
