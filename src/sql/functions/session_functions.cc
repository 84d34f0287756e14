// What a statement asks of its session: who and where it is, settings, sequences, sleep.
#include <chrono>
#include <thread>

#include "sql/functions/library.h"

namespace omendb::sql::functions {

using types::ValueView;
namespace oid = types::oid;

namespace {

void add_identity(Library& library) {
  auto name = [&](const char* source, auto f) {
    library.row({source,
                 {},
                 oid::kName,
                 [f](RowCall& call, const ValueView*) { return call.text(f(call.services())); },
                 Volatility::kStable});
  };
  name("current_database", [](SessionServices& s) { return s.database_name(); });
  name("current_user", [](SessionServices& s) { return s.current_user(); });
  name("session_user", [](SessionServices& s) { return s.session_user(); });
  library.row({"pgsql_version",
               {},
               oid::kText,
               [](RowCall& call, const ValueView*) {
                 return call.text("PostgreSQL 15.0 (OmenDB 0.1.0) on x86_64-pc-linux-gnu, 64-bit");
               },
               Volatility::kStable});
  library.row({"pg_backend_pid",
               {},
               oid::kInt4,
               [](RowCall& call, const ValueView*) { return int_value(call.services().backend_pid()); },
               Volatility::kStable});
  library.row({"pg_is_in_recovery",
               {},
               oid::kBool,
               [](RowCall&, const ValueView*) { return bool_value(false); },
               Volatility::kVolatile});
}

ValueView setting(RowCall& call, const ValueView* a, bool missing_ok) {
  auto value = call.services().get_setting(a[0].bytes);
  if (value) return call.text(std::move(*value));
  if (missing_ok) return null_value();
  throw SqlError(SqlState::kUndefinedObject,
                 "unrecognized configuration parameter \"" + std::string(a[0].bytes) + "\"");
}

void add_settings(Library& library) {
  library.row({"show_config_by_name",
               {oid::kText},
               oid::kText,
               [](RowCall& call, const ValueView* a) { return setting(call, a, false); },
               Volatility::kStable});
  library.row({"show_config_by_name_missing_ok",
               {oid::kText, oid::kBool},
               oid::kText,
               [](RowCall& call, const ValueView* a) { return setting(call, a, a[1].integer != 0); },
               Volatility::kStable});
  RowSpec set{"set_config_by_name",
              {oid::kText, oid::kText, oid::kBool},
              oid::kText,
              [](RowCall& call, const ValueView* a) {
                if (a[0].null) throw SqlError(SqlState::kNullValueNotAllowed, "SET requires parameter name");
                throw_if_error(call.services().set_setting(a[0].bytes, a[1].null ? std::string_view{} : a[1].bytes,
                                                           !a[2].null && a[2].integer != 0));
                return call.text(call.services().get_setting(a[0].bytes).value_or(""));
              },
              Volatility::kVolatile,
              false};
  library.row(std::move(set));
}

void add_sequences(Library& library) {
  auto sequence = [](const ValueView& v) { return Oid{static_cast<uint32_t>(v.integer)}; };
  library.row({"nextval_oid",
               {oid::kRegclass},
               oid::kInt8,
               [sequence](RowCall& call, const ValueView* a) {
                 return int_value(call.services().sequence_nextval(sequence(a[0])));
               },
               Volatility::kVolatile});
  library.row({"currval_oid",
               {oid::kRegclass},
               oid::kInt8,
               [sequence](RowCall& call, const ValueView* a) {
                 return int_value(call.services().sequence_currval(sequence(a[0])));
               },
               Volatility::kVolatile});
  // A sequence read as a table: 0 last_value, 1 log_cnt, 2 is_called.
  library.row({"sequence_counter",
               {oid::kRegclass, oid::kInt8},
               oid::kInt8,
               [sequence](RowCall& call, const ValueView* a) {
                 const auto* found = call.services().catalog()->find<catalog::Sequence>(sequence(a[0]));
                 if (found == nullptr) return null_value();
                 const auto state = value_or_throw(call.services().database().sequence_state(*found));
                 return int_value(a[1].integer == 0   ? state.last_value
                                  : a[1].integer == 1 ? (state.is_called ? 32 : 0)
                                                      : (state.is_called ? 1 : 0));
               },
               Volatility::kVolatile});
  library.row({"lastval",
               {},
               oid::kInt8,
               [](RowCall& call, const ValueView*) { return int_value(call.services().sequence_lastval()); },
               Volatility::kVolatile});
  library.row({"setval_oid",
               {oid::kRegclass, oid::kInt8},
               oid::kInt8,
               [sequence](RowCall& call, const ValueView* a) {
                 call.services().sequence_setval(sequence(a[0]), a[1].integer, true);
                 return a[1];
               },
               Volatility::kVolatile});
  library.row({"setval3_oid",
               {oid::kRegclass, oid::kInt8, oid::kBool},
               oid::kInt8,
               [sequence](RowCall& call, const ValueView* a) {
                 call.services().sequence_setval(sequence(a[0]), a[1].integer, a[2].integer != 0);
                 return a[1];
               },
               Volatility::kVolatile});
}

ValueView sleep(RowCall& call, double seconds) {
  using Clock = std::chrono::steady_clock;
  if (seconds > 0) {
    const auto end = Clock::now() +
                     std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::min(seconds, 1e9)));
    while (Clock::now() < end) {
      call.services().check_cancelled();
      std::this_thread::sleep_for(std::min<Clock::duration>(end - Clock::now(), std::chrono::milliseconds(20)));
    }
  }
  call.services().check_cancelled();
  return call.text("");
}

void add_counting(Library& library) {
  for (bool nulls : {true, false}) {
    RowSpec spec{
        nulls ? "pg_num_nulls" : "pg_num_nonnulls", {kAnyTail}, oid::kInt4, [nulls](RowCall& call, const ValueView* a) {
          int64_t n = 0;
          for (size_t i = 0; i < call.argument_count; ++i) n += a[i].null == nulls;
          return int_value(n);
        }};
    spec.strict = false;
    library.row(std::move(spec));
  }
}

}  // namespace

void add_session_functions(Library& library) {
  add_identity(library);
  add_settings(library);
  add_sequences(library);
  add_counting(library);
  library.row({"pg_sleep",
               {oid::kFloat8},
               oid::kVoid,
               [](RowCall& call, const ValueView* a) { return sleep(call, a[0].real); },
               Volatility::kVolatile});
  library.row({"sql_pg_sleep_for",
               {oid::kInterval},
               oid::kVoid,
               [](RowCall& call, const ValueView* a) {
                 const auto& i = a[0].interval;
                 return sleep(call, static_cast<double>(i.months) * 2592000 + static_cast<double>(i.days) * 86400 +
                                        static_cast<double>(i.micros) / 1e6);
               },
               Volatility::kVolatile});
}

}  // namespace omendb::sql::functions
