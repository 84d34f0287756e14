#include "index/index.h"

#include <algorithm>
#include <cstring>
#include <variant>

#include "index/bytes.h"
#include "index/core.h"

namespace omendb::index {

// Keys of one to eight bytes live in `words` as integers; all others in `bytes`.
struct OrderedIndex::Impl {
  explicit Impl(Options o) : options(o) {
    CHECK(options.fixed_key_bytes <= 8);
    if (options.fixed_key_bytes == 0) {
      bytes = std::make_unique<ByteMap>();
    } else {
      words = std::make_unique<Core>();
      shift = 8 * (8 - options.fixed_key_bytes);
    }
  }

  uint64_t word(std::string_view key) const {
    CHECK(key.size() == options.fixed_key_bytes);
    return slice_at(key, 0) >> shift;
  }
  uint64_t last_word() const { return UINT64_MAX >> shift; }
  // The smallest word whose key is >= `key`, which may have any length. False: there is none.
  bool lower_word(std::string_view key, uint64_t* out) const {
    *out = slice_at(key.substr(0, options.fixed_key_bytes), 0) >> shift;
    if (key.size() <= options.fixed_key_bytes) return true;
    return (*out)++ != last_word();  // longer than its first bytes, so after them
  }

  template <class Decide>
  void apply(std::string_view key, const Decide& decide) {
    if (words != nullptr) {
      words->apply(word(key), decide);
    } else {
      bytes->apply(key, decide);
    }
  }

  Options options;
  uint32_t shift = 0;
  std::unique_ptr<Core> words;
  std::unique_ptr<ByteMap> bytes;
};

OrderedIndex::OrderedIndex(Options options) : impl_(std::make_unique<Impl>(options)) {}
OrderedIndex::~OrderedIndex() = default;

bool OrderedIndex::insert(std::string_view key, Payload payload, Payload* existing) {
  bool added = false;
  impl_->apply(key, [&](const Payload* present, Payload* value) {
    added = present == nullptr;
    if (!added) {
      if (existing != nullptr) *existing = *present;
      return Verdict::kKeep;
    }
    *value = payload;
    return Verdict::kStore;
  });
  return added;
}

std::optional<Payload> OrderedIndex::upsert(std::string_view key, Payload payload) {
  std::optional<Payload> old;
  impl_->apply(key, [&](const Payload* present, Payload* value) {
    old = present != nullptr ? std::optional<Payload>(*present) : std::nullopt;
    *value = payload;
    return Verdict::kStore;
  });
  return old;
}

std::optional<Payload> OrderedIndex::erase(std::string_view key) {
  std::optional<Payload> old;
  impl_->apply(key, [&](const Payload* present, Payload*) {
    old = present != nullptr ? std::optional<Payload>(*present) : std::nullopt;
    return present != nullptr ? Verdict::kErase : Verdict::kKeep;
  });
  return old;
}

namespace {

// Does `verdict` to a key whose payload is *expected.
template <class Index>
Cas conditionally(Index& index, std::string_view key, Payload& expected, Verdict verdict, Payload desired) {
  Cas outcome = Cas::kAbsent;
  const Payload wanted = expected;
  index.apply(key, [&](const Payload* present, Payload* value) {
    if (present == nullptr) return Verdict::kKeep;
    if (*present != wanted) {
      outcome = Cas::kMismatch;
      expected = *present;
      return Verdict::kKeep;
    }
    outcome = Cas::kSwapped;
    *value = desired;
    return verdict;
  });
  return outcome;
}

}  // namespace

Cas OrderedIndex::erase_if(std::string_view key, Payload& expected) {
  return conditionally(*impl_, key, expected, Verdict::kErase, 0);
}

Cas OrderedIndex::compare_and_set(std::string_view key, Payload& expected, Payload desired) {
  return conditionally(*impl_, key, expected, Verdict::kStore, desired);
}

std::optional<Payload> OrderedIndex::find(std::string_view key) const {
  Payload payload;
  EpochGuard guard;
  return find_pinned(key, &payload) ? std::optional<Payload>(payload) : std::nullopt;
}

bool OrderedIndex::find_pinned(std::string_view key, Payload* payload) const {
  const Core* words = impl_->words.get();
  if (words == nullptr) return impl_->bytes->find_pinned(key, payload);
  // Eight bytes, or four, as most keys have, are one load.
  if (key.size() == impl_->options.fixed_key_bytes) [[likely]] {
    if (key.size() == 8) return words->find_pinned(slice_at(key, 0), payload);
    if (key.size() == 4) {
      uint32_t word;
      std::memcpy(&word, key.data(), sizeof(word));
      return words->find_pinned(__builtin_bswap32(word), payload);
    }
  }
  return find_pinned_otherwise(key, payload);
}
bool OrderedIndex::find_word_pinned(uint64_t key, Payload* payload) const {
  return impl_->words->find_pinned(key, payload);
}
// Apart, so that the way of most keys needs nothing on the stack.
[[gnu::noinline]] bool OrderedIndex::find_pinned_otherwise(std::string_view key, Payload* payload) const {
  return impl_->words->find_pinned(impl_->word(key), payload);
}

size_t OrderedIndex::find_many(std::span<const std::string_view> keys, std::span<std::optional<Payload>> out) const {
  CHECK(keys.size() == out.size());
  size_t hits = 0;
  if (impl_->words == nullptr) {
    EpochGuard guard;
    for (size_t i = 0; i < keys.size(); ++i) {
      out[i] = find(keys[i]);
      hits += out[i].has_value();
    }
    return hits;
  }
  constexpr size_t kBlock = 64;
  uint64_t words[kBlock], payloads[kBlock];
  bool found[kBlock];
  for (size_t start = 0; start < keys.size(); start += kBlock) {
    const size_t n = std::min(kBlock, keys.size() - start);
    for (size_t i = 0; i < n; ++i) words[i] = impl_->word(keys[start + i]);
    hits += impl_->words->find_many(words, n, payloads, found);
    for (size_t i = 0; i < n; ++i) out[start + i] = found[i] ? std::optional<Payload>(payloads[i]) : std::nullopt;
  }
  return hits;
}

uint64_t OrderedIndex::count(std::string_view lo, std::optional<std::string_view> hi) const {
  if (hi && *hi <= lo) return 0;
  if (impl_->words != nullptr) {
    uint64_t first, end;
    if (!impl_->lower_word(lo, &first)) return 0;
    if (!hi || !impl_->lower_word(*hi, &end)) return impl_->words->count(first, impl_->last_word());
    return end <= first ? 0 : impl_->words->count(first, end - 1);
  }
  constexpr size_t kBlock = 1024;
  uint64_t total = 0;
  Batch batch;
  std::string from(lo), last;
  for (bool inclusive = true;; inclusive = false) {
    EpochGuard guard;
    const std::string_view view = from;
    impl_->bytes->scan_forward(&view, inclusive, kBlock, &batch);
    // Of a batch the last key is looked at, and of the one with the end in it some ten more.
    const auto before_end = [&](size_t i) {
      last.clear();
      batch.append_key(i, &last);
      return !hi || last < *hi;
    };
    const size_t n = batch.n;
    if (n > 0 && !before_end(n - 1)) {
      size_t first = 0, end = n - 1;  // the first that is not before the end is in [first, end]
      while (first < end) {
        const size_t half = first + (end - first) / 2;
        if (before_end(half)) {
          first = half + 1;
        } else {
          end = half;
        }
      }
      return total + first;
    }
    total += n;
    if (n < kBlock) return total;
    from.swap(last);
  }
}

bool OrderedIndex::bulk_load(const std::function<bool(std::string_view* key, Payload* payload)>& next) {
  if (impl_->bytes != nullptr) return impl_->bytes->bulk_load(next);
  return impl_->words->bulk_load([&](Pair* pair) {
    std::string_view key;
    if (!next(&key, &pair->payload)) return false;
    pair->key = impl_->word(key);
    return true;
  });
}

void OrderedIndex::clear() {
  if (impl_->words != nullptr) {
    impl_->words->clear();
  } else {
    impl_->bytes->clear();
  }
}

uint64_t OrderedIndex::size() const { return impl_->words != nullptr ? impl_->words->size() : impl_->bytes->size(); }

uint64_t OrderedIndex::memory_bytes() const { return statistics().bytes; }

Statistics OrderedIndex::statistics() const {
  ByteStatistics b;
  if (impl_->words != nullptr) {
    b.cores = impl_->words->statistics();
    b.layers = 1;
  } else {
    b = impl_->bytes->statistics();
  }
  Statistics s;
  s.keys = b.cores.keys;
  s.bytes = b.cores.bytes + sizeof(Impl);
  s.leaves = b.cores.leaves;
  s.inner_nodes = b.cores.segments + b.layers;  // and a root each
  s.layers = b.layers;
  s.rebuilds = b.cores.rebuilds;
  s.splits = b.cores.splits;
  s.merges = b.cores.merges;
  s.model_error = b.cores.keys > 0 ? static_cast<double>(b.cores.drift) / static_cast<double>(b.cores.keys) : 0;
  return s;
}

Status OrderedIndex::verify() const {
  const std::string fault = impl_->words != nullptr ? impl_->words->verify() : impl_->bytes->verify();
  return fault.empty() ? Status() : Status(SqlState::kIndexCorrupted, "index: " + fault);
}

// A batch that was read in one direction, and where the cursor stands in it. Batches grow from `first`, so
// that a seek for one key does not pay for sixty-four.
struct OrderedIndex::Cursor::State {
  const Impl* impl;
  size_t first;
  Keys keys;
  size_t wanted = 0;
  size_t at = 0, n = 0;
  bool ascending = true;
  Pair pairs[kBatchMax];  // of word keys
  Batch batch;            // of byte keys
  std::string bound;
  std::string pinned_key;
  size_t pinned_at = SIZE_MAX;  // whose key that is
  char word_bytes[8];

  std::string_view key_at(size_t i) {
    if (impl->words == nullptr) {
      if (keys == Keys::kCopied) return batch.key(i);
      if (pinned_at != i) {
        pinned_key.clear();
        batch.append_key(i, &pinned_key);
        pinned_at = i;
      }
      return pinned_key;
    }
    const uint64_t big_endian = __builtin_bswap64(pairs[i].key << impl->shift);
    std::memcpy(word_bytes, &big_endian, 8);
    return {word_bytes, impl->options.fixed_key_bytes};
  }

  bool read_words(uint64_t from, bool forward) {
    uint64_t next;
    ascending = forward;
    at = 0;
    if (forward) {
      impl->words->scan_forward(from, wanted, pairs, &n, &next);
    } else {
      impl->words->scan_backward(from, wanted, pairs, &n, &next);
    }
    return n > 0;
  }
  bool read_bytes(const std::string_view* from, bool inclusive, bool forward) {
    if (from != nullptr) {
      bound.assign(*from);  // it may lie in the batch
    }
    const std::string_view view = bound;
    EpochGuard guard;
    pinned_at = SIZE_MAX;
    ascending = forward;
    at = 0;
    if (forward) {
      impl->bytes->scan_forward(from != nullptr ? &view : nullptr, inclusive, wanted, &batch);
    } else {
      impl->bytes->scan_backward(from != nullptr ? &view : nullptr, inclusive, wanted, &batch);
    }
    if (keys == Keys::kCopied) batch.copy_keys();
    n = batch.n;
    return n > 0;
  }
  bool read_on(bool forward) {
    wanted = forward == ascending ? std::min(wanted * 2, kBatchMax) : first;
    if (impl->words == nullptr) {
      const std::string_view from = key_at(at);
      return read_bytes(&from, false, forward);
    }
    const uint64_t here = pairs[at].key;
    if (here == (forward ? impl->last_word() : 0)) {
      n = 0;
      return false;
    }
    return read_words(forward ? here + 1 : here - 1, forward);
  }
  bool step(bool forward) {
    CHECK(at < n);
    if (forward == ascending) {
      if (at + 1 < n) {
        ++at;
        return true;
      }
    } else if (at > 0) {
      --at;
      return true;
    }
    return read_on(forward);
  }
};

OrderedIndex::Cursor OrderedIndex::cursor(size_t first, Keys keys) const {
  auto state = std::make_unique<Cursor::State>();
  state->impl = impl_.get();
  state->first = std::min(first, Cursor::kBatchMax);
  state->keys = keys;
  return Cursor(std::move(state));
}

OrderedIndex::Cursor::Cursor(std::unique_ptr<State> state) : state_(std::move(state)) {}
OrderedIndex::Cursor::Cursor(Cursor&&) noexcept = default;
OrderedIndex::Cursor& OrderedIndex::Cursor::operator=(Cursor&&) noexcept = default;
OrderedIndex::Cursor::~Cursor() = default;

bool OrderedIndex::Cursor::seek(std::string_view key) {
  state_->wanted = state_->first;
  state_->n = 0;
  if (state_->impl->words == nullptr) return state_->read_bytes(&key, true, true);
  uint64_t from;
  return state_->impl->lower_word(key, &from) && state_->read_words(from, true);
}

bool OrderedIndex::Cursor::seek_for_prev(std::string_view key) {
  state_->wanted = state_->first;
  state_->n = 0;
  const Impl& impl = *state_->impl;
  if (impl.words == nullptr) return state_->read_bytes(&key, true, false);
  uint64_t from = slice_at(key.substr(0, impl.options.fixed_key_bytes), 0) >> impl.shift;
  if (key.size() < impl.options.fixed_key_bytes) {  // a prefix comes before all that go on from it
    if (from == 0) return false;
    --from;
  }
  return state_->read_words(from, false);
}

bool OrderedIndex::Cursor::seek_first() {
  state_->wanted = state_->first;
  state_->n = 0;
  return state_->impl->words == nullptr ? state_->read_bytes(nullptr, true, true) : state_->read_words(0, true);
}

bool OrderedIndex::Cursor::seek_last() {
  state_->wanted = state_->first;
  state_->n = 0;
  return state_->impl->words == nullptr ? state_->read_bytes(nullptr, true, false)
                                        : state_->read_words(state_->impl->last_word(), false);
}

bool OrderedIndex::Cursor::next() { return state_->step(true); }
bool OrderedIndex::Cursor::prev() { return state_->step(false); }
bool OrderedIndex::Cursor::valid() const { return state_->at < state_->n; }
std::string_view OrderedIndex::Cursor::key() const { return state_->key_at(state_->at); }
Payload OrderedIndex::Cursor::payload() const {
  return state_->impl->words == nullptr ? state_->batch.items[state_->at].payload : state_->pairs[state_->at].payload;
}

}  // namespace omendb::index
