#include "pgwire/backend.h"

#include <gtest/gtest.h>

namespace omendb::pgwire {
namespace {

std::string bytes(const Buffer& buffer) { return std::string(buffer.view()); }

TEST(Backend, ErrorHasItsFieldsInPostgreSQLsOrderAndOnlyThoseThatAreSet) {
  Buffer out;
  ErrorInfo info;
  info.code = SqlState::kUniqueViolation;
  info.message = "m";
  info.detail = "d";
  info.position = 12;
  info.table = "t";
  info.constraint = "k";
  write_error(&out, "ERROR", info);
  std::string expected = std::string("SERROR\0VERROR\0C23505\0Mm\0Dd\0P12\0tt\0nk\0\0", 38);
  EXPECT_EQ(bytes(out).substr(5), expected);
  EXPECT_EQ(load_be32(out.view().data() + 1), out.size() - 1);
}

TEST(Backend, AnErrorThatClientsKnowByItsPlaceSaysIt) {
  Buffer out;
  ErrorInfo info;
  info.code = SqlState::kFeatureNotSupported;
  info.message = "m";
  info.file = "plancache.c";
  info.routine = "RevalidateCachedQuery";
  write_error(&out, "ERROR", info);
  EXPECT_EQ(bytes(out).substr(5),
            std::string("SERROR\0VERROR\0C0A000\0Mm\0Fplancache.c\0RRevalidateCachedQuery\0\0", 61));
}

TEST(Backend, AZeroInATextDoesNotTearTheMessage) {
  Buffer out;
  ErrorInfo info;
  info.message = std::string("a\0b", 3);
  write_notice(&out, "NOTICE", info);
  EXPECT_EQ(bytes(out).substr(5), std::string("SNOTICE\0VNOTICE\0CXX000\0Ma\0\0", 27));
}

TEST(Backend, MessagesAreBytewiseWhatTheManualSays) {
  Buffer out;
  write_ready_for_query(&out, 'T');
  EXPECT_EQ(bytes(out), std::string("Z\0\0\0\5T", 6));
  out.clear();
  write_row_description(&out, {{"id", Oid(16384), 1, Oid(23), 4, -1, 0}});
  EXPECT_EQ(bytes(out), std::string("T\0\0\0\x1b\0\1id\0\0\0\x40\0\0\1\0\0\0\x17\0\4\xff\xff\xff\xff\0\0", 28));
  out.clear();
  write_negotiate_protocol_version(&out, {"_pq_.foo"});
  EXPECT_EQ(bytes(out), std::string("v\0\0\0\x15\0\3\0\0\0\0\0\1_pq_.foo\0", 22));  // as PostgreSQL 15 sent it
  out.clear();
  write_copy_in_response(&out, 2, false);
  EXPECT_EQ(bytes(out), std::string("G\0\0\0\x0b\0\0\2\0\0\0\0", 12));
  out.clear();
  write_command_complete(&out, "SELECT 1");
  EXPECT_EQ(bytes(out), std::string("C\0\0\0\rSELECT 1\0", 14));
}

}  // namespace
}  // namespace omendb::pgwire
