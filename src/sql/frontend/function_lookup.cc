#include "sql/frontend/function_lookup.h"

#include <algorithm>

namespace omendb::sql {

namespace oid = types::oid;

std::string function_signature(const StatementContext& statement, const std::string& name,
                               const std::vector<Oid>& actual, const std::vector<std::string>& names) {
  std::string text = name + "(";
  const size_t positional = actual.size() - names.size();
  for (size_t i = 0; i < actual.size(); ++i) {
    if (i > 0) text += ", ";
    if (i >= positional) text += names[i - positional] + " => ";
    text += actual[i] == oid::kUnknown ? "unknown" : type_name(statement, actual[i]);
  }
  return text + ")";
}

namespace {

using Candidate = FunctionCandidate;

/// FuncnameGetCandidates: by name and number of arguments.
std::vector<Candidate> candidates_named(const std::string& schema, const std::string& name, size_t count,
                                        const std::vector<std::string>& names, bool variadic_call) {
  std::vector<Candidate> result;
  if (!schema.empty() && schema != "pg_catalog" && schema != "information_schema") return result;
  const uint32_t schema_oid = schema == "information_schema" ? 13000 : 11;
  for (const ProcRow* proc : procs_named(name)) {
    if (proc->schema.value != schema_oid) continue;
    const size_t parameters = proc->arguments.size();
    Candidate c;
    c.proc = proc;
    if (!names.empty()) {
      // Named notation: match names to input parameters.
      if (count > parameters) continue;
      if (count < parameters && count + proc->default_count < parameters) continue;
      const size_t positional = count - names.size();
      std::vector<bool> used(parameters, false);
      bool ok = true;
      for (size_t i = 0; i < positional; ++i) {
        c.positions.push_back(static_cast<int>(i));
        used[i] = true;
      }
      for (const auto& n : names) {
        size_t p = 0;
        for (; p < parameters; ++p) {
          if (proc->argument_names[p] == n) break;
        }
        if (p == parameters || used[p]) {
          ok = false;
          break;
        }
        used[p] = true;
        c.positions.push_back(static_cast<int>(p));
      }
      if (!ok) continue;
      const size_t first_default = parameters - static_cast<size_t>(proc->default_count);
      for (size_t p = 0; p < parameters; ++p) {
        if (used[p]) continue;
        if (p < first_default) ok = false;
        c.positions.push_back(static_cast<int>(p));
        ++c.default_count;
      }
      if (!ok) continue;
      for (int p : c.positions) c.arguments.push_back(proc->arguments[static_cast<size_t>(p)]);
      result.push_back(std::move(c));
      continue;
    }
    const bool variadic = proc->variadic != kInvalidOid && !variadic_call;
    if (variadic && parameters <= count) {
      c.variadic_count = static_cast<int>(count - parameters + 1);
      c.arguments.assign(proc->arguments.begin(), proc->arguments.end() - 1);
      c.arguments.resize(count, proc->variadic);
      result.push_back(std::move(c));
      continue;
    }
    if (variadic_call && proc->variadic == kInvalidOid) continue;
    if (count > parameters) continue;
    if (count < parameters) {
      if (count + static_cast<size_t>(proc->default_count) < parameters) continue;
      c.default_count = static_cast<int>(parameters - count);
    }
    c.arguments = proc->arguments;
    result.push_back(std::move(c));
  }
  // Where a variadic and a plain function have the same parameters, the plain one wins; fewer defaults win too.
  for (size_t i = 0; i < result.size(); ++i) {
    for (size_t j = i + 1; j < result.size();) {
      auto head = [&](const Candidate& c) {
        return std::vector<Oid>(c.arguments.begin(),
                                c.arguments.begin() + static_cast<long>(std::min(count, c.arguments.size())));
      };
      if (head(result[i]) != head(result[j])) {
        ++j;
        continue;
      }
      auto rank = [](const Candidate& c) { return c.variadic_count * 1000 + c.default_count; };
      if (rank(result[j]) < rank(result[i])) std::swap(result[i], result[j]);
      if (rank(result[j]) == rank(result[i])) {
        ++j;
        continue;
      }
      result.erase(result.begin() + static_cast<long>(j));
    }
  }
  return result;
}

/// func_select_candidate. -1: none, -2: several.
template <class Arguments>
int select_candidate(const StatementContext& statement, const std::vector<Oid>& actual, std::vector<Arguments>& all) {
  const size_t count = actual.size();
  auto args = [&](size_t c) -> const std::vector<Oid>& { return all[c].arguments; };
  std::vector<size_t> alive(all.size());
  for (size_t i = 0; i < all.size(); ++i) alive[i] = i;
  std::vector<Oid> input(actual);
  size_t unknowns = 0;
  for (Oid& t : input) {
    if (t == oid::kUnknown)
      ++unknowns;
    else
      t = base_type_of(statement, t);
  }
  auto keep_best = [&](auto score) {
    int best = 0;
    std::vector<size_t> kept;
    for (size_t c : alive) {
      const int s = score(c);
      if (s > best) {
        best = s;
        kept.clear();
      }
      if (s == best) kept.push_back(c);
    }
    if (!kept.empty()) alive = kept;
  };
  // Most exact matches.
  keep_best([&](size_t c) {
    int matches = 0;
    for (size_t i = 0; i < count; ++i) matches += input[i] != oid::kUnknown && args(c)[i] == input[i];
    return matches;
  });
  if (alive.size() == 1) return static_cast<int>(alive[0]);
  // Most exact or preferred matches.
  std::vector<char> category(count);
  for (size_t i = 0; i < count; ++i) category[i] = type_category(statement, input[i]);
  auto is_preferred = [&](char cat, Oid type) {
    bool preferred;
    const char c = type_category(statement, type, &preferred);
    return c == cat && preferred;
  };
  keep_best([&](size_t c) {
    int matches = 0;
    for (size_t i = 0; i < count; ++i) {
      if (input[i] == oid::kUnknown) continue;
      matches += args(c)[i] == input[i] || is_preferred(category[i], args(c)[i]);
    }
    return matches;
  });
  if (alive.size() == 1) return static_cast<int>(alive[0]);
  if (unknowns == 0) return -2;

  // Unknown arguments: string category wins, else a category that all share.
  bool resolved = true;
  std::vector<char> slot_category(count, 0);
  std::vector<bool> slot_preferred(count, false);
  for (size_t i = 0; i < count && resolved; ++i) {
    if (input[i] != oid::kUnknown) continue;
    bool have_conflict = false;
    char slot = 0;
    bool slot_has_preferred = false;
    for (size_t c : alive) {
      bool preferred;
      const char cat = type_category(statement, args(c)[i], &preferred);
      if (slot == 0) {
        slot = cat;
        slot_has_preferred = preferred;
      } else if (slot == cat) {
        slot_has_preferred |= preferred;
      } else if (cat == 'S') {
        slot = cat;
        slot_has_preferred = preferred;
      } else {
        have_conflict = true;
      }
    }
    if (have_conflict && slot != 'S') resolved = false;
    slot_category[i] = slot;
    slot_preferred[i] = slot_has_preferred;
  }
  if (resolved) {
    std::vector<size_t> kept;
    for (size_t c : alive) {
      bool keep = true;
      for (size_t i = 0; i < count && keep; ++i) {
        if (input[i] != oid::kUnknown) continue;
        bool preferred;
        const char cat = type_category(statement, args(c)[i], &preferred);
        if (cat != slot_category[i] || (slot_preferred[i] && !preferred)) keep = false;
      }
      if (keep) kept.push_back(c);
    }
    if (!kept.empty()) alive = kept;
    if (alive.size() == 1) return static_cast<int>(alive[0]);
  }
  // All known arguments of one type: take it for the unknown ones.
  if (unknowns < count) {
    Oid known = oid::kUnknown;
    bool one_type = true;
    for (Oid t : input) {
      if (t == oid::kUnknown) continue;
      if (known == oid::kUnknown)
        known = t;
      else if (known != t)
        one_type = false;
    }
    if (one_type) {
      int found = -1;
      std::vector<Oid> assumed(count, known);
      for (size_t c : alive) {
        std::vector<Oid> declared(args(c).begin(), args(c).begin() + static_cast<long>(count));
        if (can_coerce(statement, assumed, declared, CoercionContext::kImplicit)) {
          if (found >= 0) return -2;
          found = static_cast<int>(c);
        }
      }
      if (found >= 0) return found;
    }
  }
  return -2;
}

}  // namespace

FunctionChoice find_function(const StatementContext& statement, const std::string& schema, const std::string& name,
                             const std::vector<Oid>& actual, const std::vector<std::string>& names,
                             bool variadic_call) {
  FunctionChoice choice;
  const size_t count = actual.size();
  std::vector<Candidate> all = candidates_named(schema, name, count, names, variadic_call);
  auto exact = [&](const Candidate& c) {
    for (size_t i = 0; i < count; ++i) {
      if (c.arguments[i] != actual[i]) return false;
    }
    return true;
  };
  for (const auto& c : all) {
    if (exact(c)) {
      choice.kind = FunctionChoice::Kind::kFunction;
      choice.candidate = c;
      return choice;
    }
  }
  // A type's name as a function of one argument, where the cast is a relabelling or goes through text: int4('5'), text(x).
  if (count == 1 && names.empty()) {
    Oid target = kInvalidOid;
    if (const types::TypeInfo* info = types::find_type(name);
        info != nullptr && (schema.empty() || schema == "pg_catalog")) {
      target = info->oid;
    }
    if (target != kInvalidOid && type_category(statement, target) != 'A') {
      const Oid source = actual[0];
      bool is_coercion = false;
      if (source == oid::kUnknown) {
        is_coercion = true;
      } else {
        const CoercionPath path = find_coercion_path(statement, target, source, CoercionContext::kExplicit, nullptr);
        if (path == CoercionPath::kRelabel) is_coercion = true;
        if (path == CoercionPath::kViaIo) {
          const char category = type_category(statement, target);
          is_coercion = !((source == oid::kRecord || is_composite(statement, source)) && category == 'S');
        }
      }
      if (is_coercion) {
        choice.kind = FunctionChoice::Kind::kCoercion;
        choice.coercion_target = target;
        return choice;
      }
    }
  }
  std::vector<Candidate> possible;
  for (auto& c : all) {
    std::vector<Oid> declared(c.arguments.begin(), c.arguments.begin() + static_cast<long>(count));
    if (can_coerce(statement, actual, declared, CoercionContext::kImplicit)) possible.push_back(std::move(c));
  }
  if (possible.empty()) return choice;
  const int best = possible.size() == 1 ? 0 : select_candidate(statement, actual, possible);
  if (best < 0) {
    choice.kind = FunctionChoice::Kind::kAmbiguous;
    return choice;
  }
  choice.kind = FunctionChoice::Kind::kFunction;
  choice.candidate = std::move(possible[static_cast<size_t>(best)]);
  return choice;
}

// --- Operators ---

namespace {

struct OperatorCandidate {
  const OperatorRow* row;
  std::vector<Oid> arguments;
};

/// The operator, nullptr, or "several".
const OperatorRow* look_up_operator(const StatementContext& statement, const std::string& name, Oid left, Oid right,
                                    bool* ambiguous) {
  const bool prefix = left == kInvalidOid;
  const auto& all = operators_named(name);
  auto exact = [&](Oid l, Oid r) -> const OperatorRow* {
    for (const OperatorRow* o : all) {
      if (o->left == l && o->right == r) return o;
    }
    return nullptr;
  };
  if (prefix) {
    if (const OperatorRow* o = exact(kInvalidOid, right)) return o;
  } else {
    // An unknown beside a known type is first taken for that type.
    Oid l = left, r = right;
    if (l == oid::kUnknown && r != oid::kUnknown)
      l = r;
    else if (r == oid::kUnknown && l != oid::kUnknown)
      r = l;
    if (l != oid::kUnknown) {
      if (const OperatorRow* o = exact(l, r)) return o;
      if (left == oid::kUnknown || right == oid::kUnknown) {
        const Oid base = base_type_of(statement, l);
        if (base != l) {
          if (const OperatorRow* o = exact(base, base)) return o;
        }
      }
    }
  }
  std::vector<Oid> actual = prefix ? std::vector<Oid>{right} : std::vector<Oid>{left, right};
  std::vector<OperatorCandidate> possible;
  for (const OperatorRow* o : all) {
    if ((o->left == kInvalidOid) != prefix) continue;
    std::vector<Oid> declared = prefix ? std::vector<Oid>{o->right} : std::vector<Oid>{o->left, o->right};
    if (can_coerce(statement, actual, declared, CoercionContext::kImplicit))
      possible.push_back({o, std::move(declared)});
  }
  if (possible.empty()) return nullptr;
  const int best = possible.size() == 1 ? 0 : select_candidate(statement, actual, possible);
  if (best < 0) {
    *ambiguous = true;
    return nullptr;
  }
  return possible[static_cast<size_t>(best)].row;
}

}  // namespace

const OperatorRow* try_operator_for(const StatementContext& statement, const std::string& name, Oid left, Oid right) {
  bool ambiguous = false;
  return look_up_operator(statement, name, left, right, &ambiguous);
}

const OperatorRow* find_operator_for(const StatementContext& statement, const std::string& schema,
                                     const std::string& name, Oid left, Oid right, int location) {
  bool ambiguous = false;
  const OperatorRow* found = nullptr;
  if (schema.empty() || schema == "pg_catalog") found = look_up_operator(statement, name, left, right, &ambiguous);
  if (found != nullptr) return found;
  auto text = [&](Oid t) { return t == oid::kUnknown ? std::string("unknown") : type_name(statement, t); };
  std::string signature =
      (left == kInvalidOid ? "" : text(left) + " ") + (schema.empty() ? "" : schema + ".") + name + " " + text(right);
  if (ambiguous) {
    throw SqlError(SqlState::kAmbiguousFunction, "operator is not unique: " + signature, location)
        .hint("Could not choose a best candidate operator. You might need to add explicit type casts.");
  }
  throw SqlError(SqlState::kUndefinedFunction, "operator does not exist: " + signature, location)
      .hint(left == kInvalidOid
                ? "No operator matches the given name and argument type. You might need to add an explicit type cast."
                : "No operator matches the given name and argument types. You might need to add explicit type casts.");
}

TypedExpr apply_operator(Scope& scope, const std::string& schema, const std::string& name,
                         std::optional<TypedExpr> left, TypedExpr right, int location) {
  StatementContext& statement = *scope.statement;
  auto type_of = [](const TypedExpr& e) { return is_unknown(e) ? oid::kUnknown : e.type; };
  const Oid right_type = type_of(right);
  const Oid left_type = left ? type_of(*left) : kInvalidOid;
  const OperatorRow* row = find_operator_for(statement, schema, name, left_type, right_type, location);
  const ProcRow* proc = find_proc(row->function);
  if (proc == nullptr) {
    throw SqlError(SqlState::kUndefinedFunction, "operator is only a shell: " + name, location);
  }
  std::vector<Oid> actual, declared;
  std::vector<TypedExpr> args;
  if (left) {
    actual.push_back(left_type);
    declared.push_back(row->left);
    args.push_back(std::move(*left));
  }
  actual.push_back(right_type);
  declared.push_back(row->right);
  args.push_back(std::move(right));
  const Oid result = enforce_generic_types(statement, actual, declared, row->result);
  for (size_t i = 0; i < args.size(); ++i) {
    args[i] = coerce_type(scope, std::move(args[i]), declared[i], -1, CoercionContext::kImplicit, -1);
  }
  // Errors point to where an expression begins.
  int begin = location;
  if (left && args[0].location >= 0) begin = std::min(begin, args[0].location);
  TypedExpr e = emit_call(Call{scope, *proc, std::move(args), std::move(declared), result, location});
  e.location = begin;
  return e;
}

}  // namespace omendb::sql
