// Regular expressions, quoting, formatting, digests: over types/text.h, types/regex.h and types/formatting.h.
#include "sql/functions/library.h"
#include "types/array.h"
#include "types/formatting.h"
#include "types/io.h"
#include "types/regex.h"
#include "types/text.h"
#include "types/utf8.h"

namespace omendb::sql::functions {

using duckdb::LogicalType;
using duckdb::ScalarFunction;
using duckdb::string_t;
using types::Regex;
using types::RegexFlags;
using types::ValueView;
namespace oid = types::oid;

namespace {

constexpr Oid kText = oid::kText, kInt4 = oid::kInt4, kTextArray{1009};

RegexFlags flags_of(std::string_view text, bool global_allowed, const char* function) {
  RegexFlags flags;
  throw_if_error(types::parse_regex_flags(text, &flags));
  if (flags.global && !global_allowed) {
    throw SqlError(SqlState::kInvalidParameterValue,
                   std::string(function) + "() does not support the \"global\" option");
  }
  return flags;
}

/// text[] of the groups of a match, or of all of it when there are none.
std::string groups_array(std::string_view text, const std::vector<Regex::Span>& spans) {
  types::ArrayBuilder builder(kText, {types::Physical::kBytes});
  for (size_t i = spans.size() > 1 ? 1 : 0; i < spans.size(); ++i) {
    builder.add(spans[i].matched ? ValueView::of_bytes(text.substr(spans[i].start, spans[i].end - spans[i].start))
                                 : ValueView());
  }
  return builder.finish();
}

void add_matching(Library& library) {
  for (bool ignore_case : {false, true}) {
    for (bool negated : {false, true}) {
      for (const char* type : {"text", "name"}) {
        std::string name = std::string(type) + (ignore_case ? "icregex" : "regex") + (negated ? "ne" : "eq");
        library.scalar(
            name, ScalarFunction(
                      {LogicalType::VARCHAR, LogicalType::VARCHAR}, LogicalType::BOOLEAN,
                      binary<string_t, string_t, bool>([ignore_case, negated](string_t text, string_t pattern) {
                        bool matches = false;
                        throw_if_error(types::regex_matches(view_of(text), view_of(pattern), ignore_case, &matches));
                        return matches != negated;
                      })));
      }
    }
  }
  for (bool with_flags : {false, true}) {
    std::vector<Oid> args = with_flags ? std::vector<Oid>{kText, kText, kText} : std::vector<Oid>{kText, kText};
    const std::string tail = with_flags ? "" : "_no_flags";
    library.row({"regexp_like" + tail, args, oid::kBool, [with_flags](RowCall&, const ValueView* a) {
                   const RegexFlags flags = flags_of(with_flags ? a[2].bytes : "", false, "regexp_like");
                   std::shared_ptr<const Regex> regex;
                   throw_if_error(Regex::get(a[1].bytes, flags, &regex));
                   return bool_value(regex->search(a[0].bytes, 0, nullptr));
                 }});
    library.row({"regexp_match" + tail, args, kTextArray, [with_flags](RowCall& call, const ValueView* a) {
                   RegexFlags flags;
                   throw_if_error(types::parse_regex_flags(with_flags ? a[2].bytes : "", &flags));
                   if (flags.global) {
                     throw SqlError(SqlState::kInvalidParameterValue,
                                    "regexp_match() does not support the \"global\" option")
                         .hint("Use the regexp_matches function instead.");
                   }
                   std::shared_ptr<const Regex> regex;
                   throw_if_error(Regex::get(a[1].bytes, flags, &regex));
                   std::vector<Regex::Span> spans;
                   if (!regex->search(a[0].bytes, 0, &spans)) return null_value();
                   return call.text(groups_array(a[0].bytes, spans));
                 }});
    library.set(
        {"regexp_matches" + tail, args, {kTextArray}, [with_flags](RowCall&, const ValueView* a, RowSink& sink) {
           RegexFlags flags;
           throw_if_error(types::parse_regex_flags(with_flags ? a[2].bytes : "", &flags));
           if (!flags.global) {
             std::shared_ptr<const Regex> regex;
             throw_if_error(Regex::get(a[1].bytes, flags, &regex));
             std::vector<Regex::Span> spans;
             if (regex->search(a[0].bytes, 0, &spans)) sink.row(ValueView::of_bytes(groups_array(a[0].bytes, spans)));
             return;
           }
           std::vector<std::vector<Regex::Span>> all;
           throw_if_error(types::regexp_all(a[0].bytes, a[1].bytes, flags, 1, &all));
           for (const auto& spans : all) {
             const std::string array = groups_array(a[0].bytes, spans);
             sink.row(ValueView::of_bytes(array));
           }
         }});
    library.row({"regexp_split_to_array" + tail, args, kTextArray, [with_flags](RowCall& call, const ValueView* a) {
                   const RegexFlags flags = flags_of(with_flags ? a[2].bytes : "", false, "regexp_split_to_array");
                   std::vector<std::string_view> parts;
                   throw_if_error(types::regexp_split(a[0].bytes, a[1].bytes, flags, &parts));
                   types::ArrayBuilder builder(kText, {types::Physical::kBytes});
                   for (auto p : parts) builder.add(ValueView::of_bytes(p));
                   return call.text(builder.finish());
                 }});
    library.set(
        {"regexp_split_to_table" + tail, args, {kText}, [with_flags](RowCall&, const ValueView* a, RowSink& sink) {
           const RegexFlags flags = flags_of(with_flags ? a[2].bytes : "", false, "regexp_split_to_table");
           std::vector<std::string_view> parts;
           throw_if_error(types::regexp_split(a[0].bytes, a[1].bytes, flags, &parts));
           for (auto p : parts) sink.row(ValueView::of_bytes(p));
         }});
  }
}

void check_positive(int64_t value, const char* parameter, bool zero_ok = false) {
  if (value < (zero_ok ? 0 : 1)) {
    throw SqlError(SqlState::kInvalidParameterValue,
                   std::string("invalid value for parameter \"") + parameter + "\": " + std::to_string(value));
  }
}

void add_replacing(Library& library) {
  // The fourth argument of the short form is flags; the extended form has a start, a count and flags.
  library.row({"textregexreplace_noopt", {kText, kText, kText}, kText, [](RowCall& call, const ValueView* a) {
                 std::string out;
                 throw_if_error(types::regexp_replace(a[0].bytes, a[1].bytes, a[2].bytes, RegexFlags(), 1, 1, &out));
                 return call.text(std::move(out));
               }});
  library.row({"textregexreplace", {kText, kText, kText, kText}, kText, [](RowCall& call, const ValueView* a) {
                 if (!a[3].bytes.empty() && a[3].bytes[0] >= '0' && a[3].bytes[0] <= '9') {
                   throw SqlError(SqlState::kInvalidParameterValue,
                                  "invalid regular expression option: \"" + std::string(1, a[3].bytes[0]) + "\"")
                       .hint(
                           "If you meant to use regexp_replace() with a start parameter, cast the fourth argument to "
                           "integer explicitly.");
                 }
                 RegexFlags flags;
                 throw_if_error(types::parse_regex_flags(a[3].bytes, &flags));
                 std::string out;
                 throw_if_error(
                     types::regexp_replace(a[0].bytes, a[1].bytes, a[2].bytes, flags, 1, flags.global ? 0 : 1, &out));
                 return call.text(std::move(out));
               }});
  for (int extra = 1; extra <= 3; ++extra) {
    static const char* const names[] = {"textregexreplace_extended_no_n", "textregexreplace_extended_no_flags",
                                        "textregexreplace_extended"};
    std::vector<Oid> args = {kText, kText, kText, kInt4};
    if (extra >= 2) args.push_back(kInt4);
    if (extra >= 3) args.push_back(kText);
    library.row({names[extra - 1], args, kText, [extra](RowCall& call, const ValueView* a) {
                   check_positive(a[3].integer, "start");
                   if (extra >= 2) check_positive(a[4].integer, "n", true);
                   RegexFlags flags;
                   if (extra >= 3) throw_if_error(types::parse_regex_flags(a[5].bytes, &flags));
                   const auto n = static_cast<int32_t>(extra >= 2 ? a[4].integer : flags.global ? 0 : 1);
                   std::string out;
                   throw_if_error(types::regexp_replace(a[0].bytes, a[1].bytes, a[2].bytes, flags,
                                                        static_cast<int32_t>(a[3].integer), n, &out));
                   return call.text(std::move(out));
                 }});
  }
  library.row({"textregexsubstr", {kText, kText}, kText, [](RowCall&, const ValueView* a) {
                 bool null = false;
                 std::string_view out;
                 throw_if_error(types::regexp_substring(a[0].bytes, a[1].bytes, &null, &out));
                 return null ? null_value() : ValueView::of_bytes(out);
               }});
  static const char* const counts[] = {"regexp_count_no_start", "regexp_count_no_flags", "regexp_count"};
  for (int extra = 0; extra < 3; ++extra) {
    std::vector<Oid> args = {kText, kText};
    if (extra >= 1) args.push_back(kInt4);
    if (extra >= 2) args.push_back(kText);
    library.row({counts[extra], args, kInt4, [extra](RowCall&, const ValueView* a) {
                   if (extra >= 1) check_positive(a[2].integer, "start");
                   RegexFlags flags = flags_of(extra >= 2 ? a[3].bytes : "", false, "regexp_count");
                   std::vector<std::vector<Regex::Span>> all;
                   throw_if_error(types::regexp_all(a[0].bytes, a[1].bytes, flags,
                                                    static_cast<int32_t>(extra >= 1 ? a[2].integer : 1), &all));
                   return int_value(static_cast<int64_t>(all.size()));
                 }});
  }
  static const char* const substrings[] = {"regexp_substr_no_start", "regexp_substr_no_n", "regexp_substr_no_flags",
                                           "regexp_substr_no_subexpr", "regexp_substr"};
  for (int extra = 0; extra < 5; ++extra) {
    std::vector<Oid> args = {kText, kText};
    const Oid more[] = {kInt4, kInt4, kText, kInt4};
    for (int i = 0; i < extra; ++i) args.push_back(more[i]);
    library.row({substrings[extra], args, kText, [extra](RowCall&, const ValueView* a) {
                   const int64_t start = extra >= 1 ? a[2].integer : 1, n = extra >= 2 ? a[3].integer : 1,
                                 group = extra >= 4 ? a[5].integer : 0;
                   check_positive(start, "start");
                   check_positive(n, "n");
                   check_positive(group, "subexpr", true);
                   RegexFlags flags = flags_of(extra >= 3 ? a[4].bytes : "", false, "regexp_substr");
                   std::vector<std::vector<Regex::Span>> all;
                   throw_if_error(types::regexp_all(a[0].bytes, a[1].bytes, flags, static_cast<int32_t>(start), &all));
                   if (static_cast<size_t>(n) > all.size()) return null_value();
                   const auto& spans = all[static_cast<size_t>(n - 1)];
                   if (static_cast<size_t>(group) >= spans.size() || !spans[static_cast<size_t>(group)].matched)
                     return null_value();
                   const auto& s = spans[static_cast<size_t>(group)];
                   return ValueView::of_bytes(a[0].bytes.substr(s.start, s.end - s.start));
                 }});
  }
  // regexp_instr(text, pattern, start, n, end option, flags, group)
  for (const auto& [name, extra] : {std::pair{"regexp_instr_no_start", 0},
                                    {"regexp_instr_no_n", 1},
                                    {"regexp_instr_no_endoption", 2},
                                    {"regexp_instr_no_flags", 3},
                                    {"regexp_instr_no_subexpr", 4},
                                    {"regexp_instr", 5}}) {
    std::vector<Oid> types = {kText, kText, kInt4, kInt4, kInt4, kText, kInt4};
    types.resize(static_cast<size_t>(2 + extra));
    library.row(
        {name, types, kInt4, [extra = extra](RowCall&, const ValueView* a) {
           auto number = [&](int i, int64_t otherwise) { return extra > i ? a[2 + i].integer : otherwise; };
           const int64_t start = number(0, 1), n = number(1, 1), option = number(2, 0), group = number(4, 0);
           auto refuse = [](const char* parameter, int64_t value) {
             throw SqlError(SqlState::kInvalidParameterValue,
                            std::string("invalid value for parameter \"") + parameter + "\": " + std::to_string(value));
           };
           if (start <= 0) refuse("start", start);
           if (n <= 0) refuse("n", n);
           if (option != 0 && option != 1) refuse("endoption", option);
           if (group < 0) refuse("subexpr", group);
           RegexFlags flags = flags_of(extra >= 4 ? a[5].bytes : "", false, "regexp_instr");
           std::vector<std::vector<Regex::Span>> all;
           throw_if_error(types::regexp_all(a[0].bytes, a[1].bytes, flags, static_cast<int32_t>(start), &all));
           if (static_cast<size_t>(n) > all.size()) return int_value(0);
           const auto& spans = all[static_cast<size_t>(n - 1)];
           if (static_cast<size_t>(group) >= spans.size() || !spans[static_cast<size_t>(group)].matched)
             return int_value(0);
           const auto& s = spans[static_cast<size_t>(group)];
           return int_value(
               static_cast<int64_t>(types::utf8_count(a[0].bytes.substr(0, option == 1 ? s.end : s.start))) + 1);
         }});
  }
  for (int arguments : {1, 2}) {
    library.row({arguments == 1 ? "similar_to_escape_1" : "similar_to_escape_2",
                 std::vector<Oid>(static_cast<size_t>(arguments), kText), kText,
                 [arguments](RowCall& call, const ValueView* a) {
                   std::string out;
                   throw_if_error(types::similar_to_regex(a[0].bytes, arguments == 2 ? &a[1].bytes : nullptr, &out));
                   return call.text(std::move(out));
                 }});
  }
}

void add_text(Library& library) {
  library.row({"initcap", {kText}, kText, [](RowCall& call, const ValueView* a) {
                 types::text_initcap(a[0].bytes, &call.buffer);
                 return call.bytes();
               }});
  auto digest = [&](const char* name, Oid type) {
    library.row({name, {type}, kText, [](RowCall& call, const ValueView* a) {
                   call.buffer.clear();
                   types::append_md5_hex(a[0].bytes, &call.buffer);
                   return call.bytes();
                 }});
  };
  digest("md5_text", kText);
  digest("md5_bytea", oid::kBytea);
  for (auto [name, kind] : {std::pair{"sha224_bytea", types::Sha::k224},
                            {"sha256_bytea", types::Sha::k256},
                            {"sha384_bytea", types::Sha::k384},
                            {"sha512_bytea", types::Sha::k512}}) {
    library.row({name, {oid::kBytea}, oid::kBytea, [kind = kind](RowCall& call, const ValueView* a) {
                   return call.text(types::sha_digest(kind, a[0].bytes));
                 }});
  }
  library.row({"binary_encode", {oid::kBytea, kText}, kText, [](RowCall& call, const ValueView* a) {
                 call.buffer.clear();
                 throw_if_error(types::encode_bytes(a[0].bytes, a[1].bytes, &call.buffer));
                 return call.bytes();
               }});
  library.row({"binary_decode", {kText, kText}, oid::kBytea, [](RowCall& call, const ValueView* a) {
                 call.buffer.clear();
                 throw_if_error(types::decode_bytes(a[0].bytes, a[1].bytes, &call.buffer));
                 return call.bytes();
               }});
  library.row({"quote_ident", {kText}, kText, [](RowCall& call, const ValueView* a) {
                 call.buffer.clear();
                 types::append_quoted_ident(a[0].bytes, &call.buffer);
                 return call.bytes();
               }});
  library.row({"quote_literal", {kText}, kText, [](RowCall& call, const ValueView* a) {
                 call.buffer.clear();
                 types::append_quoted_literal(a[0].bytes, &call.buffer);
                 return call.bytes();
               }});
  RowSpec nullable{"quote_nullable", {kText}, kText, [](RowCall& call, const ValueView* a) {
                     if (a[0].null) return call.text("NULL");
                     call.buffer.clear();
                     types::append_quoted_literal(a[0].bytes, &call.buffer);
                     return call.bytes();
                   }};
  nullable.strict = false;
  library.row(std::move(nullable));
  auto any_quote = [&](const char* name, bool strict) {
    RowSpec spec{name,
                 {kDescriptor, kAnyValue},
                 kText,
                 [](RowCall& call, const ValueView* a) {
                   if (a[0].null) return call.text("NULL");
                   std::string text;
                   types::output(call.types[0].type, call.types[0].physical, a[0], call.io(), &text);
                   call.buffer.clear();
                   types::append_quoted_literal(text, &call.buffer);
                   return call.bytes();
                 },
                 Volatility::kStable};
    spec.strict = strict;
    library.row(std::move(spec));
  };
  any_quote("sql_quote_literal", true);
  any_quote("sql_quote_nullable", false);
  const RowFunction format_any = [](RowCall& call, const ValueView* a) {
    if (a[0].null) return null_value();
    std::vector<std::string> held(call.argument_count);
    std::vector<std::optional<std::string_view>> values;
    for (size_t i = 1; i < call.argument_count; ++i) {
      if (a[i].null) {
        values.emplace_back();
        continue;
      }
      types::output(call.types[i - 1].type, call.types[i - 1].physical, a[i], call.io(), &held[i]);
      values.emplace_back(held[i]);
    }
    std::string out;
    throw_if_error(types::text_format(a[0].bytes, values, &out));
    return call.text(std::move(out));
  };
  RowSpec format{"text_format", {kText, kAnyTail}, kText, format_any, Volatility::kStable};
  format.strict = false;
  library.row(std::move(format));
  // A null array is one without elements.
  RowSpec format_array{"text_format_variadic",
                       {kText, types::oid::kTextArray},
                       kText,
                       [format_any](RowCall& call, const ValueView* a) {
                         if (a[0].null) return null_value();
                         const std::string none = types::empty_array(kText);
                         const ValueView arguments[] = {a[0], a[1].null ? ValueView::of_bytes(none) : a[1]};
                         return over_array(1, format_any)(call, arguments);
                       },
                       Volatility::kStable};
  format_array.strict = false;
  library.row(std::move(format_array));
  library.row({"text_format_nv", {kText}, kText, [](RowCall& call, const ValueView* a) {
                 std::string out;
                 throw_if_error(types::text_format(a[0].bytes, {}, &out));
                 return call.text(std::move(out));
               }});
}

void add_formatting(Library& library) {
  library.row({"timestamp_to_char",
               {oid::kTimestamp, kText},
               kText,
               [](RowCall& call, const ValueView* a) {
                 bool null = false;
                 call.buffer.clear();
                 throw_if_error(types::to_char_timestamp(a[0].integer, a[1].bytes, &null, &call.buffer));
                 return null ? null_value() : call.bytes();
               },
               Volatility::kStable});
  library.row({"timestamptz_to_char",
               {oid::kTimestampTz, kText},
               kText,
               [](RowCall& call, const ValueView* a) {
                 bool null = false;
                 call.buffer.clear();
                 throw_if_error(types::to_char_timestamptz(a[0].integer, types::zone_of(call.io()), a[1].bytes, &null,
                                                           &call.buffer));
                 return null ? null_value() : call.bytes();
               },
               Volatility::kStable});
  auto number = [&](const char* name, Oid type, auto f) {
    library.row({name,
                 {type, kText},
                 kText,
                 [f](RowCall& call, const ValueView* a) {
                   call.buffer.clear();
                   throw_if_error(f(a[0], a[1].bytes, &call.buffer));
                   return call.bytes();
                 },
                 Volatility::kStable});
  };
  number("interval_to_char", oid::kInterval, [](const ValueView& v, std::string_view f, std::string* out) {
    return types::to_char_interval(v.interval, f, out);
  });
  number("int4_to_char", kInt4, [](const ValueView& v, std::string_view f, std::string* out) {
    return types::to_char_int64(v.integer, f, out, true);
  });
  number("int8_to_char", oid::kInt8, [](const ValueView& v, std::string_view f, std::string* out) {
    return types::to_char_int64(v.integer, f, out);
  });
  number("float8_to_char", oid::kFloat8, [](const ValueView& v, std::string_view f, std::string* out) {
    return types::to_char_float8(v.real, f, out);
  });
  number("float4_to_char", oid::kFloat4, [](const ValueView& v, std::string_view f, std::string* out) {
    return types::to_char_float4(static_cast<float>(v.real), f, out);
  });
  number("numeric_to_char", oid::kNumeric, [](const ValueView& v, std::string_view f, std::string* out) {
    return types::to_char_numeric(types::Numeric::from_bytes(v.bytes), f, out);
  });
  library.row({"to_date",
               {kText, kText},
               oid::kDate,
               [](RowCall&, const ValueView* a) {
                 int32_t out;
                 throw_if_error(types::to_date(a[0].bytes, a[1].bytes, &out));
                 return int_value(out);
               },
               Volatility::kStable});
  library.row({"to_timestamp",
               {kText, kText},
               oid::kTimestampTz,
               [](RowCall& call, const ValueView* a) {
                 int64_t out;
                 throw_if_error(types::to_timestamp(a[0].bytes, a[1].bytes, types::zone_of(call.io()), &out));
                 return int_value(out);
               },
               Volatility::kStable});
  library.row({"numeric_to_number",
               {kText, kText},
               oid::kNumeric,
               [](RowCall& call, const ValueView* a) {
                 types::Numeric out;
                 throw_if_error(types::to_number(a[0].bytes, a[1].bytes, &out));
                 return call.text(out.to_bytes());
               },
               Volatility::kStable});
}

}  // namespace

void add_pattern_functions(Library& library) {
  add_matching(library);
  add_replacing(library);
  add_text(library);
  add_formatting(library);
}

}  // namespace omendb::sql::functions
