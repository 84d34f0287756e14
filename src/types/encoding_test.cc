#include "types/encoding.h"

#include <gtest/gtest.h>

namespace omendb::types {
namespace {

std::string there(const char* name, std::string_view bytes) {
  std::string out;
  Status status = Encoding::find(name)->to_utf8(bytes, &out);
  return status.ok() ? out : status.message();
}

std::string back(const char* name, std::string_view text) {
  std::string out;
  Status status = Encoding::find(name)->from_utf8(text, &out);
  return status.ok() ? out : status.message();
}

TEST(Encoding, HasManyNames) {
  EXPECT_EQ(Encoding::find("iso-8859-1")->name(), "LATIN1");
  EXPECT_EQ(Encoding::find("Latin_1")->name(), "LATIN1");
  EXPECT_EQ(Encoding::find("windows-1251")->name(), "WIN1251");
  EXPECT_EQ(Encoding::find("KOI8")->name(), "KOI8R");
  EXPECT_EQ(Encoding::find("unicode")->name(), "UTF8");
  EXPECT_EQ(Encoding::find("Shift_JIS")->name(), "SJIS");
  EXPECT_EQ(Encoding::find("latin11"), nullptr);
  EXPECT_EQ(Encoding::find(""), nullptr);
  EXPECT_FALSE(Encoding::find("mule_internal")->converts());
  EXPECT_TRUE(Encoding::find("sql_ascii")->is_utf8());
}

TEST(Encoding, GoesThereAndBack) {
  struct {
    const char *name, *bytes, *text;
  } cases[] = {{"latin1", "a\xe4", "aä"},      {"koi8r", "\xf0\xd2", "Пр"},  {"win1252", "\x80", "€"},
               {"euc_jp", "\xa4\xa2x", "あx"}, {"sjis", "\x95\x5c", "表"},   {"big5", "\xa4\xa4", "中"},
               {"gb18030", "\xd6\xd0", "中"},  {"uhc", "\xb0\xa1", "가"},    {"euc_kr", "\xb0\xa1", "가"},
               {"gbk", "\xd6\xd0\\", "中\\"},  {"euc_cn", "\xd6\xd0", "中"}, {"euc_tw", "\xc4\xe3", "中"},
               {"win1258", "\xd2", "\xcc\x89"}};
  for (const auto& c : cases) {
    EXPECT_EQ(there(c.name, c.bytes), c.text) << c.name;
    EXPECT_EQ(back(c.name, c.text), c.bytes) << c.name;
  }
}

TEST(Encoding, SaysWhatItCannotRead) {
  EXPECT_EQ(there("euc_jp", "a\xa4 b"), "invalid byte sequence for encoding \"EUC_JP\": 0xa4 0x20");
  EXPECT_EQ(there("euc_jp", "\xa4"), "invalid byte sequence for encoding \"EUC_JP\": 0xa4");
  EXPECT_EQ(there("latin1", std::string_view("\0", 1)), "invalid byte sequence for encoding \"LATIN1\": 0x00");
  EXPECT_EQ(there("win1252", "\x81"),
            "character with byte sequence 0x81 in encoding \"WIN1252\" has no equivalent in encoding \"UTF8\"");
  EXPECT_EQ(back("koi8r", "中"),
            "character with byte sequence 0xe4 0xb8 0xad in encoding \"UTF8\" has no equivalent in encoding \"KOI8R\"");
}

TEST(Encoding, KnowsWhereACharacterEnds) {
  EXPECT_EQ(Encoding::find("latin1")->character_bytes("\xe4\xe4"), 1u);
  EXPECT_EQ(Encoding::find("sjis")->character_bytes("\x95\x5c"), 2u);
  EXPECT_EQ(Encoding::find("sjis")->character_bytes("\x95"), 0u);
  EXPECT_EQ(Encoding::find("gb18030")->character_bytes("\x81"), 0u);
  EXPECT_EQ(Encoding::find("gb18030")->character_bytes("\x81\x30\x81"), 0u);
  EXPECT_EQ(Encoding::find("gb18030")->character_bytes("\x81\x30\x81\x30"), 4u);
}

}  // namespace
}  // namespace omendb::types
