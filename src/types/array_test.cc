#include "types/array.h"

#include "types/cases.h"
#include "types/compare.h"
#include "types/numeric.h"
#include "types/record.h"

namespace omendb::types {
namespace {

constexpr char kCases[] =
#include "types/cases/array.inc"
    ;
constexpr Oid kInt4Array{1007}, kTextArray{1009};
#define TRY(expression) \
  if (Status s_ = (expression); !s_.ok()) return case_error(s_)

std::string evaluate(const std::string& op, const CaseArguments& a) {
  IoContext c;
  const PhysicalType int4 = physical_type(oid::kInt4, -1);
  auto through = [&](const char* type, int32_t typmod = -1) -> std::string {
    Oid array = find_type(std::string("_") + type)->oid;
    Value v, back;
    TRY(input(array, typmod, a[0], c, &v));
    EXPECT_TRUE(ArrayView::is_valid(v.view().bytes));
    std::string out, binary, again;
    output(array, {}, v.view(), c, &out);
    EXPECT_TRUE(send(array, {}, v.view(), c, &binary).ok());
    EXPECT_TRUE(receive(array, typmod, binary, c, &back).ok());
    output(array, {}, back.view(), c, &again);
    EXPECT_EQ(out, again);
    return out;
  };
  if (op == "bpchar") return through("bpchar", character_typmod(3));
  if (op == "int4" || op == "text" || op == "numeric" || op == "timestamp") return through(op.c_str());

  std::string x, y, out;
  ValueView element;
  auto number = [&](const std::string& s) { return s == "\\N" ? ValueView() : ValueView::of_integer(std::stoi(s)); };
  auto parse = [&](const std::string& s, std::string* to) { return parse_array(oid::kInt4, -1, s, c, to); };
  auto print = [&](const std::string& bytes) {
    std::string text;
    append_array(bytes, c, &text);
    return text;
  };
  auto boolean = [](bool b) { return std::string(b ? "true" : "false"); };
  if (op == "from_string") {
    std::string_view delimiter = a[1], null_text = a[2];
    string_to_array(a[0], a[1] == "\\N" ? nullptr : &delimiter, a[2] == "\\N" ? nullptr : &null_text, &out);
    return print(out);
  }
  if (op == "fill") {
    TRY(parse(a[1], &x));
    TRY(parse(a[2], &y));
    std::vector<int32_t> lengths, lowers;
    ArrayView l(x), w(y);
    for (size_t i = 0; i < l.size(); ++i) lengths.push_back(static_cast<int32_t>(l.at(i).integer));
    for (size_t i = 0; i < w.size(); ++i) lowers.push_back(static_cast<int32_t>(w.at(i).integer));
    TRY(array_fill(oid::kInt4, int4, number(a[0]), lengths, lowers, &out));
    return print(out);
  }
  TRY(parse(a[0], &x));
  if (op == "record") {
    RecordBuilder b;
    Numeric n;
    TRY(Numeric::parse(a[2], &n));
    std::string bytes = n.to_bytes();
    b.add(kInt4Array, {}, ValueView::of_bytes(x));
    b.add(oid::kText, {}, ValueView::of_bytes(a[1]));
    b.add(oid::kText, {}, ValueView());
    b.add(oid::kNumeric, {}, ValueView::of_bytes(bytes));
    std::string record = b.finish();
    append_record(record, c, &out);
    std::vector<CompositeField> fields;
    for (Oid type : {kInt4Array, oid::kText, oid::kText, oid::kNumeric}) fields.push_back({"", type});
    std::string back;
    TRY(parse_record(fields, out, c, &back));
    EXPECT_EQ(record_compare(record, back), 0);
    return out;
  }
  if (op == "dims") {
    out = array_dims(x);
    return out.empty() ? "\\N" : out;
  }
  if (op == "subscript") {
    std::vector<int32_t> subscripts;
    for (size_t i = 1; i < a.size(); ++i) subscripts.push_back(std::stoi(a[i]));
    ValueView v = array_subscript(ArrayView(x), subscripts);
    return v.null ? "\\N" : std::to_string(v.integer);
  }
  if (op == "slice" || op == "slice2") {
    SliceBound bounds[2] = {{true, true, std::stoi(a[1]), std::stoi(a[2])}, {false, true, 1, 2}};
    return print(array_slice(x, {bounds, op == "slice" ? 1u : 2u}));
  }
  if (op == "to_string") {
    array_to_string(x, a[1], nullptr, c, &out);
    return out;
  }
  if (op == "to_string_null") {
    std::string_view star = "*";
    array_to_string(x, a[1], &star, c, &out);
    return out;
  }
  if (op == "trim") {
    TRY(trim_array(x, std::stoi(a[1]), &out));
    return print(out);
  }
  if (op == "cat" || op == "compare" || op == "contains" || op == "overlaps") {
    TRY(parse(a[1], &y));
    if (op == "compare") return std::to_string(array_compare(x, y));
    if (op == "contains") return boolean(array_contains(x, y));
    if (op == "overlaps") return boolean(array_overlaps(x, y));
    TRY(array_cat(x, y, &out));
    return print(out);
  }
  element = number(a[1]);
  if (op == "append") {
    TRY(array_append(x, int4, element, &out));
    return print(out);
  }
  if (op == "prepend") {
    TRY(array_prepend(int4, element, x, &out));
    return print(out);
  }
  if (op == "remove") {
    TRY(array_remove(x, int4, element, &out));
    return print(out);
  }
  if (op == "replace") {
    array_replace(x, int4, element, ValueView::of_integer(9), &out);
    return print(out);
  }
  if (op == "positions") {
    TRY(array_positions(x, int4, element, &out));
    return print(out);
  }
  if (op == "position") {
    bool found = false;
    int32_t at = 0;
    TRY(array_position(x, int4, element, 0, false, &found, &at));
    return found ? std::to_string(at) : "\\N";
  }
  return "?";
}

TEST(Array, AnswersAsPostgres) { run_cases("array", kCases, evaluate); }

TEST(Array, AssignmentGrowsAndFillsWithNulls) {
  IoContext c;
  std::string a, out, text;
  ASSERT_TRUE(parse_array(oid::kInt4, -1, "{1,2}", c, &a).ok());
  int32_t subscript = 5;
  ASSERT_TRUE(array_assign(a, {&subscript, 1}, physical_type(oid::kInt4, -1), ValueView::of_integer(9), &out).ok());
  append_array(out, c, &text);
  EXPECT_EQ(text, "{1,2,NULL,NULL,9}");
}

TEST(Array, DecimalsBecomeNumerics) {
  ArrayBuilder b(oid::kNumeric, physical_type(oid::kNumeric, numeric_typmod(10, 2)));
  b.add(ValueView::of_integer(150));
  std::string text;
  append_array(b.finish(), IoContext{}, &text);
  EXPECT_EQ(text, "{1.50}");
}

}  // namespace
}  // namespace omendb::types
