#include "sql/engine/plan_cache.h"

#include <algorithm>

#include "sql/engine/portal.h"
#include "sql/engine/session_impl.h"
#include "sql/engine/utility.h"
#include "sql/point/point_plan.h"
#include "types/numeric.h"
#include "types/utf8.h"

namespace omendb::sql {
namespace {

constexpr size_t kTextMax = 4096;  // longer statements are not remembered
// A plan holds some vectors an expression, up to 0.7 MB for a join with many: these bound what a session keeps of them.
constexpr size_t kStatementsMax = 64;
constexpr size_t kControlTextMax = 64, kControlsMax = 64;
constexpr size_t kShapesMax = 512, kShapeBytesMax = 1 << 20;
constexpr size_t kPlansMax = 96;         // of all shapes
constexpr size_t kPlansOfShapeMax = 16;  // that differ in literals that stayed
// A shape that needs a new plan more often than every so many statements is better off without.
constexpr uint64_t kHitsAPlan = 2;

std::string_view text_of(const ScannedLiteral& literal, std::string_view text) {
  return text.substr(literal.begin, literal.end - literal.begin);
}

/// Digits of a number as numeric_in sees them: as many as a decimal of that scale needs.
void count_digits(std::string_view number, int* precision, int* scale) {
  int digits = 0;
  *scale = 0;
  bool point = false;
  for (char c : number) {
    if (c == '.') {
      point = true;
      continue;
    }
    if (digits > 0 || c != '0') ++digits;
    if (point) ++*scale;
  }
  *precision = std::max({digits, *scale, 1});
}

bool numeric_value(types::Numeric number, const Lifting::Source& source, types::Value* out) {
  const types::PhysicalType& form = source.physical;
  if (!form.is_decimal()) {
    if (source.typmod > number.dscale) number.round(source.typmod);
    *out = types::Value::of_bytes(number.to_bytes());
    return true;
  }
  types::Int128 scaled;
  if (!number.to_scaled(form.scale, &scaled)) return false;
  *out =
      types::Value(form.kind == types::Physical::kInt128 ? types::ValueView::of_wide(scaled)
                                                         : types::ValueView::of_integer(static_cast<int64_t>(scaled)));
  return true;
}

bool read_literal(const Lifting::Source& source, const ScannedLiteral& literal, std::string_view written,
                  const types::IoContext& io, types::Value* out) {
  switch (literal.kind) {
    case LiteralKind::kInt4:
    case LiteralKind::kInt8: {
      const int64_t value = source.negative ? -literal.integer : literal.integer;
      if (source.type == types::oid::kNumeric) return numeric_value(types::Numeric::from_int64(value), source, out);
      if (source.physical.kind == types::Physical::kInt16 && value != static_cast<int16_t>(value)) return false;
      *out = types::Value(types::ValueView::of_integer(value));
      return true;
    }
    case LiteralKind::kNumeric: {
      types::Numeric number;
      if (!types::Numeric::parse(written, &number).ok()) return false;
      if (source.negative) number.negate();
      return numeric_value(std::move(number), source, out);
    }
    case LiteralKind::kString: {
      const std::string value = string_value(written);
      return types::verify_utf8(value).ok() && types::input(source.type, source.typmod, value, io, out).ok();
    }
  }
  return false;
}

}  // namespace

void PlanCache::clear() {
  statements_.clear();
  controls_.clear();
  shapes_.clear();
  shape_bytes_ = plan_count_ = 0;
  scanned_.clear();
}

std::shared_ptr<PreparedStatement> PlanCache::find(std::string_view text) const {
  if (text.size() > kTextMax) return nullptr;
  auto it = statements_.find(text);
  return it == statements_.end() ? nullptr : it->second;
}

void PlanCache::keep(const std::shared_ptr<PreparedStatement>& statement) {
  const std::string_view text = statement->text();
  if (text.size() > kTextMax || statement->query->reads_clock) return;
  if (statements_.size() >= kStatementsMax) statements_.clear();
  statements_.insert_or_assign(std::string(text), statement);

  if (scanned_ != text || scan_.literals.empty()) return;
  scanned_.clear();
  if (shapes_.size() >= kShapesMax || shape_bytes_ >= kShapeBytesMax || plan_count_ >= kPlansMax) {
    shapes_.clear();
    shape_bytes_ = plan_count_ = 0;
  }
  auto [it, added] = shapes_.try_emplace(scan_.shape);
  if (!added) return;
  shape_bytes_ += scan_.shape.size() + sizeof(Shape);
  it->second.first = statement;
  it->second.catalog_version = statement->catalog_version;
  it->second.settings_version = statement->settings_version;
}

std::shared_ptr<const ParsedStatement> PlanCache::find_control(std::string_view text) const {
  if (text.size() > kControlTextMax) return nullptr;
  auto it = controls_.find(text);
  return it == controls_.end() ? nullptr : it->second;
}

void PlanCache::keep_control(const std::shared_ptr<const ParsedStatement>& statement) {
  if (statement->text->size() > kControlTextMax) return;
  if (controls_.size() >= kControlsMax) controls_.clear();
  controls_.emplace(*statement->text, statement);
}

bool PlanCache::match(SessionImpl& session, std::string_view text, Match* match) {
  scanned_.clear();
  if (text.size() > kTextMax) return false;
  // No transaction begins before a query is known to be one.
  const uint64_t settings_version = session.settings().version();
  if (auto known = find(text)) {
    const bool current =
        known->settings_version == settings_version && known->catalog_version == session.current_catalog()->version();
    if (current) match->statement = std::move(known);
    ++(current ? counters_.hits : counters_.misses);
    return current;
  }
  if (!session.settings().plan_cache() || !scan_literals(text, &scan_) || scan_.literals.empty()) return false;
  ++counters_.misses;
  auto it = shapes_.find(scan_.shape);
  if (it == shapes_.end()) {
    scanned_.assign(text);  // keep() follows if all goes well
    return false;
  }
  const uint64_t catalog_version = session.current_catalog()->version();
  Shape& shape = it->second;
  if (shape.catalog_version != catalog_version || shape.settings_version != settings_version) {
    plan_count_ -= shape.plans.size();
    shape = Shape();
    shape.catalog_version = catalog_version;
    shape.settings_version = settings_version;
  }
  if (shape.barred) return false;
  for (const Plan& plan : shape.plans) {
    if (!fits(plan, text)) continue;
    if (!bind(session, plan, text, &match->parameters)) return false;
    match->statement = plan.statement;
    ++shape.hits;
    ++counters_.hits;
    --counters_.misses;
    return true;
  }
  if (auto first = shape.first.lock(); first != nullptr && first->point_tried && first->point == nullptr) {
    shape.barred = true;
    return false;
  }
  const bool too_many =
      shape.plans.size() >= kPlansOfShapeMax || (shape.made >= 4 && shape.hits < shape.made * kHitsAPlan);
  if (too_many || make_plan(session, text, &shape, match) == nullptr) {
    plan_count_ -= shape.plans.size();
    shape.plans.clear();
    shape.barred = true;
    return false;
  }
  return true;
}

bool PlanCache::fits(const Plan& plan, std::string_view text) const {
  for (size_t i = 0; i < plan.fixed.size(); ++i) {
    if (!plan.fixed[i].empty() && plan.fixed[i] != text_of(scan_.literals[i], text)) return false;
  }
  for (const auto& source : plan.sources) {
    if (source.precision == 0) continue;
    int precision, scale;
    count_digits(text_of(scan_.literals[source.literal], text), &precision, &scale);
    if (precision != source.precision || scale != source.scale) return false;
  }
  return true;
}

bool PlanCache::bind(SessionImpl& session, const Plan& plan, std::string_view text, Parameters* parameters) const {
  types::IoContext& io = session.settings().mutable_io();
  io.now_us = session.transaction_start_us();
  parameters->types = plan.statement->parameter_types;
  parameters->values.resize(plan.sources.size());
  parameters->physical.clear();
  for (size_t i = 0; i < plan.sources.size(); ++i) {
    const auto& source = plan.sources[i];
    const ScannedLiteral& literal = scan_.literals[source.literal];
    parameters->physical.push_back(source.physical);
    if (!read_literal(source, literal, text_of(literal, text), io, &parameters->values[i])) return false;
  }
  return true;
}

const PlanCache::Plan* PlanCache::make_plan(SessionImpl& session, std::string_view text, Shape* shape, Match* match) {
  try {
    auto all = session.parse_or_throw(text);
    if (all.size() != 1 || !is_query(all[0]->node)) return nullptr;
    auto statement = std::make_shared<PreparedStatement>();
    statement->parsed = all[0];
    statement->kind = StatementKind::kQuery;
    statement->lifted = true;
    statement->prepared_at_us = clock_now_us();

    StatementContext context = session.analysis(text);
    session.set_statement_catalog(context.catalog);
    bool noticed = false;
    context.notice = [&](std::string_view, const ErrorInfo&) { noticed = true; };
    Lifting lifting(statement->parsed->node, text, scan_);
    context.lifting = &lifting;
    auto query = std::make_shared<AnalyzedQuery>(analyze_query(context, statement->parsed->node));
    Plan plan;
    if (noticed || query->reads_clock || !lifting.replace(*query, &plan.sources) || plan.sources.empty())
      return nullptr;

    statement->returns_rows = query->kind == QueryKind::kSelect || query->has_returning;
    statement->columns = query->outputs;
    for (const auto& source : plan.sources) statement->parameter_types.push_back(source.type);
    statement->given_types = query->parameter_types = statement->parameter_types;
    statement->query = std::move(query);
    statement->catalog_version = context.catalog->version();
    statement->settings_version = session.settings().version();
    plan.statement = statement;
    for (const auto& literal : scan_.literals) plan.fixed.emplace_back(text_of(literal, text));
    for (const auto& source : plan.sources) plan.fixed[source.literal].clear();

    if (!fits(plan, text) || !bind(session, plan, text, &match->parameters)) return nullptr;
    statement->point_tried = true;
    statement->point = PointPlan::try_create(session, statement->query, match->parameters);
    if (statement->point == nullptr) return nullptr;
    match->statement = std::move(statement);
    shape->plans.push_back(std::move(plan));
    ++shape->made;
    ++counters_.plans;
    ++plan_count_;
    return &shape->plans.back();
  } catch (...) {
    // Whatever it was, it comes again on the long way, and there it counts.
    return nullptr;
  }
}

std::unique_ptr<Portal> SessionImpl::recall(std::string_view sql) {
  if (state_ == BlockState::kFailed) return nullptr;
  PlanCache::Match match;
  try {
    if (!plan_cache_->match(*this, sql, &match)) return nullptr;
    statement_catalog_ = current_catalog();
    return std::make_unique<PortalImpl>(*this, std::move(match.statement), std::move(match.parameters), sql);
  } catch (...) {
    return nullptr;
  }
}

}  // namespace omendb::sql
