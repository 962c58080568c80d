#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "common/result.hpp"

namespace cvp {

/// Reads a whole regular file of at most `max_bytes`. Blocking: for configuration, not for the data path.
/// @errors not_found; permission_denied; resource_exhausted (too large); internal (not a file, I/O error): the context
///         is the path and the reason
Result<std::string> load_file(const std::filesystem::path& path, std::size_t max_bytes = 4 * 1024 * 1024);

}  // namespace cvp
