// Any bytes, cut anywhere, through the decoder and the parsers of all bodies. The first byte chooses the phase and the cut.
#include <cstdint>

#include "pgwire/pgwire.h"

using namespace omendb::pgwire;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const bool startup = (data[0] & 1) != 0, copy = (data[0] & 2) != 0;
  const size_t step = 1 + (data[0] >> 2);
  std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  FrontendDecoder decoder;
  ParseMessage parse;
  BindMessage bind;
  ExecuteMessage execute;
  TargetMessage target;
  bool started = !startup;
  for (size_t at = 0; at < stream.size(); at += step) {
    decoder.feed(stream.substr(at, step));
    while (true) {
      if (!started) {
        std::string_view body;
        Decoded decoded = decoder.next_startup(&body);
        if (decoded == Decoded::kBadLength) return 0;
        if (decoded == Decoded::kNeedMore) break;
        if ((load_be32(body.data()) >> 16) == 3) (void)parse_startup(body).ok();
        started = true;
        continue;
      }
      FrontendMessage message;
      Decoded decoded = copy ? decoder.next_copy(&message) : decoder.next(&message);
      if (decoded == Decoded::kNeedMore) break;
      if (decoded != Decoded::kMessage) return 0;
      std::string_view sql;
      switch (message.type) {
        case 'Q': (void)parse_query(message.body, &sql).ok(); break;
        case 'P': (void)parse_parse(message.body, &parse).ok(); break;
        case 'B': (void)parse_bind(message.body, &bind).ok(); break;
        case 'E': (void)parse_execute(message.body, &execute).ok(); break;
        case 'C':
        case 'D': (void)parse_target(message.body, &target).ok(); break;
        default: break;
      }
    }
  }
  return 0;
}
