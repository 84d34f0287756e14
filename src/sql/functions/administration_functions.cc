// What administration tools ask beside the catalog: sizes as people read them, options, keywords, privileges as rows.
#include <algorithm>
#include <array>
#include <set>

#include "sql/frontend/keywords.h"
#include "sql/functions/library.h"
#include "sql/neighbours.h"
#include "table/lock_waits.h"
#include "types/array.h"
#include "types/numeric.h"
#include "types/scalar.h"

namespace omendb::sql::functions {

using types::Numeric;
using types::ValueView;
namespace oid = types::oid;

namespace {

constexpr Oid kTextArray{1009}, kInt4Array{1007}, kAclItem{1033}, kAclItemArray{1034};

struct SizeUnit {
  const char* name;
  int64_t limit;  // sizes from here on are told in the next unit
  bool round;
  int bits;  // of a byte count to this unit
};
constexpr std::array<SizeUnit, 6> kSizeUnits = {{{"bytes", 10 * 1024, false, 0},
                                                 {"kB", 20 * 1024 - 1, true, 10},
                                                 {"MB", 20 * 1024 - 1, true, 20},
                                                 {"GB", 20 * 1024 - 1, true, 30},
                                                 {"TB", 20 * 1024 - 1, true, 40},
                                                 {"PB", INT64_MAX, true, 50}}};

/// A size of at least one unit is kept doubled on the way, so that the last half decides the rounding.
std::string size_text(types::Int128 size) {
  for (size_t i = 0;; ++i) {
    const SizeUnit& unit = kSizeUnits[i];
    if (i + 1 == kSizeUnits.size() || (size < 0 ? -size : size) < unit.limit) {
      if (unit.round) size = (size + (size < 0 ? -1 : 1)) / 2;
      return std::to_string(static_cast<int64_t>(size)) + " " + unit.name;
    }
    const SizeUnit& next = kSizeUnits[i + 1];
    const int bits = next.bits - unit.bits - (next.round ? 1 : 0) + (unit.round ? 1 : 0);
    size /= static_cast<types::Int128>(1) << bits;
  }
}

/// pg_size_bytes: a number and a unit, as size_text writes them.
int64_t size_of_text(std::string_view text) {
  const auto invalid = [&] {
    return SqlError(SqlState::kInvalidParameterValue, "invalid size: \"" + std::string(text) + "\"");
  };
  std::string_view rest = types::trim_space(text);
  const std::string_view all = rest;
  const auto skip_digits = [&] {
    const size_t n = std::min(rest.find_first_not_of("0123456789"), rest.size());
    rest.remove_prefix(n);
    return n;
  };
  if (rest.starts_with('+') || rest.starts_with('-')) rest.remove_prefix(1);
  size_t digits = skip_digits();
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    digits += skip_digits();
  }
  if (digits == 0) throw invalid();
  if (rest.starts_with('e') || rest.starts_with('E')) {
    const std::string_view before = rest;
    rest.remove_prefix(1);
    if (rest.starts_with('+') || rest.starts_with('-')) rest.remove_prefix(1);
    if (skip_digits() == 0) rest = before;
  }
  Numeric size;
  throw_if_error(Numeric::parse(all.substr(0, all.size() - rest.size()), &size));
  rest = types::trim_space(rest);
  if (!rest.empty()) {
    const auto unit = std::find_if(kSizeUnits.begin(), kSizeUnits.end(),
                                   [&](const SizeUnit& known) { return types::equal_ignoring_case(rest, known.name); });
    if (unit == kSizeUnits.end()) {
      throw invalid()
          .detail("Invalid size unit: \"" + std::string(rest) + "\".")
          .hint("Valid units are \"bytes\", \"kB\", \"MB\", \"GB\", \"TB\", and \"PB\".");
    }
    Numeric bytes;
    throw_if_error(types::numeric_mul(size, Numeric::from_int64(int64_t{1} << unit->bits), &bytes));
    size = bytes;
  }
  int64_t whole = 0;
  throw_if_error(size.to_int64(&whole));
  return whole;
}

void add_size_texts(Library& library) {
  library.row({"pg_size_bytes", {oid::kText}, oid::kInt8, [](RowCall&, const ValueView* a) {
                 return int_value(size_of_text(a[0].bytes));
               }});
  library.row({"pg_size_pretty", {oid::kInt8}, oid::kText, [](RowCall& call, const ValueView* a) {
                 return call.text(size_text(a[0].integer));
               }});
  library.row({"pg_size_pretty_numeric", {oid::kNumeric}, oid::kText, [](RowCall& call, const ValueView* a) {
                 const Numeric size = Numeric::from_bytes(a[0].bytes);
                 int64_t whole = 0;
                 Numeric truncated;
                 types::numeric_trunc(size, 0, &truncated);
                 throw_if_error(truncated.to_int64(&whole));
                 if (whole > -kSizeUnits[0].limit && whole < kSizeUnits[0].limit) {
                   std::string text;
                   types::output(oid::kNumeric, {types::Physical::kBytes}, a[0], call.io(), &text);
                   return call.text(text + " bytes");
                 }
                 return call.text(size_text(whole));
               }});
}

/// The processes that keep this one waiting, for a lock of a transaction or an advisory one.
std::set<int32_t> blockers_of(RowCall& call, int32_t process_id) {
  std::set<int32_t> blockers;
  for (const auto& wait : table::lock_waits(call.services().database())) {
    if (wait.process_id == process_id) blockers.insert(wait.blocked_by);
  }
  const auto advisory = call.services().neighbours().locks();
  for (const auto& wanted : advisory) {
    if (wanted.granted || wanted.process_id != process_id) continue;
    for (const auto& held : advisory) {
      if (held.granted && held.process_id != process_id && held.key == wanted.key && !(held.shared && wanted.shared))
        blockers.insert(held.process_id);
    }
  }
  return blockers;
}

/// pg_options_to_table: {a=1,b} as rows.
void add_options(Library& library) {
  library.set(
      {"pg_options_to_table", {kTextArray}, {oid::kText, oid::kText}, [](RowCall&, const ValueView* a, RowSink& sink) {
         const types::ArrayView options(a[0].bytes);
         for (size_t i = 0; i < options.size(); ++i) {
           if (options.is_null(i)) continue;
           const std::string_view text = options.at(i).bytes;
           const size_t equals = text.find('=');
           if (equals == std::string_view::npos)
             sink.row({ValueView::of_bytes(text), null_value()});
           else
             sink.row({ValueView::of_bytes(text.substr(0, equals)), ValueView::of_bytes(text.substr(equals + 1))});
         }
       }});
}

/// Nothing is partitioned: no relation is part of a tree.
void add_partitions(Library& library) {
  library.set({"pg_partition_tree",
               {oid::kRegclass},
               {oid::kRegclass, oid::kRegclass, oid::kBool, oid::kInt4},
               [](RowCall&, const ValueView*, RowSink&) {},
               Volatility::kStable});
  library.set({"pg_partition_ancestors",
               {oid::kRegclass},
               {oid::kRegclass},
               [](RowCall&, const ValueView*, RowSink&) {},
               Volatility::kStable});
  library.row({"pg_partition_root",
               {oid::kRegclass},
               oid::kRegclass,
               [](RowCall&, const ValueView*) { return null_value(); },
               Volatility::kStable});
}

void add_neighbours(Library& library) {
  auto pair_of = [](const ValueView* a, bool pair) {
    if (!pair) return AdvisoryKey{a[0].integer, false};
    return AdvisoryKey{static_cast<int64_t>((static_cast<uint64_t>(static_cast<uint32_t>(a[0].integer)) << 32) |
                                            static_cast<uint32_t>(a[1].integer)),
                       true};
  };
  for (bool pair : {false, true}) {
    const std::vector<Oid> arguments = pair ? std::vector<Oid>{oid::kInt4, oid::kInt4} : std::vector<Oid>{oid::kInt8};
    const std::string tail = pair ? "_int4" : "_int8";
    for (bool shared : {false, true}) {
      const std::string mode = (shared ? "_shared" : "") + tail;
      for (bool to_end : {false, true}) {
        for (bool try_only : {false, true}) {
          library.row(
              {std::string(try_only ? "pg_try_advisory" : "pg_advisory") + (to_end ? "_xact_lock" : "_lock") + mode,
               arguments, try_only ? oid::kBool : oid::kVoid,
               [=](RowCall& call, const ValueView* a) {
                 const bool locked = call.services().neighbours().lock(pair_of(a, pair), shared, to_end, try_only);
                 return try_only ? bool_value(locked) : call.text("");
               },
               Volatility::kVolatile});
        }
      }
      library.row({"pg_advisory_unlock" + mode, arguments, oid::kBool,
                   [=](RowCall& call, const ValueView* a) {
                     if (call.services().neighbours().unlock(pair_of(a, pair), shared)) return bool_value(true);
                     ErrorInfo info;
                     info.code = SqlState::kWarning;
                     info.message =
                         std::string("you don't own a lock of type ") + (shared ? "ShareLock" : "ExclusiveLock");
                     call.services().notice("WARNING", info);
                     return bool_value(false);
                   },
                   Volatility::kVolatile});
    }
  }
  library.row({"pg_advisory_unlock_all",
               {},
               oid::kVoid,
               [](RowCall& call, const ValueView*) {
                 call.services().neighbours().unlock_all();
                 return call.text("");
               },
               Volatility::kVolatile});

  auto signal = [&](const char* name, std::vector<Oid> arguments, bool terminate) {
    library.row({name, std::move(arguments), oid::kBool,
                 [terminate](RowCall& call, const ValueView* a) {
                   const auto process = static_cast<int32_t>(a[0].integer);
                   if (call.services().neighbours().signal(process, terminate)) return bool_value(true);
                   ErrorInfo info;
                   info.code = SqlState::kWarning;
                   info.message = "PID " + std::to_string(process) + " is not a PostgreSQL backend process";
                   call.services().notice("WARNING", info);
                   return bool_value(false);
                 },
                 Volatility::kVolatile});
  };
  library.row({"pg_blocking_pids",
               {oid::kInt4},
               kInt4Array,
               [](RowCall& call, const ValueView* a) {
                 types::ArrayBuilder builder(oid::kInt4, {types::Physical::kInt32});
                 for (const int32_t process : blockers_of(call, static_cast<int32_t>(a[0].integer)))
                   builder.add(ValueView::of_integer(process));
                 return call.text(builder.finish());
               },
               Volatility::kVolatile});
  // What the isolation tester asks: is it one of its own sessions that keeps this one waiting?
  library.row({"pg_isolation_test_session_is_blocked",
               {oid::kInt4, kInt4Array},
               oid::kBool,
               [](RowCall& call, const ValueView* a) {
                 const types::ArrayView asked(a[1].bytes);
                 const std::set<int32_t> blockers = blockers_of(call, static_cast<int32_t>(a[0].integer));
                 for (size_t i = 0; i < asked.size(); ++i) {
                   if (!asked.is_null(i) && blockers.contains(static_cast<int32_t>(asked.at(i).integer)))
                     return bool_value(true);
                 }
                 return bool_value(false);
               },
               Volatility::kVolatile});
  signal("pg_cancel_backend", {oid::kInt4}, false);
  signal("pg_terminate_backend", {oid::kInt4, oid::kInt8}, true);

  RowSpec notify{"pg_notify",
                 {oid::kText, oid::kText},
                 oid::kVoid,
                 [](RowCall& call, const ValueView* a) {
                   call.services().neighbours().notify(a[0].null ? std::string_view() : a[0].bytes,
                                                       a[1].null ? std::string_view() : a[1].bytes);
                   return call.text("");
                 },
                 Volatility::kVolatile,
                 false};
  library.row(std::move(notify));
  library.set({"pg_listening_channels",
               {},
               {oid::kText},
               [](RowCall& call, const ValueView*, RowSink& sink) {
                 for (const auto& channel : call.services().neighbours().listening())
                   sink.row(ValueView::of_bytes(channel));
               },
               Volatility::kStable});
  library.row({"pg_notification_queue_usage",
               {},
               oid::kFloat8,
               [](RowCall&, const ValueView*) { return real_value(0); },
               Volatility::kVolatile});
}

struct DefaultPrivileges {
  char kind;
  const char *everybody, *owner;
};
constexpr DefaultPrivileges kDefaultPrivileges[] = {
    {'c', "", ""},   {'r', "", "arwdDxt"}, {'s', "", "rwU"}, {'d', "Tc", "CTc"}, {'f', "X", "X"},
    {'l', "U", "U"}, {'L', "", "rw"},      {'n', "", "UC"},  {'t', "", "C"},     {'F', "", "U"},
    {'S', "", "U"},  {'T', "U", "U"},      {'p', "", "sA"}};

/// What an object without an access control list grants.
ValueView default_privileges(RowCall& call, const ValueView* a) {
  const char kind = a[0].bytes.empty() ? '\0' : a[0].bytes[0];
  const auto* found = std::find_if(std::begin(kDefaultPrivileges), std::end(kDefaultPrivileges),
                                   [&](const auto& d) { return d.kind == kind; });
  if (found == std::end(kDefaultPrivileges))
    throw SqlError(SqlState::kInternalError, std::string("unrecognized objtype abbreviation: ") + kind);
  const auto catalog = call.services().catalog();
  const auto* role = catalog->find<catalog::Role>(Oid{static_cast<uint32_t>(a[1].integer)});
  const std::string owner =
      role == nullptr ? std::to_string(static_cast<uint32_t>(a[1].integer)) : std::string(role->name);
  types::ArrayBuilder items(kAclItem, types::physical_type(kAclItem, -1));
  if (*found->everybody != '\0') items.add(ValueView::of_bytes(std::string("=") + found->everybody + "/" + owner));
  if (*found->owner != '\0') items.add(ValueView::of_bytes(owner + "=" + found->owner + "/" + owner));
  return call.text(items.finish());
}

/// aclexplode: each aclitem ("grantee=privileges/grantor") as rows.
void add_acl(Library& library) {
  library.row({"acldefault_sql", {oid::kChar, oid::kOid}, kAclItemArray, default_privileges, Volatility::kStable});
  library.set({"aclexplode",
               {kAclItemArray},
               {oid::kOid, oid::kOid, oid::kText, oid::kBool},
               [](RowCall& call, const ValueView* a, RowSink& sink) {
                 static const std::pair<char, const char*> kPrivileges[] = {
                     {'a', "INSERT"},     {'r', "SELECT"},  {'w', "UPDATE"},  {'d', "DELETE"},      {'D', "TRUNCATE"},
                     {'x', "REFERENCES"}, {'t', "TRIGGER"}, {'X', "EXECUTE"}, {'U', "USAGE"},       {'C', "CREATE"},
                     {'T', "TEMPORARY"},  {'c', "CONNECT"}, {'s', "SET"},     {'A', "ALTER SYSTEM"}};
                 const auto catalog = call.services().catalog();
                 auto role = [&](std::string_view name) {
                   const auto* found = catalog->find_role(name);
                   return int_value(found == nullptr ? 0 : found->oid.value);
                 };
                 const types::ArrayView items(a[0].bytes);
                 for (size_t i = 0; i < items.size(); ++i) {
                   if (items.is_null(i)) continue;
                   const std::string_view item = items.at(i).bytes;
                   const size_t equals = item.find('='), slash = item.rfind('/');
                   if (equals == std::string_view::npos || slash == std::string_view::npos) continue;
                   for (size_t p = equals + 1; p < slash; ++p) {
                     for (const auto& [letter, name] : kPrivileges) {
                       if (item[p] == letter) {
                         sink.row({role(item.substr(slash + 1)), role(item.substr(0, equals)),
                                   ValueView::of_bytes(name), bool_value(p + 1 < slash && item[p + 1] == '*')});
                       }
                     }
                   }
                 }
               },
               Volatility::kStable});
}

void add_keywords(Library& library) {
  library.set({"pg_get_keywords",
               {},
               {oid::kText, oid::kChar, oid::kBool, oid::kText, oid::kText},
               [](RowCall&, const ValueView*, RowSink& sink) {
                 for (const Keyword& keyword : sql_keywords()) {
                   const char* category = keyword.category == 'U'   ? "unreserved"
                                          : keyword.category == 'C' ? "unreserved (cannot be function or type name)"
                                          : keyword.category == 'T' ? "reserved (can be function or type name)"
                                                                    : "reserved";
                   sink.row({ValueView::of_bytes(keyword.word),
                             ValueView::of_bytes(std::string_view(&keyword.category, 1)),
                             bool_value(keyword.bare_label), ValueView::of_bytes(category),
                             ValueView::of_bytes(keyword.bare_label ? "can be bare label" : "requires AS")});
                 }
               },
               Volatility::kStable});
}

void add_server_facts(Library& library) {
  auto fact = [&](const char* name, Oid result, RowFunction function) {
    library.row({name, {}, result, std::move(function), Volatility::kStable});
  };
  fact("pg_jit_available", oid::kBool, [](RowCall&, const ValueView*) { return bool_value(false); });
  fact("pg_trigger_depth", oid::kInt4, [](RowCall&, const ValueView*) { return int_value(0); });
  fact("pg_reload_conf", oid::kBool, [](RowCall&, const ValueView*) { return bool_value(true); });
  fact("pg_current_xact_id", oid::kInt8, [](RowCall& call, const ValueView*) {
    return int_value(static_cast<int64_t>(call.services().transaction().id()));
  });
  fact("pg_stat_clear_snapshot", oid::kVoid, [](RowCall& call, const ValueView*) { return call.text(""); });
}

}  // namespace

void add_administration_functions(Library& library) {
  add_size_texts(library);
  add_options(library);
  add_partitions(library);
  add_neighbours(library);
  add_acl(library);
  add_keywords(library);
  add_server_facts(library);
}

}  // namespace omendb::sql::functions
