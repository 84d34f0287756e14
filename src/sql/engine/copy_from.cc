// COPY FROM (copy.h).
#include <algorithm>

#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/expression/function_expression.hpp"
#include "duckdb/parser/query_node/select_node.hpp"
#include "duckdb/parser/tableref/subqueryref.hpp"
#include "duckdb/parser/tableref/table_function_ref.hpp"

#include "sql/duck_types.h"
#include "sql/engine/copy.h"
#include "sql/engine/copy_internal.h"
#include "sql/engine/copy_pipeline.h"
#include "sql/engine/copy_values.h"
#include "sql/engine/executor.h"
#include "sql/engine/parquet_files.h"
#include "sql/engine/row_writer.h"
#include "sql/engine/scan.h"
#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {
namespace {

constexpr size_t kBatchRows = 1024;
constexpr int64_t kCopyCollection = -2;

using DuckExpr = duckdb::unique_ptr<duckdb::ParsedExpression>;

DuckExpr column_of(const std::string& alias, const std::string& name) {
  return duckdb::make_uniq<duckdb::ColumnRefExpression>(name, alias);
}

class CopyFrom {
 public:
  CopyFrom(SessionImpl& session, const CopyStmt* statement, std::string_view text)
      : session_(session),
        statement_(statement),
        text_(text),
        options_(read_copy_options(statement, session.settings().client_encoding())) {
    parquet_ = options_.format == CopyOptions::Format::kParquet;
    if (parquet_) options_ = CopyOptions();  // it comes as lines of text
  }

  uint64_t run() {
    open_target();
    if (schema_->table().persistence != 't') session_.check_writable("COPY FROM");
    session_.next_command();
    plan();
    std::unique_ptr<CopySource> file;
    CopyReader reader(*open_source(&file), options_);
    reader.set_relation(schema_->table().name);
    RowWriter writer(session_, schema_);
    uint64_t count = 0;
    std::vector<CopyReader::Field> fields;
    if (options_.header && reader.next(&fields) && options_.header_match) check_header(reader, fields);
    if (select_ == nullptr) {
      count = insert_plain(reader, writer, fields);
    } else {
      bool more = true;
      while (more) {
        session_.check_cancelled();
        more = read_batch(reader);
        count += write_batch(writer);
      }
    }
    writer.constraints().finish_statement();
    return count;
  }

 private:
  CopySource* open_source(std::unique_ptr<CopySource>* file) {
    if (statement_->filename == nullptr) {
      if (parquet_) not_supported("COPY in Parquet format from the client");
      return value_or_throw(
          session_.client().begin_copy_in(columns_.size(), options_.format == CopyOptions::Format::kBinary));
    }
    if (parquet_) {
      std::vector<std::string> names;
      for (const size_t position : columns_) names.push_back(schema_->table().columns[position].name);
      *file = std::make_unique<ParquetSource>(session_, statement_->filename, names);
    } else {
      *file = std::make_unique<FileSource>(statement_->filename);
    }
    return file->get();
  }

  uint64_t insert_plain(CopyReader& reader, RowWriter& writer, std::vector<CopyReader::Field>& fields) {
    codec::RowBuilder builder(schema_->access->layout());
    CopyPipeline pipeline([&](std::string_view row, uint64_t line, std::string_view raw) {
      with_context([&] { return reader.line_context(line, raw); }, [&] { insert(writer, row); });
    });
    uint64_t count = 0;
    try {
      for (; reader.next(&fields); ++count) {
        if (count % 256 == 0) session_.check_cancelled();
        read_values(reader, fields);
        builder.reset();
        for (const auto& [position, value] : constants_) builder.set(position, value.view());
        for (size_t i = 0; i < columns_.size(); ++i) builder.set(columns_[i], views_[i]);
        const std::string_view row = builder.finish();
        with_context([&] { return reader.line_context(); }, [&] { writer.constraints().check_not_null(row); });
        if (pipelined_) {
          pipeline.add(row, reader.line(), reader.raw_line());
        } else {
          with_context([&] { return reader.line_context(); }, [&] { insert(writer, row); });
        }
      }
    } catch (...) {
      const std::exception_ptr later = std::current_exception();
      pipeline.finish();  // an earlier row's error comes first
      std::rethrow_exception(later);
    }
    pipeline.finish();
    return count;
  }

  void open_target() {
    const RangeVar* range = statement_->relation;
    while (true) {
      StatementContext context = session_.analysis(text_);
      const auto catalog = context.catalog;
      const Oid oid = find_relation(context, range->schemaname, range->relname);
      const std::string shown =
          range->schemaname != nullptr ? std::string(range->schemaname) + "." + range->relname : range->relname;
      if (oid == kInvalidOid) throw SqlError(SqlState::kUndefinedTable, "relation \"" + shown + "\" does not exist");
      if (catalog->find<catalog::Table>(oid) == nullptr) {
        if (catalog->find<catalog::View>(oid) != nullptr) {
          throw SqlError(SqlState::kWrongObjectType, std::string("cannot copy to view \"") + range->relname + "\"")
              .hint("To enable copying to a view, provide an INSTEAD OF INSERT trigger.");
        }
        throw SqlError(SqlState::kWrongObjectType,
                       std::string("cannot copy to non-table relation \"") + range->relname + "\"");
      }
      throw_if_error(session_.database().lock_object(session_.transaction(), oid, txn::ObjectLockMode::kRowExclusive,
                                                     table::LockWait::kWait));
      if (session_.current_catalog()->version() != catalog->version()) continue;
      session_.set_statement_catalog(catalog);
      schema_ = session_.table_schema(oid);
      break;
    }
    const auto& table = schema_->table();
    if (statement_->attlist == nullptr) {
      for (size_t i = 0; i < table.columns.size(); ++i) {
        if (!table.columns[i].dropped && !table.columns[i].generated) columns_.push_back(i);
      }
    } else {
      for (int i = 0; i < statement_->attlist->length; ++i) {
        columns_.push_back(
            find_copy_column(table, reinterpret_cast<const String*>(statement_->attlist->elements[i].ptr_value)->sval));
        if (std::count(columns_.begin(), columns_.end(), columns_.back()) > 1) {
          throw SqlError(SqlState::kDuplicateColumn,
                         "column \"" + table.columns[columns_.back()].name + "\" specified more than once");
        }
      }
    }
    auto flags = [&](const std::vector<std::string>& names, const char* option) {
      std::vector<bool> result(columns_.size());
      for (const auto& name : names) {
        const size_t position = find_copy_column(table, name);
        auto it = std::find(columns_.begin(), columns_.end(), position);
        if (it == columns_.end()) {
          throw SqlError(SqlState::kInvalidColumnReference,
                         std::string(option) + " column \"" + name + "\" not referenced by COPY");
        }
        result[static_cast<size_t>(it - columns_.begin())] = true;
      }
      return result;
    };
    force_not_null_ = flags(options_.force_not_null, "FORCE_NOT_NULL");
    force_null_ = flags(options_.force_null, "FORCE_NULL");
    for (size_t position : columns_) types_.push_back(table.columns[position].physical);
    values_.resize(columns_.size());
    views_.resize(columns_.size());
    // Expressions of indexes and foreign keys run on the session's own connection, which is the reading thread's.
    const auto& indexes = schema_->access->secondary();
    pipelined_ = session_.foreign_keys(table.oid) == nullptr &&
                 std::none_of(indexes.begin(), indexes.end(), [](const auto& index) { return index.needs_evaluator; });
  }

  /// The short way needs constant defaults and nothing to compute; else builds select_ and action_.
  void plan() {
    const auto& table = schema_->table();
    const auto catalog = session_.statement_catalog();
    bool plain = statement_->whereClause == nullptr;
    for (const auto& constraint : table.constraints)
      plain = plain && constraint.kind != catalog::Constraint::Kind::kCheck;
    for (size_t i = 0; i < table.columns.size(); ++i) {
      const auto& column = table.columns[i];
      if (column.dropped) continue;
      if (column.generated) plain = false;
    }
    StatementContext context = session_.analysis(text_);
    Scope scope;
    scope.statement = &context;

    auto inner = duckdb::make_uniq<duckdb::SelectNode>();
    for (size_t i = 0; i < table.columns.size(); ++i) {
      const auto& column = table.columns[i];
      if (column.dropped || column.generated) continue;
      auto given = std::find(columns_.begin(), columns_.end(), i);
      DuckExpr value;
      if (given != columns_.end()) {
        value = column_of("r", schema_->names[i]);
      } else {
        std::string default_sql = column.default_sql;
        if (default_sql.empty()) {
          if (const auto* domain = catalog->find<catalog::DomainType>(column.type)) default_sql = domain->default_sql;
        }
        if (default_sql.empty()) {
          value = duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value(schema_->types[i]));
        } else {
          TypedExpr typed = analyze_table_expression(context, nullptr, "", default_sql, ExprKind::kColumnDefault);
          typed = coerce(scope, std::move(typed), column.type, column.typmod, CoercionContext::kAssignment);
          if (typed.physical != column.physical) {
            plain = false;
          } else if (plain && !typed.is_volatile && !context.has_volatile) {
            constants_.emplace_back(i, session_.evaluate(typed.clone()));
          } else {
            plain = false;
          }
          value = DuckExpr(typed.duck.release());
        }
      }
      value->SetAlias(schema_->names[i]);
      inner->select_list.push_back(std::move(value));
    }
    if (plain) return;
    inner->select_list.push_back(column_of("r", "_ordinal"));
    inner->select_list.back()->SetAlias("_ordinal");
    auto rows = duckdb::make_uniq<duckdb::TableFunctionRef>();
    duckdb::vector<DuckExpr> arguments;
    arguments.push_back(duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::BIGINT(kCopyCollection)));
    rows->function = duckdb::make_uniq<duckdb::FunctionExpression>(kRowsFunction, std::move(arguments));
    rows->alias = "r";
    inner->from_table = std::move(rows);

    auto wrap = [](duckdb::unique_ptr<duckdb::SelectNode> node, const std::string& alias) {
      auto statement = duckdb::make_uniq<duckdb::SelectStatement>();
      statement->node = std::move(node);
      auto ref = duckdb::make_uniq<duckdb::SubqueryRef>(std::move(statement), alias);
      auto outer = duckdb::make_uniq<duckdb::SelectNode>();
      outer->from_table = std::move(ref);
      return outer;
    };
    // Generated columns see the row, checks see them too.
    auto with_generated = wrap(std::move(inner), "n1");
    for (size_t i = 0; i < table.columns.size(); ++i) {
      const auto& column = table.columns[i];
      if (column.dropped) continue;
      DuckExpr value;
      if (column.generated) {
        TypedExpr typed =
            analyze_table_expression(context, &table, "n1", column.default_sql, ExprKind::kGeneratedColumn);
        typed = coerce(scope, std::move(typed), column.type, column.typmod, CoercionContext::kAssignment);
        value = DuckExpr(typed.duck.release());
      } else {
        value = column_of("n1", schema_->names[i]);
      }
      value->SetAlias(schema_->names[i]);
      with_generated->select_list.push_back(std::move(value));
    }
    with_generated->select_list.push_back(column_of("n1", "_ordinal"));
    with_generated->select_list.back()->SetAlias("_ordinal");

    auto outer = wrap(std::move(with_generated), "n2");
    action_.kind = WriteAction::Kind::kInsert;
    action_.row.assign(table.columns.size(), SIZE_MAX);
    for (size_t i = 0; i < table.columns.size(); ++i) {
      if (table.columns[i].dropped) continue;
      action_.row[i] = outer->select_list.size();
      outer->select_list.push_back(column_of("n2", schema_->names[i]));
    }
    ordinal_ = outer->select_list.size();
    outer->select_list.push_back(column_of("n2", "_ordinal"));
    for (const auto& constraint : table.constraints) {
      if (constraint.kind != catalog::Constraint::Kind::kCheck) continue;
      TypedExpr typed =
          analyze_table_expression(context, &table, "n2", constraint.check_sql, ExprKind::kCheckConstraint);
      typed = coerce_to_boolean(scope, std::move(typed), "CHECK");
      action_.checks.push_back({outer->select_list.size(), constraint.name, false});
      outer->select_list.push_back(DuckExpr(typed.duck.release()));
    }
    std::sort(action_.checks.begin(), action_.checks.end(),
              [](const auto& a, const auto& b) { return a.constraint < b.constraint; });
    if (statement_->whereClause != nullptr) {
      Scope row_scope;
      row_scope.statement = &context;
      ScopeItem item;
      item.alias = table.name;
      item.relation = table.oid;
      for (size_t i = 0; i < table.columns.size(); ++i) {
        const auto& column = table.columns[i];
        if (column.dropped) continue;
        ScopeColumn visible;
        visible.name = column.name;
        visible.duck_alias = "n2";
        visible.duck_name = schema_->names[i];
        visible.type = column.type;
        visible.typmod = column.typmod;
        visible.physical = column.physical;
        item.columns.push_back(std::move(visible));
      }
      row_scope.items.push_back(std::move(item));
      TypedExpr where = analyze_expr(row_scope, statement_->whereClause, ExprKind::kWhere);
      where = coerce_to_boolean(row_scope, std::move(where), "WHERE");
      outer->where_clause = DuckExpr(where.duck.release());
    }
    select_ = duckdb::make_uniq<duckdb::SelectStatement>();
    select_->node = std::move(outer);
  }

  void check_header(const CopyReader& reader, const std::vector<CopyReader::Field>& fields) {
    const auto& table = schema_->table();
    auto fail = [&](const std::string& message) {
      SqlError error(SqlState::kBadCopyFileFormat, message);
      error.info().context = reader.line_context();
      throw error;
    };
    if (fields.size() != columns_.size()) {
      fail("wrong number of fields in header line: got " + std::to_string(fields.size()) + ", expected " +
           std::to_string(columns_.size()));
    }
    for (size_t i = 0; i < fields.size(); ++i) {
      const std::string& expected = table.columns[columns_[i]].name;
      if (fields[i].null) {
        fail("column name mismatch in header line field " + std::to_string(i + 1) + ": got null value (\"" +
             options_.null_text + "\"), expected \"" + expected + "\"");
      }
      if (fields[i].text != expected) {
        fail("column name mismatch in header line field " + std::to_string(i + 1) + ": got \"" +
             std::string(fields[i].text) + "\", expected \"" + expected + "\"");
      }
    }
  }

  void read_values(const CopyReader& reader, std::vector<CopyReader::Field>& fields) {
    const auto& table = schema_->table();
    auto fail = [&](const std::string& message) {
      SqlError error(SqlState::kBadCopyFileFormat, message);
      error.info().context = reader.line_context();
      throw error;
    };
    const bool binary = options_.format == CopyOptions::Format::kBinary;
    if (binary && fields.size() != columns_.size())
      fail("row field count is " + std::to_string(fields.size()) + ", expected " + std::to_string(columns_.size()));
    if (fields.size() > columns_.size()) fail("extra data after last expected column");
    for (size_t i = 0; i < columns_.size(); ++i) {
      // What is wrong with the fields before it is told first.
      if (i >= fields.size()) fail("missing data for column \"" + table.columns[columns_[i]].name + "\"");
      auto& field = fields[i];
      if (!binary && options_.format == CopyOptions::Format::kCsv) {
        if (field.null && force_not_null_[i]) field.null = false;
        if (force_null_[i] && !field.null && field.text == options_.null_text) field.null = true;
      }
      const auto& column = table.columns[columns_[i]];
      if (!binary && !field.null && quick_value(column.type, column.typmod, types_[i], field.text, &views_[i]))
        continue;
      const types::IoContext& io = session_.io_context();
      if (field.null) values_[i] = types::Value();
      Status status = field.null ? types::input_null(column.type, io)
                      : binary   ? types::receive(column.type, column.typmod, field.text, io, &values_[i])
                                 : types::input(column.type, column.typmod, field.text, io, &values_[i]);
      if (!status.ok()) {
        SqlError error(status);
        error.info().context = reader.column_context(column.name, field);
        throw error;
      }
      views_[i] = values_[i].view();
    }
  }

  template <class Context, class Body>
  static void with_context(Context&& context, Body&& body) {
    try {
      body();
    } catch (SqlError& error) {
      if (error.info().context.empty()) error.info().context = context();
      throw SqlError(error.info());
    }
  }

  void insert(RowWriter& writer, std::string_view row) {
    const auto outcome =
        value_or_throw(session_.database().insert(session_.transaction(), *schema_->access, row, nullptr, false));
    writer.constraints().inserted(outcome.key, codec::RowView(schema_->access->layout(), row));
  }

  /// False: that was the last one.
  bool read_batch(CopyReader& reader) {
    RowCollection& collection = session_.set_row_collection(kCopyCollection);
    collection.names = schema_->names;
    collection.types = schema_->types;
    collection.names.push_back("_ordinal");
    collection.types.push_back(duckdb::LogicalType::BIGINT);
    auto chunk = duckdb::make_uniq<duckdb::DataChunk>();
    chunk->Initialize(duckdb::Allocator::DefaultAllocator(), collection.types);
    contexts_.clear();
    std::vector<CopyReader::Field> fields;
    bool more = true;
    size_t count = 0;
    while (count < kBatchRows) {
      if (!reader.next(&fields)) {
        more = false;
        break;
      }
      read_values(reader, fields);
      for (size_t i = 0; i < columns_.size(); ++i) {
        store_value(chunk->data[columns_[i]], count, types_[i], views_[i]);
      }
      duckdb::FlatVector::GetData<int64_t>(chunk->data[schema_->types.size()])[count] = static_cast<int64_t>(count);
      contexts_.push_back(reader.line_context());
      ++count;
    }
    chunk->SetCardinality(count);
    collection.chunks.push_back(std::move(chunk));
    return more;
  }

  uint64_t write_batch(RowWriter& writer) {
    std::vector<duckdb::unique_ptr<duckdb::DataChunk>> chunks;
    run_select(session_, *select_, Parameters(), [&](duckdb::DataChunk& chunk) {
      chunks.push_back(take_chunk(chunk));
      return true;
    });
    uint64_t count = 0;
    for (auto& chunk : chunks) {
      chunk->Flatten();
      for (size_t i = 0; i < chunk->size(); ++i) {
        const auto ordinal = static_cast<size_t>(duckdb::FlatVector::GetData<int64_t>(chunk->data[ordinal_])[i]);
        with_context([&] { return contexts_[ordinal]; }, [&] { insert(writer, writer.build(action_, *chunk, i)); });
        ++count;
      }
    }
    return count;
  }

  SessionImpl& session_;
  const CopyStmt* statement_;
  std::string_view text_;
  CopyOptions options_;
  bool parquet_ = false;
  std::shared_ptr<const TableSchema> schema_;
  std::vector<size_t> columns_;  // positions, in the order of the fields
  std::vector<types::PhysicalType> types_;
  std::vector<bool> force_not_null_, force_null_;
  std::vector<types::Value> values_;  // of what types::input read
  std::vector<types::ValueView> views_;
  bool pipelined_ = false;
  std::vector<std::pair<size_t, types::Value>> constants_;
  duckdb::unique_ptr<duckdb::SelectStatement> select_;
  WriteAction action_;
  size_t ordinal_ = 0;
  std::vector<std::string> contexts_;
};

}  // namespace

size_t find_copy_column(const catalog::Table& table, const std::string& name) {
  const catalog::Column* column = table.find_column(name);
  if (column == nullptr) {
    throw SqlError(SqlState::kUndefinedColumn,
                   "column \"" + name + "\" of relation \"" + table.name + "\" does not exist");
  }
  if (column->generated) {
    throw SqlError(SqlState::kInvalidColumnReference, "column \"" + name + "\" is a generated column")
        .detail("Generated columns cannot be used in COPY.");
  }
  return static_cast<size_t>(column->attnum) - 1;
}

uint64_t copy_from(SessionImpl& session, const void* statement, std::string_view text) {
  return CopyFrom(session, static_cast<const CopyStmt*>(statement), text).run();
}

}  // namespace omendb::sql
