// The commands of the binary.
#pragma once

#include <string>

#include "server/options.h"

namespace omendb::server {

inline constexpr const char* kVersion = "0.1.0";
inline constexpr const char* kPostgresVersion = "15";

/// Runs a server until a signal ends it. Returns the process's exit code.
int start(const StartArguments& arguments);
/// Opens the database at `directory` and checks it. Returns the process's exit code.
int verify(const std::string& directory);

}  // namespace omendb::server
