#include "sql/columnar/column_pages.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"

namespace omendb::sql {
namespace {

constexpr size_t kHeaderBytes = 8, kEntryBytes = 8;
constexpr size_t kTailBytes = 16;  // so that eight bytes can be read where a packed number begins
enum Form : uint8_t { kNumbers = 0, kChanges = 1 };
constexpr size_t kNumberBytesMax = 8;
constexpr size_t kMore = 15;  // of a half byte: a varint follows
// A row that stands farther than so many times the block's keys from the middle one is a stray.
constexpr uint64_t kNear = 8;

template <class T>
T load(const uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

unsigned width_of(uint64_t greatest) { return static_cast<unsigned>(std::bit_width(greatest)); }
size_t packed_bytes(size_t count, unsigned width) { return (count * width + 7) / 8; }

uint64_t packed(const uint8_t* from, size_t index, unsigned width) {
  if (width == 0) return 0;
  const size_t bit = index * width, shift = bit % 8;
  const uint8_t* at = from + bit / 8;
  uint64_t value = load<uint64_t>(at) >> shift;
  if (width + shift > 64) value |= static_cast<uint64_t>(at[8]) << (64 - shift);
  return width == 64 ? value : value & ((uint64_t{1} << width) - 1);
}

/// Appends `count` numbers of `width` bits.
template <class Number>
void pack(size_t count, unsigned width, Number number, std::string* out) {
  unsigned __int128 waiting = 0;
  unsigned bits = 0;
  for (size_t i = 0; width > 0 && i < count; ++i) {
    waiting |= static_cast<unsigned __int128>(number(i)) << bits;
    for (bits += width; bits >= 8; bits -= 8, waiting >>= 8) out->push_back(static_cast<char>(waiting));
  }
  if (bits > 0) out->push_back(static_cast<char>(waiting));
}

void append_varint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}

uint64_t read_varint(const uint8_t** at) {
  uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const uint8_t byte = *(*at)++;
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}

void append_halves(size_t shared, size_t rest, std::string* out) {
  out->push_back(static_cast<char>(std::min(shared, kMore) << 4 | std::min(rest, kMore)));
  if (shared >= kMore) append_varint(shared - kMore, out);
  if (rest >= kMore) append_varint(rest - kMore, out);
}

void read_halves(const uint8_t** at, size_t* shared, size_t* rest) {
  const uint8_t halves = *(*at)++;
  *shared = halves >> 4, *rest = halves & 0xf;
  if (*shared == kMore) *shared += read_varint(at);
  if (*rest == kMore) *rest += read_varint(at);
}

size_t common_prefix(std::string_view a, std::string_view b) {
  const size_t most = std::min(a.size(), b.size());
  size_t i = 0;
  for (; i + 8 <= most; i += 8) {
    const auto differing = load<uint64_t>(reinterpret_cast<const uint8_t*>(a.data() + i)) ^
                           load<uint64_t>(reinterpret_cast<const uint8_t*>(b.data() + i));
    if (differing != 0) return i + static_cast<size_t>(std::countr_zero(differing)) / 8;
  }
  while (i < most && a[i] == b[i]) ++i;
  return i;
}

size_t common_suffix(std::string_view a, std::string_view b, size_t most) {
  size_t i = 0;
  while (i < most && a[a.size() - 1 - i] == b[b.size() - 1 - i]) ++i;
  return i;
}

uint64_t number_of(std::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

void append_number(uint64_t value, size_t bytes, std::string* out) {
  for (size_t i = bytes; i-- > 0;) out->push_back(static_cast<char>(value >> (8 * i)));
}

void append_places(const std::vector<uint64_t>& places, std::string* out) {
  const size_t count = places.size();
  uint8_t stray[KeyPageWriter::kBlockKeys / 8] = {};
  std::vector<uint64_t> strays, skips;
  uint64_t base = places.front(), regular = 0;
  if (places.back() - base != count - 1 || !std::is_sorted(places.begin(), places.end())) {
    auto sorted = places;
    const auto middle = sorted.begin() + static_cast<ptrdiff_t>(count / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    const uint64_t from = *middle - std::min(*middle, kNear * count), to = *middle + kNear * count;
    uint64_t last = 0;
    for (size_t i = 0; i < count; ++i) {
      if (places[i] < from || places[i] > to || (regular > 0 && places[i] <= last)) {
        stray[i / 8] = static_cast<uint8_t>(stray[i / 8] | 1u << i % 8);
        strays.push_back(places[i]);
        skips.push_back(0);
        continue;
      }
      if (regular == 0) base = places[i];
      last = places[i];
      skips.push_back(last - base - regular++);
    }
  }
  const uint64_t greatest = skips.empty() ? 0 : *std::max_element(skips.begin(), skips.end());
  append_varint(base, out);
  out->push_back(static_cast<char>(width_of(greatest)));
  uint64_t least = 0;
  unsigned width = 0;
  if (!strays.empty()) {
    const auto [low, high] = std::minmax_element(strays.begin(), strays.end());
    least = *low;
    width = width_of(*high - *low);
    out->push_back(static_cast<char>(1 + width));
    out->append(reinterpret_cast<const char*>(stray), (count + 7) / 8);
    append_varint(least, out);
  } else {
    out->push_back(0);
  }
  pack(
      skips.size(), width_of(greatest), [&](size_t i) { return skips[i]; }, out);
  pack(
      strays.size(), width, [&](size_t i) { return strays[i] - least; }, out);
}

void append_keys(const KeyBlock& block, std::string* out) {
  const size_t count = block.size();
  const std::string_view first = block.key(0);
  // Keys ascend, so what the first and the last have in common all have.
  const size_t prefix = common_prefix(first, block.key(count - 1));
  size_t suffix = first.size() - prefix;
  bool one_size = true;
  for (size_t i = 1; i < count; ++i) {
    const std::string_view key = block.key(i);
    one_size &= key.size() == first.size();
    suffix = common_suffix(first, key, std::min(suffix, key.size() - prefix));
  }
  const auto middle = [&](size_t i) { return block.key(i).substr(prefix, block.key(i).size() - prefix - suffix); };
  if (one_size && first.size() - prefix - suffix <= kNumberBytesMax) {
    uint64_t step[KeyPageWriter::kBlockKeys], least = UINT64_MAX, most = 0;
    for (size_t i = 1, last = number_of(middle(0)); i < count; ++i) {
      const uint64_t number = number_of(middle(i));
      step[i - 1] = number - last;
      last = number;
      least = std::min(least, step[i - 1]);
      most = std::max(most, step[i - 1]);
    }
    if (count == 1) least = most = 0;
    append_varint(prefix, out);
    append_varint(suffix, out);
    out->push_back(kNumbers);
    out->push_back(static_cast<char>(width_of(most - least)));
    append_varint(least, out);
    pack(
        count - 1, width_of(most - least), [&](size_t i) { return step[i] - least; }, out);
    return;
  }
  // Without an end that all have in common, keys of several sizes may stand in another order: "bac" and "bc" without "c".
  for (size_t i = 1; suffix > 0 && i < count; ++i) {
    if (middle(i - 1) >= middle(i)) suffix = 0;
  }
  append_varint(prefix, out);
  append_varint(suffix, out);
  out->push_back(kChanges);
  for (size_t i = 1; i < count; ++i) {
    const size_t shared = common_prefix(middle(i - 1), middle(i));
    const std::string_view rest = middle(i).substr(shared);
    append_halves(shared, rest.size(), out);
    out->append(rest);
  }
}

}  // namespace

bool KeyPageWriter::add(const KeyBlock& block, size_t bytes_max) {
  CHECK(block.size() > 0);
  CHECK(block.size() <= kBlockKeys);
  scratch_.clear();
  append_varint(block.key(0).size(), &scratch_);
  scratch_.append(block.key(0));
  append_places(block.places, &scratch_);
  append_keys(block, &scratch_);
  if (!empty() && bytes() + kEntryBytes + scratch_.size() > bytes_max) return false;
  blocks_.push_back({static_cast<uint32_t>(bytes_.size()), keys_});
  bytes_ += scratch_;
  keys_ += static_cast<uint32_t>(block.size());
  return true;
}

size_t KeyPageWriter::bytes() const { return kHeaderBytes + blocks_.size() * kEntryBytes + bytes_.size() + kTailBytes; }

void KeyPageWriter::take(uint8_t* out) {
  const auto put = [&](uint32_t value) {
    std::memcpy(out, &value, sizeof(value));
    out += sizeof(value);
  };
  const auto before = static_cast<uint32_t>(kHeaderBytes + blocks_.size() * kEntryBytes);
  put(static_cast<uint32_t>(blocks_.size()));
  put(keys_);
  for (const Entry& entry : blocks_) put(before + entry.offset), put(entry.keys_before);
  std::memcpy(out, bytes_.data(), bytes_.size());
  std::memset(out + bytes_.size(), 0, kTailBytes);
  blocks_.clear();
  bytes_.clear();
  keys_ = 0;
}

// --- Reading ---

/// One block taken apart, but for its keys.
struct KeyPage::Block {
  Block(const uint8_t* at, size_t keys) : count(keys) {
    const size_t size = read_varint(&at);
    first = {reinterpret_cast<const char*>(at), size};
    at += size;
    base = read_varint(&at);
    skip_width = *at++;
    const uint8_t one_more = *at++;
    size_t stray_count = 0;
    if (one_more > 0) {
      stray_width = one_more - 1u;
      stray = at;
      stray_count = strays_before(count);
      at += (count + 7) / 8;
      least_stray = read_varint(&at);
    }
    skips = at;
    at += packed_bytes(count, skip_width);
    strays = at;
    at += packed_bytes(stray_count, stray_width);
    prefix = read_varint(&at);
    suffix = read_varint(&at);
    form = static_cast<Form>(*at++);
    if (form == kNumbers) {
      step_width = *at++;
      least_step = read_varint(&at);
    }
    rest = at;
  }

  size_t strays_before(size_t i) const {
    size_t n = 0, byte = 0;
    for (; byte + 8 <= i / 8; byte += 8) n += static_cast<size_t>(std::popcount(load<uint64_t>(stray + byte)));
    for (; byte < i / 8; ++byte) n += static_cast<size_t>(std::popcount(stray[byte]));
    return i % 8 == 0 ? n : n + static_cast<size_t>(std::popcount(static_cast<uint8_t>(stray[byte] << (8 - i % 8))));
  }
  uint64_t place(size_t i) const {
    const size_t before = stray == nullptr ? 0 : strays_before(i);
    if (stray != nullptr && (stray[i / 8] >> i % 8 & 1) != 0) return least_stray + packed(strays, before, stray_width);
    return base + (i - before) + packed(skips, i, skip_width);
  }
  std::string_view middle() const { return first.substr(prefix, first.size() - prefix - suffix); }
  uint64_t step(size_t i) const { return least_step + packed(rest, i - 1, step_width); }

  /// Which of the keys it is.
  std::optional<size_t> find(std::string_view key) const {
    if (key.size() < prefix + suffix) return std::nullopt;
    if (std::memcmp(key.data(), first.data(), prefix) != 0) return std::nullopt;
    if (std::memcmp(key.data() + key.size() - suffix, first.data() + first.size() - suffix, suffix) != 0)
      return std::nullopt;
    const std::string_view wanted = key.substr(prefix, key.size() - prefix - suffix);
    return form == kNumbers ? find_number(wanted) : find_change(wanted);
  }
  std::optional<size_t> find_number(std::string_view wanted) const {
    if (wanted.size() != middle().size()) return std::nullopt;
    const uint64_t number = number_of(wanted);
    uint64_t at = number_of(middle());
    if (number <= at) return number == at ? std::optional<size_t>(0) : std::nullopt;
    if (step_width == 0) {
      if (least_step == 0 || (number - at) % least_step != 0) return std::nullopt;
      const uint64_t i = (number - at) / least_step;
      return i < count ? std::optional<size_t>(i) : std::nullopt;
    }
    for (size_t i = 1; i < count; ++i) {
      at += step(i);
      if (at >= number) return at == number ? std::optional<size_t>(i) : std::nullopt;
    }
    return std::nullopt;
  }
  std::optional<size_t> find_change(std::string_view wanted) const {
    size_t same = common_prefix(wanted, middle());  // of `wanted` and the key that was looked at last, which is less
    if (same == wanted.size() || (same < middle().size() && middle()[same] != wanted[same])) {
      const int order = wanted.compare(middle());
      if (order <= 0) return order == 0 ? std::optional<size_t>(0) : std::nullopt;
    }
    const uint8_t* at = rest;
    for (size_t i = 1; i < count; ++i) {
      size_t shared, size;
      read_halves(&at, &shared, &size);
      const std::string_view change(reinterpret_cast<const char*>(at), size);
      at += size;
      if (shared > same) continue;             // less, where the key before was
      if (shared < same) return std::nullopt;  // greater than the key before where that is as wanted
      const std::string_view left = wanted.substr(same);
      const size_t more = common_prefix(left, change);
      if (more == left.size()) return more == size ? std::optional<size_t>(i) : std::nullopt;
      if (more<size&& static_cast<uint8_t>(change[more])> static_cast<uint8_t>(left[more])) return std::nullopt;
      same += more;
    }
    return std::nullopt;
  }

  void read(KeyBlock* out) const {
    out->clear();
    out->add(first, place(0));
    const std::string_view begin = first.substr(0, prefix), end = first.substr(first.size() - suffix);
    std::string key(middle());
    uint64_t number = form == kNumbers ? number_of(middle()) : 0;
    const uint8_t* at = rest;
    for (size_t i = 1; i < count; ++i) {
      if (form == kNumbers) {
        const size_t size = key.size();
        key.clear();
        append_number(number += step(i), size, &key);
      } else {
        size_t shared, size;
        read_halves(&at, &shared, &size);
        key.resize(shared);
        key.append(reinterpret_cast<const char*>(at), size);
        at += size;
      }
      out->bytes.append(begin);
      out->bytes.append(key);
      out->add(end, place(i));
    }
  }

  const size_t count;
  std::string_view first;
  uint64_t base = 0, least_stray = 0, least_step = 0;
  unsigned skip_width = 0, stray_width = 0, step_width = 0;
  const uint8_t *stray = nullptr, *skips = nullptr, *strays = nullptr, *rest = nullptr;
  size_t prefix = 0, suffix = 0;
  Form form = kNumbers;
};

KeyPage::KeyPage(const uint8_t* bytes)
    : bytes_(bytes), blocks_(load<uint32_t>(bytes)), keys_(load<uint32_t>(bytes + 4)) {}

const uint8_t* KeyPage::at(uint32_t block) const {
  return bytes_ + load<uint32_t>(bytes_ + kHeaderBytes + block * kEntryBytes);
}

uint32_t KeyPage::first_rank(uint32_t block) const {
  return block == blocks_ ? keys_ : load<uint32_t>(bytes_ + kHeaderBytes + block * kEntryBytes + 4);
}

std::string_view KeyPage::first_key(uint32_t block) const {
  const uint8_t* from = at(block);
  const size_t size = read_varint(&from);
  return {reinterpret_cast<const char*>(from), size};
}

std::optional<uint32_t> KeyPage::block_for(std::string_view key) const {
  uint32_t low = 0, high = blocks_;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (first_key(middle) <= key)
      low = middle + 1;
    else
      high = middle;
  }
  return low == 0 ? std::nullopt : std::optional<uint32_t>(low - 1);
}

uint32_t KeyPage::block_of(uint32_t rank) const {
  uint32_t low = 0, high = blocks_;
  while (high - low > 1) {
    const uint32_t middle = (low + high) / 2;
    if (first_rank(middle) <= rank)
      low = middle;
    else
      high = middle;
  }
  return low;
}

std::optional<KeyPage::Hit> KeyPage::find(std::string_view key) const {
  const auto number = block_for(key);
  if (!number) return std::nullopt;
  const uint32_t before = first_rank(*number);
  const Block block(at(*number), first_rank(*number + 1) - before);
  const auto i = block.find(key);
  if (!i) return std::nullopt;
  return Hit{before + static_cast<uint32_t>(*i), block.place(*i)};
}

uint32_t KeyPage::lower_bound(std::string_view key) const {
  const auto number = block_for(key);
  if (!number) return 0;
  KeyBlock block;
  read(*number, &block);
  size_t i = 0;
  while (i < block.size() && block.key(i) < key) ++i;
  return first_rank(*number) + static_cast<uint32_t>(i);
}

void KeyPage::read(uint32_t block, KeyBlock* out) const {
  Block(at(block), first_rank(block + 1) - first_rank(block)).read(out);
}

}  // namespace omendb::sql
