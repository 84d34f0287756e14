#include "index/index.h"

#include <map>
#include <mutex>
#include <shared_mutex>

namespace omendb::index {

struct OrderedIndex::Impl {
  Options options;
  mutable std::shared_mutex mutex;
  std::map<std::string, Payload, std::less<>> keys;
};

OrderedIndex::OrderedIndex(Options options) : impl_(std::make_unique<Impl>()) { impl_->options = options; }
OrderedIndex::~OrderedIndex() = default;

bool OrderedIndex::insert(std::string_view key, Payload payload, Payload* existing) {
  std::unique_lock lock(impl_->mutex);
  auto [it, added] = impl_->keys.try_emplace(std::string(key), payload);
  if (!added && existing != nullptr) *existing = it->second;
  return added;
}

std::optional<Payload> OrderedIndex::upsert(std::string_view key, Payload payload) {
  std::unique_lock lock(impl_->mutex);
  auto [it, added] = impl_->keys.try_emplace(std::string(key), payload);
  if (added) return std::nullopt;
  return std::exchange(it->second, payload);
}

std::optional<Payload> OrderedIndex::erase(std::string_view key) {
  std::unique_lock lock(impl_->mutex);
  auto it = impl_->keys.find(key);
  if (it == impl_->keys.end()) return std::nullopt;
  const Payload old = it->second;
  impl_->keys.erase(it);
  return old;
}

Cas OrderedIndex::erase_if(std::string_view key, Payload& expected) {
  std::unique_lock lock(impl_->mutex);
  auto it = impl_->keys.find(key);
  if (it == impl_->keys.end()) return Cas::kAbsent;
  if (it->second != expected) {
    expected = it->second;
    return Cas::kMismatch;
  }
  impl_->keys.erase(it);
  return Cas::kSwapped;
}

Cas OrderedIndex::compare_and_set(std::string_view key, Payload& expected, Payload desired) {
  std::unique_lock lock(impl_->mutex);
  auto it = impl_->keys.find(key);
  if (it == impl_->keys.end()) return Cas::kAbsent;
  if (it->second != expected) {
    expected = it->second;
    return Cas::kMismatch;
  }
  it->second = desired;
  return Cas::kSwapped;
}

std::optional<Payload> OrderedIndex::find(std::string_view key) const {
  std::shared_lock lock(impl_->mutex);
  auto it = impl_->keys.find(key);
  if (it == impl_->keys.end()) return std::nullopt;
  return it->second;
}

size_t OrderedIndex::find_many(std::span<const std::string_view> keys,
                               std::span<std::optional<Payload>> out) const {
  CHECK(keys.size() == out.size());
  size_t found = 0;
  for (size_t i = 0; i < keys.size(); ++i) {
    out[i] = find(keys[i]);
    found += out[i].has_value();
  }
  return found;
}

uint64_t OrderedIndex::count(std::string_view lo, std::optional<std::string_view> hi) const {
  std::shared_lock lock(impl_->mutex);
  if (hi && *hi <= lo) return 0;
  auto first = impl_->keys.lower_bound(lo);
  auto last = hi ? impl_->keys.lower_bound(*hi) : impl_->keys.end();
  return static_cast<uint64_t>(std::distance(first, last));
}

bool OrderedIndex::bulk_load(const std::function<bool(std::string_view*, Payload*)>& next) {
  std::unique_lock lock(impl_->mutex);
  CHECK(impl_->keys.empty());
  std::string_view key;
  Payload payload;
  while (next(&key, &payload)) {
    if (!impl_->keys.empty() && key <= std::prev(impl_->keys.end())->first) {
      impl_->keys.clear();
      return false;
    }
    impl_->keys.emplace_hint(impl_->keys.end(), std::string(key), payload);
  }
  return true;
}

void OrderedIndex::clear() {
  std::unique_lock lock(impl_->mutex);
  impl_->keys.clear();
}

uint64_t OrderedIndex::size() const {
  std::shared_lock lock(impl_->mutex);
  return impl_->keys.size();
}

uint64_t OrderedIndex::memory_bytes() const {
  std::shared_lock lock(impl_->mutex);
  uint64_t bytes = sizeof(Impl);
  for (const auto& [key, payload] : impl_->keys) bytes += 96 + (key.size() > 15 ? key.size() + 9 : 0);
  return bytes;
}

Statistics OrderedIndex::statistics() const {
  Statistics s;
  s.keys = size();
  s.bytes = memory_bytes();
  s.layers = 1;
  return s;
}

Status OrderedIndex::verify() const { return {}; }

struct OrderedIndex::Cursor::State {
  const Impl* impl;
  bool valid = false;
  std::string key;
  Payload payload = 0;

  template <class Iterator>
  bool take(Iterator it) {
    valid = it != impl->keys.end();
    if (valid) {
      key = it->first;
      payload = it->second;
    }
    return valid;
  }
  template <class Iterator>
  bool take_before(Iterator it) {
    return take(it == impl->keys.begin() ? impl->keys.end() : std::prev(it));
  }
};

OrderedIndex::Cursor OrderedIndex::cursor() const {
  auto state = std::make_unique<Cursor::State>();
  state->impl = impl_.get();
  return Cursor(std::move(state));
}

OrderedIndex::Cursor::Cursor(std::unique_ptr<State> state) : state_(std::move(state)) {}
OrderedIndex::Cursor::Cursor(Cursor&&) noexcept = default;
OrderedIndex::Cursor& OrderedIndex::Cursor::operator=(Cursor&&) noexcept = default;
OrderedIndex::Cursor::~Cursor() = default;

bool OrderedIndex::Cursor::seek(std::string_view key) {
  std::shared_lock lock(state_->impl->mutex);
  return state_->take(state_->impl->keys.lower_bound(key));
}
bool OrderedIndex::Cursor::seek_for_prev(std::string_view key) {
  std::shared_lock lock(state_->impl->mutex);
  return state_->take_before(state_->impl->keys.upper_bound(key));
}
bool OrderedIndex::Cursor::seek_first() {
  std::shared_lock lock(state_->impl->mutex);
  return state_->take(state_->impl->keys.begin());
}
bool OrderedIndex::Cursor::seek_last() {
  std::shared_lock lock(state_->impl->mutex);
  return state_->take_before(state_->impl->keys.end());
}
bool OrderedIndex::Cursor::next() {
  CHECK(state_->valid);
  std::shared_lock lock(state_->impl->mutex);
  return state_->take(state_->impl->keys.upper_bound(state_->key));
}
bool OrderedIndex::Cursor::prev() {
  CHECK(state_->valid);
  std::shared_lock lock(state_->impl->mutex);
  return state_->take_before(state_->impl->keys.lower_bound(state_->key));
}
bool OrderedIndex::Cursor::valid() const { return state_->valid; }
std::string_view OrderedIndex::Cursor::key() const { return state_->key; }
Payload OrderedIndex::Cursor::payload() const { return state_->payload; }

}  // namespace omendb::index
