// PostgreSQL 15's own catalog data (functions, operators, casts, types, aggregates), embedded in the program.
//
// data/*.tsv is COPY text with a header line (tools/dump_pg_data.sh writes it); this file parses the tables that analysis
// needs once, at first use, and hands out the raw text of any of them for pg_catalog.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/strong_id.h"

namespace omendb::sql {

/// The raw TSV of a catalog ("pg_proc"); empty when there is none. Fields are escaped as COPY does: \N is null.
std::string_view pg_data_text(std::string_view table);
/// Names of the tables that pg_data_text knows.
const std::vector<std::string_view>& pg_data_tables();

/// A table of the data, cut into fields. Views into the embedded text; fields still escaped.
struct PgDataTable {
  std::vector<std::string_view> columns;
  std::vector<std::vector<std::string_view>> rows;
  size_t column(std::string_view name) const;  // SIZE_MAX: none
};
PgDataTable parse_pg_data(std::string_view table);
/// COPY's escapes undone.
std::string unescape_pg_data(std::string_view field);

struct ProcRow {
  Oid oid;
  std::string_view name;
  Oid schema;
  Oid language;     // 12 internal, 14 SQL
  Oid variadic;     // element type of a VARIADIC parameter
  char kind = 'f';  // f, p, a, w
  bool strict = true, returns_set = false;
  char volatility = 'i';  // i, s, v
  int default_count = 0;
  Oid result;
  std::vector<Oid> arguments;                    // input arguments
  std::vector<std::string_view> argument_names;  // of input arguments; empty when unnamed
  std::vector<Oid> output_types;                 // OUT and TABLE columns of a function that returns record
  std::vector<std::string_view> output_names;
  std::string_view defaults;  // SQL text, comma separated, of the last `default_count` arguments
  std::string_view source;    // prosrc
};

struct OperatorRow {
  Oid oid;
  std::string_view name;
  Oid left, right, result;  // left is kInvalidOid for a prefix operator
  Oid commutator, negator, function;
};

struct CastRow {
  Oid source, target, function;
  char context;  // i, a, e
  char method;   // f, i (I/O), b
};

struct AggregateRow {
  Oid function;
  char kind;  // n, o (ordered set), h (hypothetical)
  int direct_arguments;
};

/// Thread: any.
const std::vector<ProcRow>& pg_procs();
const ProcRow* find_proc(Oid oid);
/// Functions of this name in pg_catalog (or in `schema`).
const std::vector<const ProcRow*>& procs_named(std::string_view name);
const std::vector<OperatorRow>& pg_operators();
const OperatorRow* find_operator(Oid oid);
const std::vector<const OperatorRow*>& operators_named(std::string_view name);
const CastRow* find_cast(Oid source, Oid target);
const AggregateRow* find_aggregate(Oid function);

}  // namespace omendb::sql
