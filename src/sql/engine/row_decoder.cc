#include "sql/engine/row_decoder.h"

#include <cstring>

#include "codec/row.h"
#include "sql/engine/vectors.h"

namespace omendb::sql {
namespace {

using duckdb::FlatVector;
using types::Physical;

constexpr size_t kBlockBytes = 256 * 1024;

template <class T, size_t kBytes = sizeof(T)>
void decode_fixed(const codec::RowLayout& layout, size_t column, const RowBatch& batch,
                  const duckdb::SelectionVector* sel, size_t count, duckdb::Vector& out) {
  auto* data = FlatVector::GetData<T>(out);
  auto& validity = FlatVector::Validity(out);
  for (size_t i = 0; i < count; ++i) {
    const codec::RowView row(layout, batch.row(sel == nullptr ? i : sel->get_index(i)));
    if (row.is_null(column)) {
      validity.SetInvalid(i);
    } else {
      std::memcpy(&data[i], row.fixed(column), kBytes);
    }
  }
}

}  // namespace

class RowBatch::Arena : public duckdb::VectorBuffer {
 public:
  Arena() : VectorBuffer(duckdb::VectorBufferType::OPAQUE_BUFFER) {}
  char* allocate(size_t bytes) {
    if (bytes > left_) {
      ++block_;
      while (block_ < blocks_.size() && blocks_[block_].second < bytes) ++block_;
      if (block_ >= blocks_.size()) {
        const size_t size = std::max(bytes, kBlockBytes);
        blocks_.emplace_back(std::make_unique<char[]>(size), size);
        block_ = blocks_.size() - 1;
      }
      next_ = blocks_[block_].first.get();
      left_ = blocks_[block_].second;
    }
    char* result = next_;
    next_ += bytes;
    left_ -= bytes;
    return result;
  }
  void reset() {
    block_ = static_cast<size_t>(-1);
    left_ = 0;
  }

 private:
  std::vector<std::pair<std::unique_ptr<char[]>, size_t>> blocks_;
  size_t block_ = static_cast<size_t>(-1);
  char* next_ = nullptr;
  size_t left_ = 0;
};

void RowBatch::clear() {
  keys_.clear();
  rows_.clear();
  arena_ = nullptr;
  for (auto& candidate : pool_) {
    if (candidate.use_count() == 1) {
      arena_ = candidate;
      break;
    }
  }
  if (arena_ == nullptr) {
    arena_ = duckdb::make_buffer<Arena>();
    if (pool_.size() < 4) pool_.push_back(arena_);
  }
  current_ = static_cast<Arena*>(arena_.get());
  current_->reset();
}

void RowBatch::add(std::string_view key, std::string_view row) {
  char* bytes = current_->allocate(key.size() + row.size());
  std::copy(row.begin(), row.end(),
            std::copy(key.begin(), key.end(), bytes));  // a key that nobody asked for is a null pointer
  keys_.emplace_back(bytes, key.size());
  rows_.emplace_back(bytes + key.size(), row.size());
}

void decode_column(const TableSchema& schema, size_t column, const RowBatch& batch, const duckdb::SelectionVector* sel,
                   size_t count, duckdb::Vector& out) {
  out.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  FlatVector::Validity(out).Reset();
  auto at = [&](size_t i) { return sel == nullptr ? i : sel->get_index(i); };

  if (column == schema.key_column()) {
    auto* data = FlatVector::GetData<duckdb::string_t>(out);
    for (size_t i = 0; i < count; ++i) {
      const std::string_view key = batch.key(at(i));
      data[i] = duckdb::string_t(key.data(), static_cast<uint32_t>(key.size()));
    }
    duckdb::StringVector::AddBuffer(out, batch.buffer());
    return;
  }

  const codec::RowLayout& layout = schema.access->layout();
  switch (layout.column(column).kind) {
    case Physical::kBool: decode_fixed<uint8_t>(layout, column, batch, sel, count, out); break;
    case Physical::kInt16: decode_fixed<int16_t>(layout, column, batch, sel, count, out); break;
    case Physical::kInt32: decode_fixed<int32_t>(layout, column, batch, sel, count, out); break;
    case Physical::kUInt32: decode_fixed<uint32_t>(layout, column, batch, sel, count, out); break;
    case Physical::kInt64: decode_fixed<int64_t>(layout, column, batch, sel, count, out); break;
    case Physical::kFloat32: decode_fixed<float>(layout, column, batch, sel, count, out); break;
    case Physical::kFloat64: decode_fixed<double>(layout, column, batch, sel, count, out); break;
    case Physical::kInt128:
    case Physical::kUuid: decode_fixed<duckdb::hugeint_t>(layout, column, batch, sel, count, out); break;
    case Physical::kInterval: decode_fixed<duckdb::interval_t>(layout, column, batch, sel, count, out); break;
    case Physical::kBytes: {
      auto* data = FlatVector::GetData<duckdb::string_t>(out);
      auto& validity = FlatVector::Validity(out);
      for (size_t i = 0; i < count; ++i) {
        const codec::RowView row(layout, batch.row(at(i)));
        if (row.is_null(column)) {
          validity.SetInvalid(i);
        } else {
          const std::string_view bytes = row.bytes(column);
          data[i] = duckdb::string_t(bytes.data(), static_cast<uint32_t>(bytes.size()));
        }
      }
      duckdb::StringVector::AddBuffer(out, batch.buffer());
      break;
    }
  }

  // Rows older than ADD COLUMN ... DEFAULT.
  if (!schema.has_missing) return;
  const auto& missing = schema.table().columns[column].missing;
  if (!missing || missing->is_null()) return;
  for (size_t i = 0; i < count; ++i) {
    if (!codec::RowView(layout, batch.row(at(i))).present(column)) {
      FlatVector::Validity(out).SetValid(i);
      store_value(out, i, layout.column(column), missing->view());
    }
  }
}

}  // namespace omendb::sql
