#include "types/json.h"

#include "types/array.h"
#include "types/cases.h"
#include "types/datetime.h"
#include "types/scalar.h"

namespace omendb::types {
namespace {

constexpr char kCases[] =
#include "types/cases/json.inc"
    ;
#define TRY(expression) \
  if (Status s_ = (expression); !s_.ok()) return case_error(s_)

std::string evaluate(const std::string& op, const CaseArguments& a) {
  IoContext c;
  c.time_zone = TimeZone::find("America/New_York");
  std::string out;
  Value v;
  if (op.starts_with("to_json") && op.ends_with("_array")) {
    TRY(input(Oid{1007}, -1, a[0], c, &v));
    TRY(json_from_value(Oid{1007}, {}, v.view(), c, op.starts_with("to_jsonb"), &out));
    return out;
  }
  if (op == "to_json_tz" || op == "to_jsonb_float") {
    Oid type = op == "to_json_tz" ? oid::kTimestampTz : oid::kFloat8;
    TRY(input(type, -1, a[0], c, &v));
    TRY(json_from_value(type, physical_type(type, -1), v.view(), c, type == oid::kFloat8, &out));
    return out;
  }
  bool json = op.starts_with("json_") || op == "json";
  Oid type = json ? oid::kJson : oid::kJsonb;
  TRY(input(type, -1, a[0], c, &v));
  std::string doc(v.view().bytes), other;
  if (op == "json" || op == "jsonb") {
    std::string binary;
    Value back;
    EXPECT_TRUE(send(type, {}, v.view(), c, &binary).ok());
    EXPECT_TRUE(receive(type, -1, binary, c, &back).ok());
    EXPECT_EQ(back.view().bytes, doc);
    return doc;
  }
  auto boolean = [](bool b) { return std::string(b ? "true" : "false"); };
  std::vector<std::string> steps;
  std::vector<std::string_view> path;
  if (op.find("path") != op.npos || op.starts_with("set") || op.starts_with("insert")) {
    std::string array;
    TRY(parse_array(oid::kText, -1, a[1], c, &array));
    ArrayView view(array);
    for (size_t i = 0; i < view.size(); ++i) steps.emplace_back(view.at(i).bytes);
    for (const auto& s : steps) path.push_back(s);
  }
  std::string_view found;
  auto found_or_null = [&](bool yes) { return yes ? std::string(found) : std::string("\\N"); };
  if (op == "field" || op == "json_field") return found_or_null(json_field(doc, a[1], &found));
  if (op == "field_text") {
    bool null = false;
    if (!json_field(doc, a[1], &found)) return "\\N";
    TRY(json_as_text(found, &null, &out));
    return null ? "\\N" : out;
  }
  if (op == "element") return found_or_null(jsonb_element(doc, std::stoi(a[1]), &found));
  if (op == "path" || op == "json_path") return found_or_null(json_path(doc, path, &found));
  if (op == "pretty") {
    jsonb_pretty(doc, &out);
    return out;
  }
  if (op == "exists") return boolean(jsonb_exists(doc, a[1]));
  if (op == "delete_key") {
    TRY(jsonb_delete_key(doc, a[1], &out));
    return out;
  }
  if (op == "delete_index") {
    TRY(jsonb_delete_index(doc, std::stoi(a[1]), &out));
    return out;
  }
  if (op == "delete_path") {
    TRY(jsonb_delete_path(doc, path, &out));
    return out;
  }
  if (op == "set" || op == "set_only") {
    TRY(jsonb_set(doc, path, "[9]", op == "set", &out));
    return out;
  }
  if (op == "insert" || op == "insert_after") {
    TRY(jsonb_insert(doc, path, "[9]", op != "insert", &out));
    return out;
  }
  if (op == "strip" || op == "json_strip") {
    json_strip_nulls(doc, !json, &out);
    return out;
  }
  if (op == "length") {
    int32_t n = 0;
    TRY(json_array_length(doc, &n));
    return std::to_string(n);
  }
  if (op == "typeof") return json_kind_name(json_kind(doc));
  if (op == "to_numeric") {
    Numeric n;
    TRY(jsonb_to_numeric(doc, "numeric", &n));
    return n.to_text();
  }
  if (op == "to_bool") {
    bool b = false;
    TRY(jsonb_to_bool(doc, &b));
    return boolean(b);
  }
  TRY(jsonb_from_text(a[1], &other));
  if (op == "contains") return boolean(jsonb_contains(doc, other));
  if (op == "concat") {
    jsonb_concat(doc, other, &out);
    return out;
  }
  if (op == "compare") return std::to_string(jsonb_compare(doc, other));
  return "?";
}

TEST(Json, AnswersAsPostgres) { run_cases("json", kCases, evaluate); }

TEST(Json, DetailNamesTheToken) {
  Status s = json_validate("{\"a\": tru}");
  EXPECT_EQ(s.info().detail, "Token \"tru\" is invalid.");
  EXPECT_EQ(s.info().context, "JSON data, line 1: {\"a\": tru...");
  s = json_validate("[1,]");
  EXPECT_EQ(s.info().detail, "Expected JSON value, but found \"]\".");
  s = json_validate("[1");
  EXPECT_EQ(s.info().detail, "The input string ended unexpectedly.");
  EXPECT_EQ(json_validate(std::string(100000, '[')).code(), SqlState::kStatementTooComplex);
}

}  // namespace
}  // namespace omendb::types
