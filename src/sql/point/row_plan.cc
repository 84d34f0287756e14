#include "sql/point/row_plan.h"

#include "duckdb/optimizer/cte_inlining.hpp"
#include "duckdb/optimizer/filter_pullup.hpp"
#include "duckdb/optimizer/filter_pushdown.hpp"
#include "duckdb/optimizer/optimizer.hpp"
#include "duckdb/parser/query_node/select_node.hpp"
#include "duckdb/planner/operator/logical_get.hpp"
#include "duckdb/planner/planner.hpp"

#include "sql/point/parameter_slots.h"
#include "sql/point/row_compile.h"

namespace omendb::sql {
namespace {

using duckdb::LogicalOperator;

// A plan that gave up this often, and at least every second time, is not tried again.
constexpr uint64_t kGiveUpsMax = 3;

/// Scans keep their filters above them: key paths are found by our own rules.
void keep_filters(LogicalOperator& op) {
  if (op.type == duckdb::LogicalOperatorType::LOGICAL_GET) {
    auto& function = op.Cast<duckdb::LogicalGet>().function;
    function.filter_pushdown = false;
    function.pushdown_complex_filter = nullptr;
  }
  for (auto& child : op.children) keep_filters(*child);
}

class Plan final : public RowPlan {
 public:
  bool make(SessionImpl& session, const duckdb::SelectStatement& select, const Parameters& parameters) {
    auto& context = *session.connection().context;
    context.RunFunctionInTransaction([&] {
      duckdb::Planner planner(context);
      auto statement = duckdb::unique_ptr_cast<duckdb::SQLStatement, duckdb::SelectStatement>(select.Copy());
      statement->named_param_map.clear();
      for (size_t i = 0; i < parameters.types.size(); ++i) statement->named_param_map[std::to_string(i + 1)] = i + 1;
      planner.CreatePlan(std::move(statement));
      if (!planner.plan || !ParameterSlots::all_bound(planner)) return;
      binder_ = planner.binder;
      if (!slots_.take(std::move(planner.value_map), parameters)) return;
      keep_filters(*planner.plan);
      duckdb::Optimizer optimizer(*binder_, context);
      auto plan = duckdb::CTEInlining(optimizer).Optimize(std::move(planner.plan));
      plan = duckdb::FilterPullup().Rewrite(std::move(plan));
      duckdb::FilterPushdown pushdown(optimizer);
      duckdb::unordered_set<duckdb::idx_t> top;
      pushdown.CheckMarkToSemi(*plan, top);
      plan = pushdown.Rewrite(std::move(plan));
      plan->ResolveOperatorTypes();
      root_ = compile_small_plan(session, *plan, &kept_);
    });
    return root_ != nullptr;
  }

  bool execute(SessionImpl& session, const Parameters& parameters, const ChunkConsumer& consumer) override {
    slots_.set(parameters);
    RunContext context{session, parameters};
    if (!root_->run(context)) return false;
    if (root_->chunk().size() == 0) return true;
    // The nodes' vectors are used again; what is handed out may be kept.
    duckdb::DataChunk rows;
    rows.Initialize(duckdb::Allocator::DefaultAllocator(), root_->types(), root_->chunk().size());
    rows.Append(root_->chunk());
    consumer(rows);
    return true;
  }

  std::string describe() const override {
    std::string text;
    describe(*root_, 0, &text);
    return text;
  }

 private:
  static void describe(const RowNode& node, size_t depth, std::string* out) {
    if (!out->empty()) *out += "\n";
    *out += std::string(depth * 2, ' ') + (depth > 0 ? "->  " : "") + node.describe();
    for (const auto& input : node.inputs()) describe(*input, depth + 1, out);
  }

  duckdb::shared_ptr<duckdb::Binder> binder_;
  ParameterSlots slots_;
  std::vector<Expressions> kept_;
  std::unique_ptr<RowNode> root_;
};

}  // namespace

std::unique_ptr<RowPlan> RowPlan::try_create(SessionImpl& session, const duckdb::SelectStatement& select,
                                             const Parameters& parameters) {
  auto plan = std::make_unique<Plan>();
  if (!plan->make(session, select, parameters)) return nullptr;
  return plan;
}

SmallPlans::SmallPlans(const std::vector<const duckdb::SelectStatement*>& selects) {
  for (const auto* select : selects) entries_.push_back({select});
}

void SmallPlans::make(SessionImpl& session, Entry& entry, const Parameters& parameters) {
  if (entry.made) return;
  entry.made = true;
  entry.plan = RowPlan::try_create(session, *entry.select, parameters);
}

RowPlan* SmallPlans::main(SessionImpl& session, const Parameters& parameters) {
  make(session, entries_.front(), parameters);
  return entries_.front().plan.get();
}

bool SmallPlans::run(SessionImpl& session, const duckdb::SelectStatement& select, const Parameters& parameters,
                     const ChunkConsumer& consumer) {
  for (auto& entry : entries_) {
    if (entry.select != &select) continue;
    make(session, entry, parameters);
    if (entry.plan == nullptr || (entry.gave_up >= kGiveUpsMax && entry.gave_up * 2 >= entry.runs)) return false;
    ++entry.runs;
    if (entry.plan->execute(session, parameters, consumer)) {
      ++answered_;
      return true;
    }
    ++entry.gave_up;
    return false;
  }
  return false;
}

}  // namespace omendb::sql
