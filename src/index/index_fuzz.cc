// libFuzzer: bytes are operations on an OrderedIndex and on a std::map, which must agree. The first byte
// chooses the kind of keys: fixed of 1 to 8 bytes, or any.
#include <cstdint>
#include <map>
#include <string>

#include "base/check.h"
#include "index/index.h"

using omendb::index::Cas;
using omendb::index::EpochGuard;
using omendb::index::Keys;
using omendb::index::OrderedIndex;
using omendb::index::Payload;

namespace {

struct Input {
  const uint8_t* at;
  const uint8_t* end;

  bool more() const { return at < end; }
  uint8_t byte() { return more() ? *at++ : 0; }

  // Long runs and near neighbours from few bytes: a length, a step, and literal bytes.
  std::string key(uint32_t fixed, std::string& last) {
    const uint8_t how = byte();
    std::string key;
    if (how < 96 && !last.empty()) {  // the last key plus or minus a little
      key = last;
      int carry = how < 48 ? how + 1 : 47 - how;
      for (size_t i = key.size(); i > 0 && carry != 0; --i) {
        const int sum = static_cast<uint8_t>(key[i - 1]) + carry;
        key[i - 1] = static_cast<char>(sum);
        carry = sum < 0 ? -1 : sum > 255 ? 1 : 0;
      }
    } else if (fixed == 0 && how < 128) {  // the last key and some repetition
      key = last + std::string(how % 32, static_cast<char>(byte()));
    } else if (fixed == 0 && how < 160) {  // a prefix of the last key
      key = last.substr(0, last.size() * (how % 32) / 32);
    } else {
      const size_t size = fixed != 0 ? fixed : how % 20;
      for (size_t i = 0; i < size; ++i) key += static_cast<char>(byte());
    }
    if (fixed != 0) key.resize(fixed);
    if (key.size() > 300) key.resize(300);
    last = key;
    return key;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input in{data, data + size};
  const uint32_t fixed = in.byte() % 9;
  OrderedIndex index({.fixed_key_bytes = fixed});
  std::map<std::string, Payload> oracle;
  std::string last;
  Payload payload = 1;
  while (in.more()) {
    const uint8_t what = in.byte();
    std::string key = in.key(fixed, last);
    const auto it = oracle.find(key);
    const bool there = it != oracle.end();
    ++payload;
    switch (what % 8) {
      case 0:
        CHECK(index.insert(key, payload) == !there);
        oracle.try_emplace(key, payload);
        break;
      case 1: {
        const auto old = index.upsert(key, payload);
        CHECK(old.has_value() == there);
        CHECK(!there || *old == it->second);
        oracle[key] = payload;
        break;
      }
      case 2: {
        const auto old = index.erase(key);
        CHECK(old.has_value() == there);
        if (there) oracle.erase(it);
        break;
      }
      case 3: {
        Payload expected = there ? it->second : 0;
        CHECK(index.compare_and_set(key, expected, payload) == (there ? Cas::kSwapped : Cas::kAbsent));
        if (there) it->second = payload;
        break;
      }
      case 4: {  // a run of up to 1024 keys
        for (int i = in.byte() * 4; i > 0; --i) {
          CHECK(index.insert(key, payload) == oracle.try_emplace(key, payload).second);
          for (size_t at = key.size(); at > 0 && ++key[at - 1] == 0; --at) {
          }
        }
        break;
      }
      case 5: {  // and its end
        auto first = oracle.lower_bound(key);
        for (int i = in.byte() * 4; i > 0 && first != oracle.end(); --i) {
          CHECK(index.erase(first->first).has_value());
          first = oracle.erase(first);
        }
        break;
      }
      case 6: {
        EpochGuard guard;
        auto cursor = index.cursor(8, what >= 128 ? Keys::kPinned : Keys::kCopied);
        auto at = oracle.lower_bound(key);
        bool more = cursor.seek(key);
        for (int left = in.byte(); left > 0 && more; --left) {
          CHECK(at != oracle.end());
          CHECK(cursor.key() == at->first && cursor.payload() == at->second);
          more = cursor.next();
          ++at;
        }
        if (!more) CHECK(at == oracle.end());
        break;
      }
      default: {
        EpochGuard guard;
        auto cursor = index.cursor(8, what >= 128 ? Keys::kPinned : Keys::kCopied);
        auto at = oracle.upper_bound(key);
        bool more = cursor.seek_for_prev(key);
        for (int left = in.byte(); left > 0 && more; --left) {
          CHECK(at != oracle.begin());
          --at;
          CHECK(cursor.key() == at->first && cursor.payload() == at->second);
          more = cursor.prev();
        }
        if (!more) CHECK(at == oracle.begin());
        break;
      }
    }
    const auto found = index.find(key);
    const auto now = oracle.find(key);
    CHECK(found.has_value() == (now != oracle.end()));
    CHECK(!found || *found == now->second);
  }
  CHECK(index.size() == oracle.size());
  CHECK(index.verify().ok());
  return 0;
}
