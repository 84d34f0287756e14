#include "catalog/password.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <charconv>
#include <cstdint>
#include <optional>

#include "base/check.h"
#include "types/text.h"

namespace omendb::catalog {
namespace {

constexpr std::string_view kMd5Prefix = "md5", kScramPrefix = "SCRAM-SHA-256$";
constexpr int kRounds = 4096;
constexpr size_t kSaltBytes = 16, kKeyBytes = 32;

struct Scram {
  int rounds;
  std::string salt, stored_key, server_key;
};

std::string hmac(std::string_view key, std::string_view text) {
  std::string out(kKeyBytes, '\0');
  unsigned int size = 0;
  CHECK(::HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
               reinterpret_cast<const unsigned char*>(text.data()), text.size(),
               reinterpret_cast<unsigned char*>(out.data()), &size) != nullptr);
  return out;
}

/// RFC 5802, section 3.
Scram scram(std::string_view password, std::string salt, int rounds) {
  std::string salted(kKeyBytes, '\0');
  CHECK(::PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                            reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()), rounds,
                            EVP_sha256(), static_cast<int>(salted.size()),
                            reinterpret_cast<unsigned char*>(salted.data())) == 1);
  return {rounds, std::move(salt), types::sha_digest(types::Sha::k256, hmac(salted, "Client Key")),
          hmac(salted, "Server Key")};
}

std::string base64(std::string_view bytes) {
  std::string out;
  CHECK(types::encode_bytes(bytes, "base64", &out).ok());
  return out;
}

std::optional<std::string> from_base64(std::string_view text, size_t bytes) {
  std::string out;
  if (!types::decode_bytes(text, "base64", &out).ok() || (bytes != 0 && out.size() != bytes)) return std::nullopt;
  return out;
}

/// Everything before `end`, which is taken off `text` with it.
std::string_view take(std::string_view* text, char end) {
  const size_t at = text->find(end);
  const std::string_view part = text->substr(0, at);
  text->remove_prefix(at == std::string_view::npos ? text->size() : at + 1);
  return part;
}

/// SCRAM-SHA-256$ROUNDS:SALT$STORED_KEY:SERVER_KEY
std::optional<Scram> read_scram(std::string_view verifier) {
  if (!verifier.starts_with(kScramPrefix)) return std::nullopt;
  verifier.remove_prefix(kScramPrefix.size());
  const std::string_view rounds = take(&verifier, ':'), salt = take(&verifier, '$'), stored = take(&verifier, ':');
  Scram read{0, {}, {}, {}};
  const auto [end, error] = std::from_chars(rounds.data(), rounds.data() + rounds.size(), read.rounds);
  if (rounds.empty() || error != std::errc() || end != rounds.data() + rounds.size() || read.rounds < 1)
    return std::nullopt;
  const auto salt_bytes = from_base64(salt, 0);
  const auto stored_key = from_base64(stored, kKeyBytes), server_key = from_base64(verifier, kKeyBytes);
  if (salt.empty() || !salt_bytes || !stored_key || !server_key) return std::nullopt;
  read.salt = *salt_bytes;
  read.stored_key = *stored_key;
  read.server_key = *server_key;
  return read;
}

std::string md5_verifier(std::string_view role, std::string_view password) {
  std::string verifier(kMd5Prefix);
  types::append_md5_hex(std::string(password).append(role), &verifier);
  return verifier;
}

}  // namespace

bool is_md5_verifier(std::string_view verifier) {
  return verifier.size() == kMd5Prefix.size() + 32 && verifier.starts_with(kMd5Prefix) &&
         verifier.find_first_not_of("0123456789abcdef", kMd5Prefix.size()) == std::string_view::npos;
}

std::string password_verifier(std::string_view role, std::string_view password, PasswordHash hash) {
  if (is_md5_verifier(password) || read_scram(password)) return std::string(password);
  if (hash == PasswordHash::kMd5) return md5_verifier(role, password);
  std::string salt(kSaltBytes, '\0');
  CHECK(::RAND_bytes(reinterpret_cast<unsigned char*>(salt.data()), static_cast<int>(salt.size())) == 1);
  const Scram made = scram(password, std::move(salt), kRounds);
  return std::string(kScramPrefix) + std::to_string(made.rounds) + ":" + base64(made.salt) + "$" +
         base64(made.stored_key) + ":" + base64(made.server_key);
}

bool password_matches(std::string_view role, std::string_view verifier, std::string_view password) {
  if (is_md5_verifier(verifier)) return md5_verifier(role, password) == verifier;
  const auto kept = read_scram(verifier);
  return kept && scram(password, kept->salt, kept->rounds).server_key == kept->server_key;
}

}  // namespace omendb::catalog
