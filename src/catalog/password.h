// How roles' passwords are kept: never as they are (PostgreSQL manual, sections 20.5 and 53.8; RFC 5802). Beyond ASCII they are hashed
// as their bytes, without SASLprep. Thread: any.
#pragma once

#include <string>
#include <string_view>

namespace omendb::catalog {

enum class PasswordHash { kMd5, kScramSha256 };  // password_encryption

/// What is kept of `password`: itself if it is a verifier already, else its hash. SCRAM takes 4096 rounds, some milliseconds.
std::string password_verifier(std::string_view role, std::string_view password, PasswordHash hash);

/// Whether `verifier` is one, of that password. Takes as long as making one.
bool password_matches(std::string_view role, std::string_view verifier, std::string_view password);

/// Salted with the role's name, so that it is worth nothing under another one.
bool is_md5_verifier(std::string_view verifier);

}  // namespace omendb::catalog
