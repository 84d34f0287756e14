#include "sql/frontend/record_shape.h"

#include <deque>
#include <map>

#include "base/mutex.h"
#include "sql/frontend/coerce.h"

namespace omendb::sql {

namespace {

struct Shapes {
  Mutex mutex;
  std::deque<RecordShape> list GUARDED_BY(mutex);  // elements never move
  std::map<std::string, int32_t> by_text GUARDED_BY(mutex);
};

Shapes& shapes() {
  static Shapes all;
  return all;
}

std::string text_of(const RecordShape& shape) {
  std::string text;
  for (const RecordField& f : shape) {
    text += std::to_string(f.name.size()) + ":" + f.name + std::to_string(f.type.value) + "," +
            std::to_string(f.typmod) + ";";
  }
  return text;
}

}  // namespace

int32_t record_typmod(RecordShape shape) {
  std::string text = text_of(shape);
  Shapes& all = shapes();
  MutexLock lock(all.mutex);
  if (auto found = all.by_text.find(text); found != all.by_text.end()) return found->second;
  if (all.list.size() >= kRecordShapesMax) return -1;
  const auto typmod = static_cast<int32_t>(all.list.size());
  all.list.push_back(std::move(shape));
  all.by_text.emplace(std::move(text), typmod);
  return typmod;
}

const RecordShape* record_shape(int32_t typmod) {
  Shapes& all = shapes();
  MutexLock lock(all.mutex);
  return typmod >= 0 && static_cast<size_t>(typmod) < all.list.size() ? &all.list[static_cast<size_t>(typmod)]
                                                                      : nullptr;
}

RecordShape record_fields(const StatementContext& statement, const TypedExpr& value) {
  RecordShape fields;
  if (value.type == types::oid::kRecord) {
    if (const RecordShape* shape = record_shape(value.typmod)) fields = *shape;
  } else if (const auto* columns = composite_columns(*statement.catalog, base_type_of(statement, value.type))) {
    for (const catalog::Column& column : *columns) {
      if (!column.dropped) fields.push_back({column.name, column.type, column.typmod});
    }
  }
  return fields;
}

}  // namespace omendb::sql
