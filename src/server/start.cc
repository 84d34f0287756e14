#include "server/start.h"

#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <spdlog/spdlog.h>

#include "server/data_directory.h"
#include "server/server.h"

namespace omendb::server {
namespace {

int fail(const Status& status, int code = 1) {
  std::fprintf(stderr, "omendb: %s\n", status.message().c_str());
  return code;
}

// A connection is a descriptor; the usual soft limit of 1024 is for programs that use select().
void raise_descriptor_limit() {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

}  // namespace

int start(const StartArguments& arguments) {
  if (!arguments.certificate.empty() || !arguments.key.empty())
    return fail(Status(SqlState::kFeatureNotSupported, "--cert and --key: TLS is not available yet"), 2);
  auto resolved = resolve(arguments);
  if (!resolved.ok()) return fail(resolved.status());
  const StartOptions& options = *resolved;
  spdlog::set_level(spdlog::level::from_str(options.log_level));
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  raise_descriptor_limit();

  Server server(options.server);
  auto directory = DataDirectory::acquire(options.data_directory, true);
  if (!directory.ok()) return fail(directory.status());
  if (Status bound = server.listen(); !bound.ok()) return fail(bound);

  // The engine joins here as soon as sql/ has one.
  return fail(Status(SqlState::kFeatureNotSupported, "this build has no SQL engine yet"));
}

int verify(const std::string& directory_path) {
  auto directory = DataDirectory::acquire(directory_path, false);
  if (!directory.ok()) return fail(directory.status());
  return fail(Status(SqlState::kFeatureNotSupported, "this build has no storage yet"));
}

}  // namespace omendb::server
