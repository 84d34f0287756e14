#include "sql/columnar/column_places.h"

#include <algorithm>
#include <bit>

#include "sql/error.h"

namespace omendb::sql {
namespace {

constexpr size_t kBlockBytes = 16 << 10;  // of keys, that are packed together
// Fewer keys than these are not worth a page.
constexpr uint64_t kRunMin = 4096;
// Scattered keys, as a share of all, that are worth packing; pieces beside those that full pages would be.
constexpr uint64_t kLooseShare = 16, kLooseMin = 65536, kLoosePieces = 1000;
// While copies are taken up, which others wait for, more may be scattered.
constexpr uint64_t kFillShare = 3;

void require_once(bool once) {
  if (!once) throw SqlError(SqlState::kIndexCorrupted, "copy in columns: a key comes twice");
}

}  // namespace

/// Keys in memory that DuckDB accounts for; a full page is one that it can evict.
struct KeyPlaces::Page {
  Page(duckdb::BufferManager& buffers, KeyPageWriter& writer, std::shared_ptr<std::atomic<uint64_t>> counted)
      : usage(std::move(counted)), keys(writer.keys()) {
    const size_t bytes = writer.bytes(), block = buffers.GetBlockSize();
    if (bytes <= block / 2) {
      memory = buffers.RegisterSmallMemory(duckdb::MemoryTag::EXTENSION, bytes);
      writer.take(buffers.Pin(memory).Ptr());
      taken = bytes;
    } else {
      auto pin = buffers.Allocate(duckdb::MemoryTag::EXTENSION, std::max(bytes, block), false);
      memory = pin.GetBlockHandle();
      writer.take(pin.Ptr());
      taken = std::max(bytes, block);
    }
    *usage += taken;
  }
  ~Page() { *usage -= taken; }
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  bool gone(uint32_t rank) const { return !marks.empty() && (marks[rank / 64] >> rank % 64 & 1) != 0; }
  uint64_t count_gone(uint32_t begin, uint32_t end) const {
    uint64_t count = 0;
    for (uint32_t rank = begin; !marks.empty() && rank < end;) {
      const uint32_t bits = std::min(64 - rank % 64, end - rank);
      const uint64_t word = marks[rank / 64] >> rank % 64;
      count += static_cast<uint64_t>(std::popcount(bits == 64 ? word : word & ((uint64_t{1} << bits) - 1)));
      rank += bits;
    }
    return count;
  }

  const std::shared_ptr<std::atomic<uint64_t>> usage;
  duckdb::shared_ptr<duckdb::BlockHandle> memory;
  const uint32_t keys;
  uint64_t taken = 0;
  uint64_t first_place = 0;     // what the page's places count from
  std::vector<uint64_t> marks;  // a bit for each key that has gone; empty: none has
};

KeyPlaces::KeyPlaces(duckdb::BufferManager& buffers, uint32_t fixed_key_bytes)
    : buffers_(buffers),
      fixed_key_bytes_(fixed_key_bytes),
      usage_(std::make_shared<std::atomic<uint64_t>>(0)),
      scattered_(make_scattered()) {}

std::shared_ptr<index::OrderedIndex> KeyPlaces::make_scattered() const {
  return std::make_shared<index::OrderedIndex>(index::Options{fixed_key_bytes_});
}

size_t KeyPlaces::piece_at(std::string_view key) const {
  const auto it = std::lower_bound(pieces_.begin(), pieces_.end(), key,
                                   [](const Piece& piece, std::string_view wanted) { return piece.last < wanted; });
  return static_cast<size_t>(it - pieces_.begin());
}

KeyPage KeyPlaces::pin(const Piece& piece, duckdb::BufferHandle* handle) const {
  auto memory = piece.page->memory;
  *handle = buffers_.Pin(memory);
  return KeyPage(handle->Ptr());
}

uint64_t KeyPlaces::own_bytes() const {
  std::shared_ptr<index::OrderedIndex> scattered;
  {
    const MutexLock lock(scattered_mutex_);
    scattered = scattered_;
  }
  return scattered->memory_bytes() + piece_bytes_.load(std::memory_order_relaxed);
}

void KeyPlaces::count_own_bytes() {
  uint64_t bytes = pieces_.capacity() * sizeof(Piece);
  for (const Piece& piece : pieces_) {
    bytes += sizeof(Page) + piece.first.size() + piece.last.size() + piece.page->marks.size() * sizeof(uint64_t);
  }
  piece_bytes_.store(bytes, std::memory_order_relaxed);
}

// --- Finding ---

std::optional<KeyPlaces::Found> KeyPlaces::Finder::find(std::string_view key) {
  if (const auto place = places_.scattered_->find(key)) return Found{*place, nullptr, 0};
  return find_packed(key);
}

std::optional<KeyPlaces::Found> KeyPlaces::Finder::find_packed(std::string_view key) {
  const auto& pieces = places_.pieces_;
  if (piece_ >= pieces.size() || key < pieces[piece_].first || key > pieces[piece_].last) {
    const size_t piece = places_.piece_at(key);
    if (piece == pieces.size() || key < pieces[piece].first) return std::nullopt;
    piece_ = SIZE_MAX;
    places_.pin(pieces[piece], &pin_);
    piece_ = piece;
  }
  const Piece& piece = pieces[piece_];
  const auto hit = KeyPage(pin_.Ptr()).find(key);
  if (!hit || hit->rank < piece.begin || hit->rank >= piece.end || piece.page->gone(hit->rank)) return std::nullopt;
  return Found{piece.page->first_place + hit->place, piece.page.get(), hit->rank};
}

KeyPlaces::Extent KeyPlaces::extent(std::string_view first, std::string_view last,
                                    const std::function<void(uint64_t place)>& place) const {
  Extent result;
  KeyBlock block;
  for (size_t i = piece_at(first); i < pieces_.size() && pieces_[i].first <= last; ++i) {
    const Piece& piece = pieces_[i];
    const Page& page = *piece.page;
    duckdb::BufferHandle handle;
    const KeyPage keys = pin(piece, &handle);
    Extent::Part part{i, piece.begin, piece.end, {}, {}};
    const auto read = [&](uint32_t rank) {
      const uint32_t number = keys.block_of(rank);
      keys.read(number, &block);
      return std::string(block.key(rank - keys.first_rank(number)));
    };
    if (piece.first < first) part.begin = std::clamp(keys.lower_bound(first), piece.begin, piece.end);
    if (piece.last > last) {
      part.end = std::clamp(keys.lower_bound(last), part.begin, piece.end);
      if (part.end < piece.end && read(part.end) == last) ++part.end;
    }
    if (part.begin > piece.begin) part.before = read(part.begin - 1);
    if (part.end < piece.end) part.after = read(part.end);
    result.keys_ += part.end - part.begin - page.count_gone(part.begin, part.end);
    if (place)
      for_each_packed({{}, {}, piece.page, part.begin, part.end}, [&](std::string_view, uint64_t at) { place(at); });
    result.parts_.push_back(std::move(part));
  }
  auto cursor = scattered_->cursor(index::OrderedIndex::Cursor::kBatchMax);
  for (bool more = cursor.seek(first); more && cursor.key() <= last; more = cursor.next()) {
    if (place) place(cursor.payload());
    result.scattered_.emplace_back(cursor.key());
  }
  result.keys_ += result.scattered_.size();
  return result;
}

// --- Runs ---

void KeyPlaces::Run::append(Run&& next) {
  next.move_to(keys_);
  for (auto& piece : next.pieces_) pieces_.push_back(std::move(piece));
  keys_ += next.keys_;
}

void KeyPlaces::Run::move_to(uint64_t place) {
  for (auto& piece : pieces_) piece.page->first_place += place;
}

void KeyPlaces::RunWriter::add(std::string_view key, uint64_t place) {
  if (block_.size() == KeyPageWriter::kBlockKeys || block_.bytes.size() > kBlockBytes) end_block();
  block_.add(key, place);
  ++keys_;
}

void KeyPlaces::RunWriter::end_block() {
  if (block_.size() == 0) return;
  if (!page_.add(block_, buffers_.GetBlockSize())) {
    end_page();
    CHECK(page_.add(block_, buffers_.GetBlockSize()));
  }
  if (page_.keys() == block_.size()) first_ = block_.key(0);
  last_ = block_.key(block_.size() - 1);
  block_.clear();
}

void KeyPlaces::RunWriter::end_page() {
  if (page_.empty()) return;
  auto page = std::make_shared<Page>(buffers_, page_, usage_);
  const uint32_t keys = page->keys;
  run_.pieces_.push_back({std::move(first_), std::move(last_), std::move(page), 0, keys});
  run_.keys_ += keys;
}

KeyPlaces::Run KeyPlaces::RunWriter::take() {
  end_block();
  end_page();
  keys_ = 0;
  return std::exchange(run_, Run());
}

template <class F>
void KeyPlaces::for_each_packed(const Piece& piece, F f) const {
  duckdb::BufferHandle handle;
  const KeyPage keys = pin(piece, &handle);
  KeyBlock block;
  for (uint32_t rank = piece.begin; rank < piece.end;) {
    const uint32_t number = keys.block_of(rank), before = keys.first_rank(number),
                   end = std::min(keys.first_rank(number + 1), piece.end);
    keys.read(number, &block);
    for (; rank < end; ++rank) {
      if (!piece.page->gone(rank)) f(block.key(rank - before), piece.page->first_place + block.places[rank - before]);
    }
  }
}

void KeyPlaces::place_run(Run* run, uint64_t place) const {
  run->move_to(place);
  if (run->keys_ >= kRunMin) return;
  for (const Piece& piece : run->pieces_) {
    for_each_packed(piece, [&](std::string_view key, uint64_t at) { run->few_.emplace_back(key, at); });
  }
  run->pieces_.clear();
}

// --- Changing ---

void KeyPlaces::mark(Page& page, uint32_t rank) {
  if (page.marks.empty()) {
    page.marks.resize((page.keys + 63) / 64);
    piece_bytes_ += page.marks.size() * sizeof(uint64_t);
  }
  uint64_t& word = page.marks[rank / 64];
  const uint64_t bit = uint64_t{1} << rank % 64;
  if ((word & bit) != 0) return;
  word |= bit;
  --packed_keys_;
}

void KeyPlaces::put(std::string_view key, const std::optional<Found>& was, uint64_t place) {
  if (was && was->page != nullptr) mark(*was->page, was->rank);
  scattered_->upsert(key, place);
}

void KeyPlaces::erase(std::string_view key, const std::optional<Found>& was) {
  if (!was) return;
  if (was->page != nullptr)
    mark(*was->page, was->rank);
  else
    scattered_->erase(key);
}

void KeyPlaces::replace(const Extent& extent, Run&& run) {
  for (const auto& key : extent.scattered_) scattered_->erase(key);
  if (run.pieces_.empty()) {
    for (const auto& part : extent.parts_) {
      for (uint32_t rank = part.begin; rank < part.end; ++rank) mark(*pieces_[part.piece].page, rank);
    }
    for (const auto& [key, place] : run.few_) scattered_->upsert(key, place);
    return;
  }
  // Pieces that it cuts through keep what is before and after it.
  std::vector<Piece> left, right;
  for (const auto& part : extent.parts_) {
    Piece& piece = pieces_[part.piece];
    packed_keys_ -= part.end - part.begin - piece.page->count_gone(part.begin, part.end);
    if (part.begin > piece.begin) left.push_back({piece.first, part.before, piece.page, piece.begin, part.begin});
    if (part.end < piece.end) right.push_back({part.after, piece.last, piece.page, part.end, piece.end});
  }
  size_t at = 0;
  if (!extent.parts_.empty()) {
    at = extent.parts_.front().piece;
    pieces_.erase(pieces_.begin() + static_cast<ptrdiff_t>(at),
                  pieces_.begin() + static_cast<ptrdiff_t>(extent.parts_.back().piece + 1));
  } else {
    at = piece_at(run.pieces_.front().first);
  }
  left.insert(left.end(), std::make_move_iterator(run.pieces_.begin()), std::make_move_iterator(run.pieces_.end()));
  left.insert(left.end(), std::make_move_iterator(right.begin()), std::make_move_iterator(right.end()));
  pieces_.insert(pieces_.begin() + static_cast<ptrdiff_t>(at), std::make_move_iterator(left.begin()),
                 std::make_move_iterator(left.end()));
  packed_keys_ += run.keys_;
  count_own_bytes();
}

void KeyPlaces::fill(const std::function<bool(std::string_view* key, uint64_t* place)>& next) {
  // Rows stand in the order of their keys, but for those that were folded in: these are among keys that are in pages already, or begin another run.
  RunWriter writer(*this);
  std::string last, limit;
  bool running = false, limited = false;
  uint64_t strays = 0;  // since it was seen whether there are too many
  const auto end_run = [&] {
    running = false;
    strays = 0;
    Run run = writer.take();
    place_run(&run, 0);
    replace(Extent(), std::move(run));
    if (scattered_->size() > std::max(kLooseMin, size() / kFillShare)) adopt(pack());
  };
  const auto starts_by = [&](size_t piece, std::string_view wanted) {
    return piece < pieces_.size() && pieces_[piece].first <= wanted;
  };
  std::string_view key;
  uint64_t place = 0;
  while (next(&key, &place)) {
    if (!running || key <= last || (limited && key >= limit)) {
      size_t piece = piece_at(key);
      if (running && !starts_by(piece, key)) {
        end_run();
        piece = piece_at(key);  // it may be in the run that ended
      }
      if (starts_by(piece, key)) {
        require_once(scattered_->insert(key, place));
        if (++strays > std::max(kLooseMin, packed_keys_ / kFillShare)) end_run();
        continue;
      }
      running = true;
      limited = piece < pieces_.size();
      if (limited) limit = pieces_[piece].first;
    }
    writer.add(key, place);
    last.assign(key);
  }
  end_run();
  if (loose()) return;  // what packs it will see keys that come twice
  Finder finder(*this);
  auto cursor = scattered_->cursor(index::OrderedIndex::Cursor::kBatchMax);
  for (bool more = cursor.seek_first(); more; more = cursor.next()) require_once(!finder.find_packed(cursor.key()));
}

bool KeyPlaces::loose() const {
  const uint64_t full = usage_->load(std::memory_order_relaxed) / buffers_.GetBlockSize();
  return scattered_->size() > std::max(kLooseMin, size() / kLooseShare) || pieces_.size() > 2 * full + kLoosePieces;
}

KeyPlaces::Run KeyPlaces::pack() const {
  RunWriter writer(*this);
  auto cursor = scattered_->cursor(index::OrderedIndex::Cursor::kBatchMax);
  bool more = cursor.seek_first();
  for (const Piece& piece : pieces_) {
    for_each_packed(piece, [&](std::string_view key, uint64_t place) {
      for (; more && cursor.key() <= key; more = cursor.next()) {
        require_once(cursor.key() != key);
        writer.add(cursor.key(), cursor.payload());
      }
      writer.add(key, place);
    });
  }
  for (; more; more = cursor.next()) writer.add(cursor.key(), cursor.payload());
  return writer.take();
}

KeyPlaces::Old KeyPlaces::adopt(Run&& packed) {
  CHECK(packed.keys_ == size());
  Old old{std::exchange(pieces_, std::move(packed.pieces_)), make_scattered()};
  packed_keys_ = packed.keys_;
  count_own_bytes();
  const MutexLock lock(scattered_mutex_);
  std::swap(old.scattered, scattered_);
  return old;
}

}  // namespace omendb::sql
