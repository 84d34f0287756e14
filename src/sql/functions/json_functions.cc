// json and jsonb over types/json.h. What both have is written once: jsonb's text is canonical, json's is as it came.
#include "codec/container_key.h"
#include "sql/functions/object_aggregates.h"
#include "types/array.h"
#include "types/json.h"
#include "types/record.h"

namespace omendb::sql::functions {

using types::ArrayView;
using types::JsonKind;
using types::ValueView;
namespace oid = types::oid;

namespace {

constexpr Oid kTextArray{1009};
constexpr Oid kJson = oid::kJson, kJsonb = oid::kJsonb, kText = oid::kText, kInt4 = oid::kInt4, kBool = oid::kBool;

/// The strings of a text[]; false when one is null.
bool strings_of(std::string_view array, std::vector<std::string_view>* out) {
  const ArrayView view(array);
  for (size_t i = 0; i < view.size(); ++i) {
    if (view.is_null(i)) return false;
    out->push_back(view.at(i).bytes);
  }
  return true;
}

ValueView as_text(RowCall& call, std::string_view value) {
  bool null = false;
  call.buffer.clear();
  throw_if_error(types::json_as_text(value, &null, &call.buffer));
  return null ? null_value() : call.bytes();
}

/// The document to look something up in.
std::string_view readable(Oid type, std::string_view doc) {
  if (type == kJson) throw_if_error(types::json_check_strings(doc));
  return doc;
}

void require_scalar_free(std::string_view doc, bool object, const char* function) {
  const JsonKind kind = types::json_kind(doc);
  if (object && kind != JsonKind::kObject) {
    throw SqlError(SqlState::kInvalidParameterValue, kind == JsonKind::kArray
                                                         ? std::string("cannot call ") + function + " on an array"
                                                         : std::string("cannot call ") + function + " on a scalar");
  }
  if (!object && kind != JsonKind::kArray) {
    throw SqlError(SqlState::kInvalidParameterValue, kind == JsonKind::kObject
                                                         ? std::string("cannot call ") + function + " on a non-array"
                                                         : std::string("cannot call ") + function + " on a scalar");
  }
}

void add_access(Library& library, const std::string& p, Oid type) {
  library.row({p + "_object_field", {type, kText}, type, [type](RowCall&, const ValueView* a) {
                 std::string_view v;
                 return types::json_field(readable(type, a[0].bytes), a[1].bytes, &v) ? ValueView::of_bytes(v)
                                                                                      : null_value();
               }});
  library.row({p + "_object_field_text", {type, kText}, kText, [type](RowCall& call, const ValueView* a) {
                 std::string_view v;
                 return types::json_field(readable(type, a[0].bytes), a[1].bytes, &v) ? as_text(call, v) : null_value();
               }});
  // A scalar jsonb is an array of one to PostgreSQL's -> with a number.
  auto element = [type](std::string_view doc, int64_t index, std::string_view* v) {
    const JsonKind kind = types::json_kind(doc);
    if (type == kJsonb && kind != JsonKind::kArray && kind != JsonKind::kObject) {
      *v = doc;
      return index == 0 || index == -1;
    }
    return types::json_element(readable(type, doc), index, v);
  };
  library.row({p + "_array_element", {type, kInt4}, type, [element](RowCall&, const ValueView* a) {
                 std::string_view v;
                 return element(a[0].bytes, a[1].integer, &v) ? ValueView::of_bytes(v) : null_value();
               }});
  library.row({p + "_array_element_text", {type, kInt4}, kText, [element](RowCall& call, const ValueView* a) {
                 std::string_view v;
                 return element(a[0].bytes, a[1].integer, &v) ? as_text(call, v) : null_value();
               }});
  library.row({p + "_extract_path", {type, kTextArray}, type, [type](RowCall&, const ValueView* a) {
                 std::vector<std::string_view> path;
                 std::string_view v;
                 if (!strings_of(a[1].bytes, &path)) return null_value();
                 return types::json_path(readable(type, a[0].bytes), path, &v) ? ValueView::of_bytes(v) : null_value();
               }});
  library.row({p + "_extract_path_text", {type, kTextArray}, kText, [type](RowCall& call, const ValueView* a) {
                 std::vector<std::string_view> path;
                 std::string_view v;
                 if (!strings_of(a[1].bytes, &path)) return null_value();
                 return types::json_path(readable(type, a[0].bytes), path, &v) ? as_text(call, v) : null_value();
               }});
  library.row({p + "_typeof", {type}, kText, [](RowCall& call, const ValueView* a) {
                 return call.text(types::json_kind_name(types::json_kind(a[0].bytes)));
               }});
  library.row({p + "_array_length", {type}, kInt4, [](RowCall&, const ValueView* a) {
                 int32_t n;
                 throw_if_error(types::json_array_length(a[0].bytes, &n));
                 return int_value(n);
               }});
  const bool canonical = type == kJsonb;
  library.row({p + "_strip_nulls", {type}, type, [type, canonical](RowCall& call, const ValueView* a) {
                 call.buffer.clear();
                 types::json_strip_nulls(readable(type, a[0].bytes), canonical, &call.buffer);
                 return call.bytes();
               }});
  // Sets.
  auto each = [&](const std::string& name, bool text) {
    library.set(
        {name, {type}, {kText, text ? kText : type}, [type, text, name](RowCall&, const ValueView* a, RowSink& sink) {
           if (types::json_kind(a[0].bytes) != JsonKind::kObject) {
             throw SqlError(SqlState::kInvalidParameterValue,
                            types::json_kind(a[0].bytes) == JsonKind::kArray && !name.starts_with("jsonb")
                                ? "cannot deconstruct an array as an object"
                            : name.starts_with("jsonb") ? "cannot call " + name + " on a non-object"
                                                        : "cannot deconstruct a scalar");
           }
           types::JsonReader reader(readable(type, a[0].bytes));
           std::string_view key, value;
           while (reader.next(&key, &value)) {
             std::string name_text, value_text;
             throw_if_error(types::json_unquote(key, &name_text));
             bool null = false;
             if (text) throw_if_error(types::json_as_text(value, &null, &value_text));
             sink.row({ValueView::of_bytes(name_text),
                       null ? null_value() : ValueView::of_bytes(text ? std::string_view(value_text) : value)});
           }
         }});
  };
  each(p + "_each", false);
  each(p + "_each_text", true);
  auto elements = [&](const std::string& name, bool text) {
    library.set({name, {type}, {text ? kText : type}, [type, text, name](RowCall&, const ValueView* a, RowSink& sink) {
                   const JsonKind kind = types::json_kind(a[0].bytes);
                   if (kind != JsonKind::kArray) {
                     const bool b = name.starts_with("jsonb");
                     throw SqlError(
                         SqlState::kInvalidParameterValue,
                         b ? (kind == JsonKind::kObject ? "cannot extract elements from an object"
                                                        : "cannot extract elements from a scalar")
                           : "cannot call " + name + (kind == JsonKind::kObject ? " on a non-array" : " on a scalar"));
                   }
                   types::JsonReader reader(text ? readable(type, a[0].bytes) : a[0].bytes);
                   std::string_view value;
                   while (reader.next(&value)) {
                     std::string value_text;
                     bool null = false;
                     if (text) throw_if_error(types::json_as_text(value, &null, &value_text));
                     sink.row(null ? null_value() : ValueView::of_bytes(text ? std::string_view(value_text) : value));
                   }
                 }});
  };
  elements(p + "_array_elements", false);
  elements(p + "_array_elements_text", true);
  library.set({p + "_object_keys", {type}, {kText}, [type, p](RowCall&, const ValueView* a, RowSink& sink) {
                 require_scalar_free(a[0].bytes, true, (p + "_object_keys").c_str());
                 types::JsonReader reader(readable(type, a[0].bytes));
                 std::string_view key, value;
                 while (reader.next(&key, &value)) {
                   std::string text;
                   throw_if_error(types::json_unquote(key, &text));
                   sink.row(ValueView::of_bytes(text));
                 }
               }});
}

// --- Building ---

std::string json_of(RowCall& call, const TypeArgument& t, const ValueView& v, bool canonical) {
  if (v.null) return "null";
  std::string out;
  throw_if_error(types::json_from_value(t.type, t.physical, v, call.io(), canonical, &out));
  return out;
}

/// A key of json_build_object and json_object_agg: the value's text.
std::string key_of(RowCall& call, const TypeArgument& t, const ValueView& v, int argument, bool jsonb = false) {
  if (v.null && jsonb) {
    throw SqlError(SqlState::kInvalidParameterValue, "argument " + std::to_string(argument) + ": key must not be null");
  }
  if (v.null) {
    throw SqlError(SqlState::kInvalidParameterValue, "argument " + std::to_string(argument) + " cannot be null")
        .hint("Object keys should be text.");
  }
  if (types::array_element_type(t.type) != kInvalidOid || t.type == kJson || t.type == kJsonb ||
      t.type == oid::kRecord) {
    throw SqlError(SqlState::kInvalidParameterValue, "key value must be scalar, not array, composite, or json");
  }
  std::string text;
  types::output(t.type, t.physical, v, call.io(), &text);
  return text;
}

/// The values of an array or record on lines of their own: json with a line feed after each comma of the outermost level.
std::string with_line_feeds(const std::string& json) {
  std::string out;
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    out += c;
    if (in_string) {
      if (c == '\\')
        out += json[++i];
      else
        in_string = c != '"';
      continue;
    }
    in_string = c == '"';
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (c == ',' && depth == 1) out += "\n ";
  }
  return out;
}

void add_building(Library& library, const std::string& p, Oid type) {
  const bool canonical = type == kJsonb;
  auto loose = [&](RowSpec spec) {
    spec.strict = false;
    spec.volatility = Volatility::kStable;
    library.row(std::move(spec));
  };
  const RowFunction build_array = [canonical](RowCall& call, const ValueView* a) {
    std::string out = "[";
    for (size_t i = 0; i < call.argument_count; ++i) {
      if (i > 0) out += ", ";
      out += json_of(call, call.types[i], a[i], canonical);
    }
    return call.text(out + "]");
  };
  loose({p + "_build_array", {kAnyTail}, type, build_array});
  library.row({p + "_build_array_variadic", {kTextArray}, type, over_array(0, build_array), Volatility::kStable});
  const RowFunction build_object = [canonical](RowCall& call, const ValueView* a) {
    if (call.argument_count % 2 != 0) {
      throw SqlError(SqlState::kInvalidParameterValue, "argument list must have even number of elements")
          .hint(std::string("The arguments of ") + (canonical ? "jsonb" : "json") +
                "_build_object() must consist of alternating keys and values.");
    }
    std::vector<std::pair<std::string, std::string>> members;
    std::string out = "{";
    for (size_t i = 0; i < call.argument_count; i += 2) {
      std::string key = key_of(call, call.types[i], a[i], static_cast<int>(i) + 1, canonical);
      std::string value = json_of(call, call.types[i + 1], a[i + 1], canonical);
      if (canonical) {
        members.emplace_back(std::move(key), std::move(value));
        continue;
      }
      if (i > 0) out += ", ";
      types::append_json_string(key, &out);
      out += " : " + value;
    }
    if (!canonical) return call.text(out + "}");
    out.clear();
    types::append_jsonb_object(std::move(members), &out);
    return call.text(std::move(out));
  };
  loose({p + "_build_object", {kAnyTail}, type, build_object});
  library.row({p + "_build_object_variadic", {kTextArray}, type, over_array(0, build_object), Volatility::kStable});
  if (canonical) {
    // SET doc['a'][1] = value; the last argument: the first subscript is an integer.
    RowSpec assign{
        "jsonb_assign", {kJsonb, kTextArray, kJsonb, types::oid::kBool}, kJsonb, [](RowCall& call, const ValueView* a) {
          std::vector<std::string_view> path;
          if (!strings_of(a[1].bytes, &path)) {
            throw SqlError(SqlState::kNullValueNotAllowed, "jsonb subscript in assignment must not be null");
          }
          call.buffer.clear();
          const std::string_view doc = !a[0].null          ? a[0].bytes
                                       : a[3].integer != 0 ? std::string_view("[]")
                                                           : std::string_view("{}");
          throw_if_error(
              types::jsonb_assign(doc, path, a[2].null ? std::string_view("null") : a[2].bytes, &call.buffer));
          return call.bytes();
        }};
    assign.strict = false;
    library.row(std::move(assign));
  }
  library.row({p + "_build_array_noargs", {}, type, [](RowCall& call, const ValueView*) { return call.text("[]"); }});
  library.row({p + "_build_object_noargs", {}, type, [](RowCall& call, const ValueView*) { return call.text("{}"); }});
  library.row({canonical ? "to_jsonb" : "to_json",
               {kDescriptor, kAnyValue},
               type,
               [canonical](RowCall& call, const ValueView* a) {
                 return call.text(json_of(call, call.types[0], a[0], canonical));
               },
               Volatility::kStable});
  // Keys and values as texts: in turn in one array, or each in an array of its own.
  auto object_of = [canonical](RowCall& call, size_t count, auto key, auto value) {
    std::vector<std::pair<std::string, std::string>> members;
    std::string out = "{";
    for (size_t i = 0; i < count; ++i) {
      const ValueView k = key(i), v = value(i);
      if (k.null) throw SqlError(SqlState::kNullValueNotAllowed, "null value not allowed for object key");
      std::string text = "null";
      if (!v.null) {
        text.clear();
        types::append_json_string(v.bytes, &text);
      }
      if (canonical) {
        members.emplace_back(std::string(k.bytes), text);
        continue;
      }
      if (i > 0) out += ", ";
      types::append_json_string(k.bytes, &out);
      out += " : " + text;
    }
    if (!canonical) return call.text(out + "}");
    out.clear();
    types::append_jsonb_object(std::move(members), &out);
    return call.text(std::move(out));
  };
  auto element = [](const ArrayView& view, size_t i) { return view.is_null(i) ? null_value() : view.at(i); };
  library.row({p + "_object", {kTextArray}, type, [object_of, element](RowCall& call, const ValueView* a) {
                 const ArrayView view(a[0].bytes);
                 if (view.dimensions() > 2 || (view.dimensions() == 2 && view.length(1) != 2)) {
                   throw SqlError(SqlState::kArraySubscriptError, view.dimensions() > 2
                                                                      ? "wrong number of array subscripts"
                                                                      : "array must have two columns");
                 }
                 if (view.dimensions() == 1 && view.size() % 2 != 0)
                   throw SqlError(SqlState::kArraySubscriptError, "array must have even number of elements");
                 return object_of(
                     call, view.size() / 2, [&](size_t i) { return element(view, 2 * i); },
                     [&](size_t i) { return element(view, 2 * i + 1); });
               }});
  library.row(
      {p + "_object_two_arg", {kTextArray, kTextArray}, type, [object_of, element](RowCall& call, const ValueView* a) {
         const ArrayView keys(a[0].bytes), values(a[1].bytes);
         if (keys.dimensions() > 1 || keys.dimensions() != values.dimensions()) {
           throw SqlError(SqlState::kArraySubscriptError, "wrong number of array subscripts");
         }
         if (keys.size() != values.size())
           throw SqlError(SqlState::kArraySubscriptError, "mismatched array dimensions");
         return object_of(
             call, keys.size(), [&](size_t i) { return element(keys, i); },
             [&](size_t i) { return element(values, i); });
       }});
}

template <bool Canonical>
struct JsonAggregate : AggregateState {
  std::string text;
  bool any = false;
  // json_agg puts what has a structure of its own on lines of their own.
  const char* separator = ", ";
  void add(RowCall& call, const ValueView* a) override {
    const TypeArgument& t = call.types[0];
    if (!Canonical && !a[0].null &&
        (t.element != kInvalidOid ||
         (t.physical.kind == types::Physical::kBytes && types::is_record_bytes(a[0].bytes) &&
          (t.base == types::oid::kRecord || types::find_type(t.base) == nullptr)))) {
      separator = ", \n ";
    }
    if (any) text += separator;
    any = true;
    text += json_of(call, t, a[0], Canonical);
  }
  void merge(const AggregateState& other_p) override {
    const auto& other = static_cast<const JsonAggregate&>(other_p);
    if (!other.any) return;
    if (any) text += other.separator;
    any = true;
    text += other.text;
  }
  ValueView finish(RowCall& call) override { return call.text("[" + text + "]"); }
};

template <bool Canonical>
struct JsonObjectAggregate : AggregateState {
  std::vector<std::pair<std::string, std::string>> members;
  void add(RowCall& call, const ValueView* a) override {
    if (a[0].null)
      throw SqlError(SqlState::kInvalidParameterValue,
                     Canonical ? "field name must not be null" : "field name must not be null");
    std::string key = key_of(call, call.types[0], a[0], 1);
    members.emplace_back(std::move(key), json_of(call, call.types[1], a[1], Canonical));
  }
  void merge(const AggregateState& other_p) override {
    const auto& other = static_cast<const JsonObjectAggregate&>(other_p);
    members.insert(members.end(), other.members.begin(), other.members.end());
  }
  ValueView finish(RowCall& call) override {
    std::string out;
    if (Canonical) {
      types::append_jsonb_object(members, &out);
      return call.text(std::move(out));
    }
    out = "{ ";
    for (size_t i = 0; i < members.size(); ++i) {
      if (i > 0) out += ", ";
      types::append_json_string(members[i].first, &out);
      out += " : " + members[i].second;
    }
    return call.text(out + " }");
  }
};

void add_jsonb(Library& library) {
  library.row({"jsonb_key", {kJsonb}, oid::kBytea, [](RowCall& call, const ValueView* a) {
                 call.buffer.clear();
                 throw_if_error(codec::append_jsonb_key(a[0].bytes, &call.buffer));
                 return call.bytes();
               }});
  auto predicate = [&](const char* name, Oid second, auto f) {
    library.row({name, {kJsonb, second}, kBool, [f](RowCall&, const ValueView* a) {
                   return bool_value(f(a[0].bytes, a[1].bytes));
                 }});
  };
  predicate("jsonb_contains", kJsonb,
            [](std::string_view a, std::string_view b) { return types::jsonb_contains(a, b); });
  predicate("jsonb_contained", kJsonb,
            [](std::string_view a, std::string_view b) { return types::jsonb_contains(b, a); });
  predicate("jsonb_exists", kText, [](std::string_view a, std::string_view b) { return types::jsonb_exists(a, b); });
  for (bool all : {false, true}) {
    predicate(all ? "jsonb_exists_all" : "jsonb_exists_any", kTextArray,
              [all](std::string_view doc, std::string_view keys) {
                const ArrayView view(keys);
                for (size_t i = 0; i < view.size(); ++i) {
                  if (view.is_null(i)) continue;
                  if (types::jsonb_exists(doc, view.at(i).bytes) != all) return !all;
                }
                return all;
              });
  }
  auto change = [&](const char* name, std::vector<Oid> args, auto f) {
    library.row({name, std::move(args), kJsonb, [f](RowCall& call, const ValueView* a) {
                   call.buffer.clear();
                   throw_if_error(f(a, &call.buffer));
                   return call.bytes();
                 }});
  };
  change("jsonb_concat", {kJsonb, kJsonb}, [](const ValueView* a, std::string* out) {
    types::jsonb_concat(a[0].bytes, a[1].bytes, out);
    return Status();
  });
  change("jsonb_delete", {kJsonb, kText},
         [](const ValueView* a, std::string* out) { return types::jsonb_delete_key(a[0].bytes, a[1].bytes, out); });
  change("jsonb_delete_idx", {kJsonb, kInt4},
         [](const ValueView* a, std::string* out) { return types::jsonb_delete_index(a[0].bytes, a[1].integer, out); });
  change("jsonb_delete_array", {kJsonb, kTextArray}, [](const ValueView* a, std::string* out) {
    const ArrayView view(a[1].bytes);
    std::vector<std::string_view> keys;
    for (size_t i = 0; i < view.size(); ++i) {
      if (!view.is_null(i)) keys.push_back(view.at(i).bytes);
    }
    return types::jsonb_delete_keys(a[0].bytes, keys, out);
  });
  auto path_of = [](const ValueView& v) {
    const ArrayView view(v.bytes);
    std::vector<std::string_view> path;
    for (size_t i = 0; i < view.size(); ++i) {
      if (view.is_null(i))
        throw SqlError(SqlState::kNullValueNotAllowed,
                       "path element at position " + std::to_string(i + 1) + " is null");
      path.push_back(view.at(i).bytes);
    }
    return path;
  };
  change("jsonb_delete_path", {kJsonb, kTextArray}, [path_of](const ValueView* a, std::string* out) {
    return types::jsonb_delete_path(a[0].bytes, path_of(a[1]), out);
  });
  change("jsonb_set", {kJsonb, kTextArray, kJsonb, kBool}, [path_of](const ValueView* a, std::string* out) {
    return types::jsonb_set(a[0].bytes, path_of(a[1]), a[2].bytes, a[3].integer != 0, out);
  });
  change("jsonb_insert", {kJsonb, kTextArray, kJsonb, kBool}, [path_of](const ValueView* a, std::string* out) {
    return types::jsonb_insert(a[0].bytes, path_of(a[1]), a[2].bytes, a[3].integer != 0, out);
  });
  RowSpec set_lax{"jsonb_set_lax",
                  {kJsonb, kTextArray, kJsonb, kBool, kText},
                  kJsonb,
                  [path_of](RowCall& call, const ValueView* a) {
                    if (a[0].null || a[1].null || a[3].null) return null_value();
                    if (a[4].null)
                      throw SqlError(SqlState::kInvalidParameterValue,
                                     "null_value_treatment must be \"delete_key\", \"return_target\", "
                                     "\"use_json_null\", or \"raise_exception\"");
                    std::string out;
                    std::string_view value = a[2].null ? std::string_view("null") : a[2].bytes;
                    if (a[2].null) {
                      const std::string_view treatment = a[4].bytes;
                      if (treatment == "raise_exception") {
                        throw SqlError(SqlState::kNullValueNotAllowed, "JSON value must not be null")
                            .detail("Exception was raised because null_value_treatment is \"raise_exception\".")
                            .hint(
                                "To avoid, either change the null_value_treatment argument or ensure that an SQL NULL "
                                "is not passed.");
                      }
                      if (treatment == "return_target") return a[0];
                      if (treatment == "delete_key") {
                        throw_if_error(types::jsonb_delete_path(a[0].bytes, path_of(a[1]), &out));
                        return call.text(std::move(out));
                      }
                      if (treatment != "use_json_null") {
                        throw SqlError(SqlState::kInvalidParameterValue,
                                       "null_value_treatment must be \"delete_key\", \"return_target\", "
                                       "\"use_json_null\", or \"raise_exception\"");
                      }
                    }
                    throw_if_error(types::jsonb_set(a[0].bytes, path_of(a[1]), value, a[3].integer != 0, &out));
                    return call.text(std::move(out));
                  }};
  set_lax.strict = false;
  library.row(std::move(set_lax));
  library.row({"jsonb_pretty", {kJsonb}, kText, [](RowCall& call, const ValueView* a) {
                 call.buffer.clear();
                 types::jsonb_pretty(a[0].bytes, &call.buffer);
                 return call.bytes();
               }});
  library.row({"jsonb_cmp", {kJsonb, kJsonb}, kInt4, [](RowCall&, const ValueView* a) {
                 return int_value(types::jsonb_compare(a[0].bytes, a[1].bytes));
               }});
  library.row({"jsonb_bool", {kJsonb}, kBool, [](RowCall&, const ValueView* a) {
                 bool b;
                 throw_if_error(types::jsonb_to_bool(a[0].bytes, &b));
                 return bool_value(b);
               }});
  auto number = [&](const char* name, const char* type_name, Oid type, auto convert) {
    library.row({name, {kJsonb}, type, [type_name, convert](RowCall& call, const ValueView* a) {
                   types::Numeric n;
                   throw_if_error(types::jsonb_to_numeric(a[0].bytes, type_name, &n));
                   return convert(call, n);
                 }});
  };
  number("jsonb_numeric", "numeric", oid::kNumeric,
         [](RowCall& call, const types::Numeric& n) { return call.text(n.to_bytes()); });
  number("jsonb_int2", "smallint", oid::kInt2, [](RowCall&, const types::Numeric& n) {
    int16_t v;
    throw_if_error(n.to_int16(&v));
    return int_value(v);
  });
  number("jsonb_int4", "integer", oid::kInt4, [](RowCall&, const types::Numeric& n) {
    int32_t v;
    throw_if_error(n.to_int32(&v));
    return int_value(v);
  });
  number("jsonb_int8", "bigint", oid::kInt8, [](RowCall&, const types::Numeric& n) {
    int64_t v;
    throw_if_error(n.to_int64(&v));
    return int_value(v);
  });
  number("jsonb_float4", "real", oid::kFloat4, [](RowCall&, const types::Numeric& n) {
    float v;
    throw_if_error(n.to_float4(&v));
    return real_value(v);
  });
  number("jsonb_float8", "double precision", oid::kFloat8, [](RowCall&, const types::Numeric& n) {
    double v;
    throw_if_error(n.to_float8(&v));
    return real_value(v);
  });
}

template <class State>
std::unique_ptr<AggregateState> make_state() {
  return std::make_unique<State>();
}

}  // namespace

void add_json_functions(Library& library) {
  add_access(library, "json", kJson);
  add_access(library, "jsonb", kJsonb);
  add_building(library, "json", kJson);
  add_building(library, "jsonb", kJsonb);
  add_jsonb(library);
  for (const char* name : {"array_to_json", "row_to_json"}) {
    library.row({name,
                 {kDescriptor, kAnyValue},
                 kJson,
                 [](RowCall& call, const ValueView* a) { return call.text(json_of(call, call.types[0], a[0], false)); },
                 Volatility::kStable});
    library.row({std::string(name) + "_pretty",
                 {kDescriptor, kAnyValue, kBool},
                 kJson,
                 [](RowCall& call, const ValueView* a) {
                   const std::string json = json_of(call, call.types[0], a[0], false);
                   return call.text(a[1].integer != 0 ? with_line_feeds(json) : json);
                 },
                 Volatility::kStable});
  }
  add_aggregate(library, {"json_agg", {kDescriptor, kAnyValue}, kJson, make_state<JsonAggregate<false>>, false});
  add_aggregate(library, {"jsonb_agg", {kDescriptor, kAnyValue}, kJsonb, make_state<JsonAggregate<true>>, false});
  add_aggregate(library, {"json_object_agg",
                          {kDescriptor, kAnyValue, kDescriptor, kAnyValue},
                          kJson,
                          make_state<JsonObjectAggregate<false>>,
                          false});
  add_aggregate(library, {"jsonb_object_agg",
                          {kDescriptor, kAnyValue, kDescriptor, kAnyValue},
                          kJsonb,
                          make_state<JsonObjectAggregate<true>>,
                          false});
}

}  // namespace omendb::sql::functions
