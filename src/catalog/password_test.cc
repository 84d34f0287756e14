#include "catalog/password.h"

#include <gtest/gtest.h>

namespace omendb::catalog {
namespace {

TEST(Password, IsKeptAsAVerifierOnly) {
  for (const PasswordHash hash : {PasswordHash::kMd5, PasswordHash::kScramSha256}) {
    const std::string kept = password_verifier("ann", "secret", hash);
    EXPECT_EQ(kept.find("secret"), std::string::npos);
    EXPECT_TRUE(password_matches("ann", kept, "secret"));
    EXPECT_FALSE(password_matches("ann", kept, "Secret"));
    EXPECT_FALSE(password_matches("ann", kept, ""));
    EXPECT_EQ(password_verifier("ann", kept, PasswordHash::kMd5), kept);
    EXPECT_EQ(password_verifier("ann", kept, PasswordHash::kScramSha256), kept);
  }
  EXPECT_NE(password_verifier("ann", "secret", PasswordHash::kScramSha256),
            password_verifier("ann", "secret", PasswordHash::kScramSha256));
}

// Made by PostgreSQL 15.
TEST(Password, IsKeptAsPostgresqlKeepsIt) {
  EXPECT_EQ(password_verifier("regress_passwd1", "role_pwd1", PasswordHash::kMd5),
            "md5783277baca28003b33453252be4dbb34");
  EXPECT_TRUE(password_matches("any",
                               "SCRAM-SHA-256$4096:hpFyHTUsSWcR7O9P$LgZFIt6Oqdo27ZFKbZ2nV+vtnYM995pDh9ca6WSi120="
                               ":qVV5NeluNfUPkwm7Vqat25RjSPLkGeoZBQs6wVv+um4=",
                               ""));
}

TEST(Password, WhatOnlyLooksLikeAVerifierIsHashed) {
  for (const char* password :
       {"", "md5012345678901234567890123456789zz", "md50123456789012345678901234567890", "SCRAM-SHA-256$1234",
        "SCRAM-SHA-256$4096:AAAAAAAAAAAAAA==$wNUDWxVhwtDYXwSHuhGCPQ==:wNUDWxVhwtDYXwSHuhGCPQ==",
        "SCRAM-SHA-256$0:hpFyHTUsSWcR7O9P$LgZFIt6Oqdo27ZFKbZ2nV+vtnYM995pDh9ca6WSi120="
        ":qVV5NeluNfUPkwm7Vqat25RjSPLkGeoZBQs6wVv+um4="}) {
    EXPECT_NE(password_verifier("ann", password, PasswordHash::kScramSha256), password);
    EXPECT_FALSE(password_matches("ann", password, password)) << password;
  }
}

}  // namespace
}  // namespace omendb::catalog
