// Polymorphic parameters: what anyelement, anyarray, anyrange and their like are in a call, by PostgreSQL's rules.
#include "sql/frontend/coerce.h"
#include "types/range.h"

namespace omendb::sql {

namespace oid = types::oid;

bool is_polymorphic(Oid type) {
  switch (type.value) {
    case 2283:
    case 2277:
    case 2776:
    case 3500:
    case 3831:
    case 4537:  // any*
    case 5077:
    case 5078:
    case 5079:
    case 5080:
    case 4538: return true;  // anycompatible*
    default: return false;
  }
}

namespace {

/// select_common_type over types alone (select_common_type_from_oids): kInvalidOid when there is none.
Oid common_type_of(const StatementContext& statement, const std::vector<Oid>& types) {
  if (types.empty()) return kInvalidOid;
  bool all_same = types[0] != oid::kUnknown;
  for (Oid t : types) all_same = all_same && t == types[0];
  if (all_same) return types[0];
  CommonType common(statement, types[0]);
  for (Oid t : types) {
    if (!common.add(t)) return kInvalidOid;
  }
  const Oid result = common.type() == oid::kUnknown ? oid::kText : common.type();
  for (Oid t : types) {
    if (!can_coerce(statement, t, result, CoercionContext::kImplicit)) return kInvalidOid;
  }
  return result;
}

/// A family of polymorphic types, as its members have been resolved so far: anyelement's, and anycompatible's.
struct Generics {
  Oid element, array, range, multirange;
  bool non_array = false, is_enum = false;  // anynonarray, anyenum
  bool any = false, has_unknown = false;
};

/// Parameters of anycompatible's family; their element is the common type of these.
struct CompatibleGenerics : Generics {
  std::vector<Oid> types;
  bool has_array = false, has_range = false, has_multirange = false;
};

Oid element_of_range(const StatementContext& statement, Oid range) {
  const types::RangeType* type = types::find_range_type(base_type_of(statement, range));
  return type == nullptr ? kInvalidOid : type->element;
}

Oid range_of_multirange(const StatementContext& statement, Oid multirange) {
  const types::RangeType* type = types::find_multirange_type(base_type_of(statement, multirange));
  return type == nullptr ? kInvalidOid : type->range;
}

Oid multirange_of_range(Oid range) {
  const types::RangeType* type = types::find_range_type(range);
  return type == nullptr ? kInvalidOid : type->multirange;
}

bool is_element_parameter(Oid d) { return d == oid::kAnyElement || d == oid::kAnyNonArray || d == oid::kAnyEnum; }

[[noreturn]] void mismatch(const std::string& message) { throw SqlError(SqlState::kDatatypeMismatch, message); }

[[noreturn]] void unlike(const StatementContext& statement, const char* what, Oid a, Oid b) {
  throw SqlError(SqlState::kDatatypeMismatch, std::string("arguments declared \"") + what + "\" are not all alike")
      .detail(type_name(statement, a) + " versus " + type_name(statement, b));
}

[[noreturn]] void inconsistent(const StatementContext& statement, const char* what, Oid a, const char* with, Oid b) {
  throw SqlError(SqlState::kDatatypeMismatch,
                 std::string("argument declared ") + what + " is not consistent with argument declared " + with)
      .detail(type_name(statement, a) + " versus " + type_name(statement, b));
}

[[noreturn]] void no_such(const StatementContext& statement, const char* what, const char* kind, Oid type) {
  mismatch(std::string("argument declared ") + what + " is not " + kind + " but type " + type_name(statement, type));
}

[[noreturn]] void undetermined(const char* what) {
  mismatch(std::string("could not determine polymorphic type ") + what + " because input has type unknown");
}

/// Takes an argument's type for a member of the family; false if the family has another one.
bool settle(Oid* member, Oid type) {
  if (*member != kInvalidOid && *member != type) return false;
  *member = type;
  return true;
}

}  // namespace

bool generic_types_consistent(const StatementContext& statement, const std::vector<Oid>& actual,
                              const std::vector<Oid>& declared) {
  Generics g;
  CompatibleGenerics c;
  for (size_t i = 0; i < declared.size(); ++i) {
    const Oid d = declared[i];
    const Oid a = actual[i];
    if (d == oid::kAnyNonArray) g.non_array = true;
    if (d == oid::kAnyEnum) g.is_enum = true;
    if (d == oid::kAnyCompatibleNonArray) c.non_array = true;
    if (a == oid::kUnknown) continue;
    const Oid base = base_type_of(statement, a);
    if (is_element_parameter(d)) {
      if (!settle(&g.element, a)) return false;
    } else if (d == oid::kAnyArray) {
      if (!settle(&g.array, base)) return false;
    } else if (d == oid::kAnyRange) {
      if (!settle(&g.range, base)) return false;
    } else if (d == kAnyMultirange) {
      if (!settle(&g.multirange, base)) return false;
    } else if (d == oid::kAnyCompatible || d == oid::kAnyCompatibleNonArray) {
      c.types.push_back(a);
    } else if (d == oid::kAnyCompatibleArray) {
      const Oid e = element_type_of(statement, a);
      if (e == kInvalidOid) return false;
      c.types.push_back(e);
    } else if (d == kAnyCompatibleRange) {
      if (!settle(&c.range, base)) return false;
      const Oid e = element_of_range(statement, base);
      if (e == kInvalidOid) return false;
      c.types.push_back(e);
    } else if (d == kAnyCompatibleMultirange) {
      if (!settle(&c.multirange, base)) return false;
      if (range_of_multirange(statement, base) == kInvalidOid) return false;
    }
  }
  if (g.array == oid::kAnyArray) {
    if (g.element != kInvalidOid) return false;
  } else if (g.array != kInvalidOid) {
    const Oid e = element_type_of(statement, g.array);
    if (e == kInvalidOid || !settle(&g.element, e)) return false;
  }
  if (g.multirange != kInvalidOid) {
    const Oid r = range_of_multirange(statement, g.multirange);
    if (r == kInvalidOid || !settle(&g.range, r)) return false;
  }
  if (g.range != kInvalidOid) {
    const Oid e = element_of_range(statement, g.range);
    if (e == kInvalidOid || !settle(&g.element, e)) return false;
  }
  if (g.non_array && g.element != kInvalidOid && is_array(statement, g.element)) return false;
  if (g.is_enum && g.element != kInvalidOid && type_kind(statement, g.element) != 'e') return false;
  if (c.multirange != kInvalidOid) {
    if (!settle(&c.range, range_of_multirange(statement, c.multirange))) return false;
    c.types.push_back(element_of_range(statement, c.range));
  }
  if (!c.types.empty()) {
    const Oid common = common_type_of(statement, c.types);
    if (common == kInvalidOid) return false;
    if (c.non_array && is_array(statement, common)) return false;
    // A range is cast to no other one.
    if (c.range != kInvalidOid && element_of_range(statement, c.range) != common) return false;
  }
  return true;
}

namespace {

/// anyelement and what goes with it, from what the arguments say of each.
void resolve(const StatementContext& statement, Generics& g) {
  if (g.array != kInvalidOid && g.array != oid::kAnyArray) {
    const Oid e = element_type_of(statement, g.array);
    if (e == kInvalidOid) no_such(statement, "anyarray", "an array", g.array);
    if (!settle(&g.element, e)) inconsistent(statement, "anyarray", g.array, "anyelement", g.element);
  }
  if (g.multirange != kInvalidOid) {
    const Oid r = range_of_multirange(statement, g.multirange);
    if (r == kInvalidOid) no_such(statement, "anymultirange", "a multirange type", g.multirange);
    if (!settle(&g.range, r)) inconsistent(statement, "anymultirange", g.multirange, "anyrange", g.range);
  }
  if (g.range != kInvalidOid) {
    const Oid e = element_of_range(statement, g.range);
    if (e == kInvalidOid) no_such(statement, "anyrange", "a range type", g.range);
    if (!settle(&g.element, e)) inconsistent(statement, "anyrange", g.range, "anyelement", g.element);
  }
  if (g.multirange == kInvalidOid) g.multirange = multirange_of_range(g.range);
  if (g.any && g.element == kInvalidOid) {
    mismatch("could not determine polymorphic type because input has type unknown");
  }
  if (g.non_array && is_array(statement, g.element)) {
    mismatch("type matched to anynonarray is an array type: " + type_name(statement, g.element));
  }
  if (g.is_enum && type_kind(statement, g.element) != 'e') {
    mismatch("type matched to anyenum is not an enum type: " + type_name(statement, g.element));
  }
  if (g.element != kInvalidOid && g.array == kInvalidOid) g.array = array_type_of(statement, g.element);
}

void resolve(const StatementContext& statement, CompatibleGenerics& c) {
  if (c.multirange != kInvalidOid) {
    const Oid r = range_of_multirange(statement, c.multirange);
    if (r == kInvalidOid) no_such(statement, "anycompatiblemultirange", "a multirange type", c.multirange);
    if (!settle(&c.range, r)) {
      inconsistent(statement, "anycompatiblemultirange", c.multirange, "anycompatiblerange", c.range);
    }
    c.types.push_back(element_of_range(statement, r));
  }
  if (c.multirange == kInvalidOid) c.multirange = multirange_of_range(c.range);
  if (c.types.empty()) return;
  c.element = common_type_of(statement, c.types);
  if (c.element == kInvalidOid) mismatch("arguments of anycompatible family cannot be cast to a common type");
  c.array = array_type_of(statement, c.element);
  if (c.has_array && c.array == kInvalidOid) {
    throw SqlError(SqlState::kUndefinedObject,
                   "could not find array type for data type " + type_name(statement, c.element));
  }
  if (c.has_range && c.range == kInvalidOid) undetermined("anycompatiblerange");
  if (c.has_multirange && c.multirange == kInvalidOid) undetermined("anycompatiblemultirange");
  if (c.range != kInvalidOid && element_of_range(statement, c.range) != c.element) {
    mismatch("anycompatiblerange type " + type_name(statement, c.range) + " does not match anycompatible type " +
             type_name(statement, c.element));
  }
  if (c.non_array && is_array(statement, c.element)) {
    mismatch("type matched to anycompatiblenonarray is an array type: " + type_name(statement, c.element));
  }
}

}  // namespace

Oid enforce_generic_types(const StatementContext& statement, const std::vector<Oid>& actual, std::vector<Oid>& declared,
                          Oid result) {
  Generics g;
  CompatibleGenerics c;
  for (size_t i = 0; i < declared.size(); ++i) {
    const Oid d = declared[i];
    const Oid a = actual[i];
    const bool unknown = a == oid::kUnknown;
    const Oid base = unknown ? a : base_type_of(statement, a);
    if (is_element_parameter(d)) {
      g.any = true;
      if (d == oid::kAnyNonArray) g.non_array = true;
      if (d == oid::kAnyEnum) g.is_enum = true;
      if (!unknown && !settle(&g.element, a)) unlike(statement, "anyelement", g.element, a);
    } else if (d == oid::kAnyArray) {
      g.any = true;
      if (!unknown && !settle(&g.array, base)) unlike(statement, "anyarray", g.array, base);
    } else if (d == oid::kAnyRange) {
      g.any = true;
      if (!unknown && !settle(&g.range, base)) unlike(statement, "anyrange", g.range, base);
    } else if (d == kAnyMultirange) {
      g.any = true;
      if (!unknown && !settle(&g.multirange, base)) unlike(statement, "anymultirange", g.multirange, base);
    } else if (d == oid::kAnyCompatible || d == oid::kAnyCompatibleNonArray) {
      if (d == oid::kAnyCompatibleNonArray) c.non_array = true;
      c.types.push_back(a);
    } else if (d == oid::kAnyCompatibleArray) {
      c.has_array = true;
      const Oid e = unknown ? a : element_type_of(statement, a);
      if (e == kInvalidOid) no_such(statement, "anycompatiblearray", "an array", a);
      c.types.push_back(e);
    } else if (d == kAnyCompatibleRange) {
      c.has_range = true;
      if (!unknown && !settle(&c.range, base)) unlike(statement, "anycompatiblerange", c.range, base);
      const Oid e = unknown ? a : element_of_range(statement, base);
      if (e == kInvalidOid) no_such(statement, "anycompatiblerange", "a range type", a);
      c.types.push_back(e);
    } else if (d == kAnyCompatibleMultirange) {
      c.has_multirange = true;
      if (!unknown && !settle(&c.multirange, base)) unlike(statement, "anycompatiblemultirange", c.multirange, base);
      if (unknown) c.types.push_back(a);
    }
  }
  resolve(statement, g);
  resolve(statement, c);
  for (size_t i = 0; i < declared.size(); ++i) {
    // A range type does not follow from its elements'.
    if (actual[i] != oid::kUnknown) continue;
    if (declared[i] == oid::kAnyRange && g.range == kInvalidOid) undetermined("anyrange");
    if (declared[i] == kAnyMultirange && g.multirange == kInvalidOid) undetermined("anymultirange");
  }
  auto concrete = [&](Oid d) {
    if (is_element_parameter(d)) return g.element;
    if (d == oid::kAnyArray) return g.array;
    if (d == oid::kAnyRange) return g.range;
    if (d == kAnyMultirange) return g.multirange;
    if (d == oid::kAnyCompatible || d == oid::kAnyCompatibleNonArray) return c.element;
    if (d == oid::kAnyCompatibleArray) return c.array;
    if (d == kAnyCompatibleRange) return c.range;
    if (d == kAnyCompatibleMultirange) return c.multirange;
    return d;
  };
  for (Oid& d : declared) d = concrete(d);
  result = concrete(result);
  if (is_polymorphic(result)) {
    throw SqlError(SqlState::kDatatypeMismatch, "could not determine polymorphic type because input has type unknown");
  }
  return result;
}

}  // namespace omendb::sql
