#include "pgwire/frontend.h"

#include <gtest/gtest.h>

#include <random>

namespace omendb::pgwire {
namespace {

std::string be32(uint32_t v) {
  std::string s(4, '\0');
  store_be32(s.data(), v);
  return s;
}
std::string be16(uint16_t v) {
  std::string s(2, '\0');
  store_be16(s.data(), v);
  return s;
}
std::string message(char type, const std::string& body) {
  return type + be32(static_cast<uint32_t>(body.size() + 4)) + body;
}
std::string zero(const std::string& text) { return text + std::string(1, '\0'); }

std::vector<std::pair<char, std::string>> all_messages(FrontendDecoder* decoder) {
  std::vector<std::pair<char, std::string>> messages;
  FrontendMessage m;
  while (decoder->next(&m) == Decoded::kMessage) messages.emplace_back(m.type, m.body);
  return messages;
}

TEST(FrontendDecoder, GivesTheSameMessagesHoweverTheBytesAreCut) {
  std::mt19937 random(20261121);
  const std::string types = "QPBDECHSdcfX";
  for (int round = 0; round < 200; ++round) {
    std::string stream;
    std::vector<std::pair<char, std::string>> sent, received;
    for (int i = 0; i < 20; ++i) {
      char type = types[random() % types.size()];
      std::string body(random() % 3 == 0 ? random() % 5000 : random() % 20, static_cast<char>('a' + i));
      sent.emplace_back(type, body);
      stream += message(type, body);
    }
    FrontendDecoder decoder;
    for (size_t at = 0; at < stream.size();) {
      size_t n = std::min<size_t>(stream.size() - at, 1 + random() % (random() % 2 == 0 ? 7 : 3000));
      decoder.feed(std::string_view(stream).substr(at, n));
      at += n;
      for (auto& m : all_messages(&decoder)) received.push_back(std::move(m));
      if (random() % 8 == 0) decoder.release_if_empty();
    }
    EXPECT_EQ(sent, received) << "round " << round;
    EXPECT_EQ(decoder.pending(), 0u);
  }
}

TEST(FrontendDecoder, FindsABadLengthBeforeItsBodyArrives) {
  for (auto [type, length, expected] : {std::tuple{'Q', 3u, Decoded::kBadLength},
                                        {'Q', 4u, Decoded::kMessage},
                                        {'Q', 0x3FFFFFFFu, Decoded::kBadLength},
                                        {'Q', 0x3FFFFFFEu, Decoded::kNeedMore},
                                        {'Q', 0xFFFFFFFFu, Decoded::kBadLength},
                                        {'S', 10001u, Decoded::kBadLength},
                                        {'S', 10000u, Decoded::kNeedMore},
                                        {'d', 10001u, Decoded::kNeedMore},
                                        {'?', 4u, Decoded::kBadType},
                                        {'\0', 4u, Decoded::kBadType}}) {
    FrontendDecoder decoder;
    decoder.feed(type + be32(length));
    FrontendMessage m;
    EXPECT_EQ(decoder.next(&m), expected) << type << " " << length;
  }
}

TEST(FrontendDecoder, AllocatesByWhatArrivedNotByWhatWasPromised) {
  FrontendDecoder decoder;
  decoder.feed("Q" + be32(0x3FFFFFFE) + "select");
  FrontendMessage m;
  ASSERT_EQ(decoder.next(&m), Decoded::kNeedMore);
  EXPECT_EQ(decoder.missing(), 0x3FFFFFFEu + 1 - 11);
  size_t capacity;
  decoder.prepare(8192, &capacity);
  EXPECT_LT(capacity, 64u << 10);
}

TEST(FrontendDecoder, StartupLimitsArePostgreSQLs) {
  for (auto [length, expected] : {std::pair{3u, Decoded::kBadLength},
                                  {7u, Decoded::kBadLength},
                                  {8u, Decoded::kNeedMore},
                                  {10004u, Decoded::kNeedMore},
                                  {10005u, Decoded::kBadLength},
                                  {0x47455420u /* "GET " */, Decoded::kBadLength}}) {
    FrontendDecoder decoder;
    decoder.feed(be32(length));
    std::string_view body;
    EXPECT_EQ(decoder.next_startup(&body), expected) << length;
  }
}

TEST(FrontendDecoder, CopyDataComesInPiecesAndTheRestOfAFailedOneIsSkipped) {
  FrontendDecoder decoder;
  decoder.feed("d" + be32(14) + "01234");
  FrontendMessage m;
  ASSERT_EQ(decoder.next_copy(&m), Decoded::kMessage);
  EXPECT_EQ(m.body, "01234");
  EXPECT_EQ(decoder.next_copy(&m), Decoded::kNeedMore);
  decoder.feed("56");
  ASSERT_EQ(decoder.next_copy(&m), Decoded::kMessage);
  EXPECT_EQ(m.body, "56");
  // The COPY fails here; the main loop goes on behind the CopyData.
  decoder.feed("789" + message('S', ""));
  ASSERT_EQ(decoder.next(&m), Decoded::kMessage);
  EXPECT_EQ(m.type, 'S');
  decoder.feed(message('Q', zero("x")));
  EXPECT_EQ(decoder.next_copy(&m), Decoded::kBadType);
}

TEST(BodyReader, NeverLeavesTheBodyAndItsFirstTroubleSticks) {
  BodyReader reader("\0\1\2");
  EXPECT_EQ(reader.int16(), 0);  // the literal ends at its first zero: an empty body
  EXPECT_EQ(reader.status().message(), "insufficient data left in message");
  EXPECT_EQ(reader.string(), "");
  EXPECT_EQ(reader.status().code(), SqlState::kProtocolViolation);

  BodyReader unterminated("abc");
  unterminated.string();
  EXPECT_EQ(unterminated.status().message(), "invalid string in message");
  BodyReader rest(std::string_view("a\0b", 3));
  EXPECT_EQ(rest.string(), "a");
  EXPECT_EQ(rest.finish().message(), "invalid message format");
}

TEST(ParseBind, TellsNullFromEmptyAndRefusesNegativeLengths) {
  std::string body =
      zero("p") + zero("s") + be16(1) + be16(1) + be16(3) + be32(0xFFFFFFFF) + be32(0) + be32(2) + "hi" + be16(0);
  BindMessage bind;
  ASSERT_TRUE(parse_bind(body, &bind).ok());
  EXPECT_EQ(bind.portal, "p");
  EXPECT_EQ(bind.statement, "s");
  ASSERT_EQ(bind.parameters.size(), 3u);
  EXPECT_TRUE(bind.parameters[0].null);
  EXPECT_FALSE(bind.parameters[1].null);
  EXPECT_EQ(bind.parameters[1].bytes, "");
  EXPECT_EQ(bind.parameters[2].bytes, "hi");
  std::string negative = zero("") + zero("") + be16(0) + be16(1) + be32(0xFFFFFFFE) + be16(0);
  EXPECT_EQ(parse_bind(negative, &bind).message(), "insufficient data left in message");
  // Every prefix of a good body is refused.
  for (size_t n = 0; n < body.size(); ++n)
    EXPECT_FALSE(parse_bind(std::string_view(body).substr(0, n), &bind).ok()) << n;
}

TEST(ParseStartup, ReadsSettingsOptionsAndUnknownProtocolOptions) {
  std::string body = be32(kProtocol3 | 2) + zero("user") + zero("u") + zero("options") +
                     zero("-c a.b=c\\ d  --enable-x=off") + zero("_pq_.new") + zero("1") + zero("DateStyle") +
                     zero("ISO") + zero("");
  auto packet = parse_startup(body);
  ASSERT_TRUE(packet.ok()) << packet.status().message();
  EXPECT_EQ(packet->user, "u");
  EXPECT_EQ(packet->database, "u");
  EXPECT_TRUE(packet->negotiate());
  EXPECT_EQ(packet->unknown_protocol_options, std::vector<std::string>{"_pq_.new"});
  std::vector<std::pair<std::string, std::string>> expected = {
      {"a.b", "c d"}, {"enable_x", "off"}, {"DateStyle", "ISO"}};
  EXPECT_EQ(packet->settings, expected);
}

TEST(ParseStartup, WantsItsTerminatorAsTheLastByte) {
  for (const std::string& tail : {std::string(), zero("") + "x", zero("user"), std::string("user"), zero("user") + "u"})
    EXPECT_EQ(parse_startup(be32(kProtocol3) + tail).status().message(),
              "invalid startup packet layout: expected terminator as last byte");
  EXPECT_EQ(parse_startup(be32(kProtocol3) + zero("replication") + zero("maybe") + zero("")).status().code(),
            SqlState::kInvalidParameterValue);
  EXPECT_EQ(parse_startup(be32(kProtocol3) + zero("options") + zero("-Z") + zero(""))->options_trouble.code(),
            SqlState::kSyntaxError);
}

}  // namespace
}  // namespace omendb::pgwire
