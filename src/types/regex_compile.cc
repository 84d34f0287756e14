// Regular expressions: the tree becomes a program.
#include <algorithm>

#include "types/regex_program.h"

namespace omendb::types::internal {
namespace {

constexpr size_t kCodeMax = 100000;

class Generator {
 public:
  explicit Generator(Regex::Program* out) : out_(out) {}
  Status run() {
    RETURN_IF_ERROR(node(out_->root.get()));
    emit(Op::kEnd);
    // A lookaround's own code lies behind the end.
    for (size_t i = 0; i < looks_.size(); ++i) {
      RETURN_IF_ERROR(node(looks_[i]->children[0].get()));
      emit(Op::kEnd);
    }
    // So does that of all iterations but the last. Any copy of a node's code serves to match it.
    for (size_t i = 0; i < repeats_.size(); ++i) {
      Node* n = repeats_[i];
      n->prefix_entry = here();
      RETURN_IF_ERROR(repeat(n->children[0].get(), std::max(n->min - 1, 0), n->max < 0 ? -1 : n->max - 1));
      n->prefix_end = here();
      emit(Op::kEnd);
    }
    return {};
  }

 private:
  int emit(Op op, int x = 0, int y = 0, const Node* n = nullptr) {
    out_->code.push_back({op, x, y, n});
    return static_cast<int>(out_->code.size()) - 1;
  }
  int here() const { return static_cast<int>(out_->code.size()); }

  Status node(Node* n) {
    if (out_->code.size() > kCodeMax) {
      return Status(SqlState::kInvalidRegularExpression,
                    "invalid regular expression: regular expression is too complex");
    }
    int entry = here();
    switch (n->kind) {
      case NodeKind::kEmpty: break;
      case NodeKind::kSet: emit(Op::kSet, n->set); break;
      case NodeKind::kConcat:
      case NodeKind::kGroup:
        for (auto& child : n->children) RETURN_IF_ERROR(node(child.get()));
        break;
      case NodeKind::kAlternate: {
        std::vector<int> jumps;
        for (size_t i = 0; i < n->children.size(); ++i) {
          if (i + 1 < n->children.size()) {
            int split = emit(Op::kSplit);
            out_->code[static_cast<size_t>(split)].x = here();
            RETURN_IF_ERROR(node(n->children[i].get()));
            jumps.push_back(emit(Op::kJump));
            out_->code[static_cast<size_t>(split)].y = here();
          } else {
            RETURN_IF_ERROR(node(n->children[i].get()));
          }
        }
        for (int j : jumps) out_->code[static_cast<size_t>(j)].x = here();
        break;
      }
      case NodeKind::kRepeat:
        if (n->dissect && n->max != 1 && std::find(repeats_.begin(), repeats_.end(), n) == repeats_.end()) {
          repeats_.push_back(n);
        }
        RETURN_IF_ERROR(repeat(n->children[0].get(), n->min, n->max));
        break;
      case NodeKind::kBackReference: emit(Op::kAnyRun); break;  // any text here; dissecting compares it
      case NodeKind::kLook:
        if (std::find(looks_.begin(), looks_.end(), n) == looks_.end()) looks_.push_back(n);
        emit(Op::kAssert, 0, 0, n);
        break;
      default: emit(Op::kAssert, 0, 0, n); break;
    }
    // The last copy's code serves when the node is matched alone; every copy is the same.
    n->entry = entry;
    n->end = here();
    return {};
  }

  Status repeat(Node* child, int min, int max) {
    for (int i = 0; i < min; ++i) RETURN_IF_ERROR(node(child));
    if (max < 0) {
      int split = emit(Op::kSplit);
      out_->code[static_cast<size_t>(split)].x = here();
      RETURN_IF_ERROR(node(child));
      emit(Op::kJump, split);
      out_->code[static_cast<size_t>(split)].y = here();
      return {};
    }
    std::vector<int> splits;
    for (int i = min; i < max; ++i) {
      int split = emit(Op::kSplit);
      out_->code[static_cast<size_t>(split)].x = here();
      splits.push_back(split);
      RETURN_IF_ERROR(node(child));
    }
    for (int s : splits) out_->code[static_cast<size_t>(s)].y = here();
    return {};
  }

  Regex::Program* out_;
  std::vector<Node*> looks_, repeats_;
};

// Characters that a match may begin with, when it must begin with one.
void find_first(Regex::Program* p) {
  std::vector<bool> seen(p->code.size());
  std::vector<int> todo = {p->root->entry};
  uint64_t first[2] = {0, 0};
  bool empty = false;
  while (!todo.empty()) {
    int pc = todo.back();
    todo.pop_back();
    if (pc == p->root->end) {
      empty = true;
      continue;
    }
    if (seen[static_cast<size_t>(pc)]) continue;
    seen[static_cast<size_t>(pc)] = true;
    const Instruction& i = p->code[static_cast<size_t>(pc)];
    switch (i.op) {
      case Op::kSet:
        first[0] |= p->sets[static_cast<size_t>(i.x)].ascii[0];
        first[1] |= p->sets[static_cast<size_t>(i.x)].ascii[1];
        break;
      case Op::kSplit:
        todo.push_back(i.x);
        todo.push_back(i.y);
        break;
      case Op::kJump: todo.push_back(i.x); break;
      case Op::kAssert: todo.push_back(pc + 1); break;
      case Op::kAnyRun:
      case Op::kEnd: empty = true; break;
    }
  }
  p->may_be_empty = empty;
  p->first[0] = first[0];
  p->first[1] = first[1];
  const Node* n = p->root.get();
  while ((n->kind == NodeKind::kConcat || n->kind == NodeKind::kGroup) && !n->children.empty())
    n = n->children[0].get();
  p->anchored = n->kind == NodeKind::kBeginText;
}

}  // namespace

Status compile_regex(std::string_view pattern, const RegexFlags& flags, Regex::Program* out) {
  RETURN_IF_ERROR(parse_regex(pattern, flags, out));
  RETURN_IF_ERROR(Generator(out).run());
  find_first(out);
  return {};
}

}  // namespace omendb::types::internal
