#include "txn/dependencies.h"

#include <algorithm>
#include <chrono>

#include "base/check.h"

namespace omendb::txn {
namespace {

/// Marks of storages that are gone: they meet every key of every storage.
constexpr StorageId kEverywhere{UINT32_MAX};
constexpr auto kCancelPoll = std::chrono::milliseconds(20);

Status failure(const std::string& reason) {
  return Status(SqlState::kTRSerializationFailure,
                "could not serialize access due to read/write dependencies among transactions")
      .with_detail("Reason code: " + reason + ".")
      .with_hint("The transaction might succeed if retried.");
}

void widen(MarkedKeys& keys, bool& has, const MarkedKeys& by) {
  if (!has || by.lower < keys.lower) keys.lower = by.lower;
  if (!has || (!keys.upper.empty() && (by.upper.empty() || by.upper > keys.upper))) keys.upper = by.upper;
  has = true;
}

}  // namespace

Dependencies::~Dependencies() {
  MutexLock lock(mutex_);
  spaces_.clear();
}

/// For who asks. A savepoint does not save it: what it has read, it has read, and the edge is not noted.
Status Dependencies::refuse(Node& self, const std::string& reason) {
  doom(self);
  return failure(reason);
}

// Beginning

DependencyNode* Dependencies::begin(uint64_t id, int32_t process_id, bool read_only,
                                    const std::function<Timestamp()>& take_snapshot) {
  MutexLock lock(mutex_);
  const Timestamp snapshot = take_snapshot();
  if (read_only && writable_ == 0) return nullptr;
  active_.push_back(std::make_unique<Node>());
  Node& node = *active_.back();
  node.place = std::prev(active_.end());
  node.id = id;
  node.process_id = process_id;
  node.read_only = node.declared_read_only = read_only;
  node.snapshot = snapshot;
  node.snapshot_seq = last_seq_;
  if (!read_only) {
    ++writable_;
    return &node;
  }
  for (const auto& other : active_) {
    if (other->read_only || other->committed || other->doomed.load(std::memory_order_relaxed)) continue;
    node.beside.insert(other.get());
    other->beside.insert(&node);
  }
  if (node.beside.empty()) make_safe(node);  // those that write will all be rolled back
  return &node;
}

Dependencies::Safety Dependencies::wait_until_decided(DependencyNode& node, const std::function<bool()>& cancelled) {
  MutexLock lock(mutex_);
  while (!node.safe.load(std::memory_order_relaxed) && !node.unsafe) {
    if (cancelled()) return Safety::kCancelled;
    node.waiting = true;
    lock.wait_for(decided_, kCancelPoll);
    node.waiting = false;
  }
  return node.unsafe ? Safety::kUnsafe : Safety::kSafe;
}

void Dependencies::make_safe(Node& node) {
  drop_edges(node);
  drop_marks(node);
  node.safe.store(true, std::memory_order_release);
  safe_.splice(safe_.end(), active_, node.place);
  decided_.notify_all();
}

void Dependencies::make_unsafe(Node& node) {
  node.unsafe = true;
  for (Node* writer : node.beside) writer->beside.erase(&node);
  node.beside.clear();
  decided_.notify_all();
}

// Reading and writing

Status Dependencies::met_row(const DependencyNode& node) {
  if (!node.doomed.load(std::memory_order_acquire) || node.safe.load(std::memory_order_acquire)) return {};
  return failure("Canceled on identification as a pivot, during conflict out checking");
}

Status Dependencies::read(DependencyNode& node, StorageId storage, std::string_view key, Timestamp seen) {
  if (node.safe.load(std::memory_order_acquire)) return {};
  MutexLock lock(mutex_);
  return read_locked(node, storage, key, {}, true, seen);
}

Status Dependencies::read(DependencyNode& node, StorageId storage, std::string_view lower, std::string_view upper,
                          Timestamp seen) {
  if (node.safe.load(std::memory_order_acquire)) return {};
  MutexLock lock(mutex_);
  return read_locked(node, storage, lower, upper, false, seen);
}

Status Dependencies::read_locked(Node& node, StorageId storage, std::string_view lower, std::string_view upper,
                                 bool point, Timestamp seen) {
  if (node.safe.load(std::memory_order_relaxed) || node.doomed.load(std::memory_order_relaxed))
    return {};  // the doomed will hear of it
  Space& space = spaces_[storage.value];
  KeyMarks::Own& own = node.reads[storage.value];
  MarkedKeys grown;
  const auto added = point ? space.reads.add_point(own, &node, lower, limits_.marks_per_storage, &grown)
                           : space.reads.add_range(own, &node, lower, upper, limits_.marks_per_storage, &grown);
  if (added == KeyMarks::Added::kNothing) return {};

  Status status;
  const KeyMarks::Owners* key_writers = nullptr;
  uint64_t first_ts = UINT64_MAX;  // of the key's versions that `seen` does not show
  const auto meet = [&](Node* writer, const KeyMarks::Owners* writers) {
    if (writers != nullptr && writers != key_writers) {
      key_writers = writers;
      first_ts = UINT64_MAX;
      for (const Node* w : *writers) {
        const uint64_t ts = w->commit_ts.load(std::memory_order_acquire);
        if (ts > seen.value) first_ts = std::min(first_ts, ts);
      }
    }
    if (writers != nullptr && first_ts != UINT64_MAX && writer->commit_ts.load(std::memory_order_acquire) != first_ts)
      return true;
    status = meet_writer(node, *writer, seen);
    return status.ok();
  };
  const bool one = added == KeyMarks::Added::kPoint;
  if (one) {
    space.writes.for_each_on(lower, meet);
  } else {
    space.writes.for_each_in(grown.lower, grown.upper, meet);
  }
  RETURN_IF_ERROR(status);
  if (const auto everywhere = spaces_.find(kEverywhere.value); everywhere != spaces_.end()) {
    everywhere->second.writes.for_each_in({}, {}, meet);
    RETURN_IF_ERROR(status);
  }
  if (old_.empty()) return {};
  return one ? meet_old_writers(node, storage, lower, {}, true, seen)
             : meet_old_writers(node, storage, grown.lower, grown.upper, false, seen);
}

Status Dependencies::write(DependencyNode& node, StorageId storage, std::string_view key, uint64_t mark) {
  MutexLock lock(mutex_);
  if (node.doomed.load(std::memory_order_relaxed))
    return refuse(node, "Canceled on identification as a pivot, during conflict in checking");
  node.wrote = true;
  Space& space = spaces_[storage.value];
  KeyMarks::Own& own = node.writes[storage.value];
  MarkedKeys grown;
  const auto added = space.writes.add_point(own, &node, key, limits_.marks_per_storage, &grown);
  if (added == KeyMarks::Added::kNothing) return {};
  const bool one = added == KeyMarks::Added::kPoint;
  if (one) node.written.push_back({storage, mark});

  // Readers who do not see the version that this write comes after have their edge to that one's writer. (Who would insert a key that
  // somebody has inserted beside it comes after nobody.)
  uint64_t last_ts = 0;
  if (const KeyMarks::Owners* writers = one ? space.writes.owners_of(key) : nullptr) {
    for (const Node* w : *writers) {
      const uint64_t ts = w->commit_ts.load(std::memory_order_acquire);
      if (ts <= node.snapshot.value) last_ts = std::max(last_ts, ts);
    }
  }
  Status status;
  const auto meet = [&](Node* reader, const KeyMarks::Owners*) {
    if (last_ts > reader->snapshot.value) return true;
    status = meet_reader(*reader, node);
    return status.ok();
  };
  if (one) {
    space.reads.for_each_on(key, meet);
  } else {
    space.reads.for_each_in(grown.lower, grown.upper, meet);
  }
  RETURN_IF_ERROR(status);
  if (const auto everywhere = spaces_.find(kEverywhere.value); everywhere != spaces_.end()) {
    everywhere->second.reads.for_each_in({}, {}, meet);
    RETURN_IF_ERROR(status);
  }
  if (old_.empty()) return {};
  return one ? meet_old_readers(node, storage, key, {}, true)
             : meet_old_readers(node, storage, grown.lower, grown.upper, false);
}

void Dependencies::undo_writes(DependencyNode& node, uint64_t mark) {
  MutexLock lock(mutex_);
  while (!node.written.empty() && node.written.back().mark >= mark) {
    const StorageId storage = node.written.back().storage;
    KeyMarks::Own& own = node.writes[storage.value];
    if (!own.points.empty()) spaces_[storage.value].writes.remove_last_point(own, &node);  // a hull stays
    node.written.pop_back();
  }
}

void Dependencies::drop_storage(DependencyNode* node, StorageId storage) {
  MutexLock lock(mutex_);
  if (const auto gone = old_.find(storage.value); gone != old_.end()) {
    const Old from = std::move(gone->second);
    old_.erase(gone);
    Old& old = old_[kEverywhere.value];
    if (from.has_reads) widen(old.reads, old.has_reads, MarkedKeys());
    if (from.has_writes) widen(old.writes, old.has_writes, MarkedKeys());
    old.read_seq = std::max(old.read_seq, from.read_seq);
    old.write_ts = std::max(old.write_ts, from.write_ts);
    if (from.earliest_out != 0)
      old.earliest_out = old.earliest_out == 0 ? from.earliest_out : std::min(old.earliest_out, from.earliest_out);
  }
  const auto found = spaces_.find(storage.value);
  if (found == spaces_.end()) return;
  if (node != nullptr && !node->doomed.load(std::memory_order_relaxed)) {
    node->wrote = true;
    found->second.reads.for_each_in({}, {}, [&](Node* reader, const KeyMarks::Owners*) {
      if (meet_reader(*reader, *node).ok()) return true;
      doom(*node);
      return false;
    });
  }
  for (Nodes* nodes : {&active_, &finished_}) {
    for (const auto& owner : *nodes) {
      move_marks_everywhere(owner->reads, &Space::reads, *owner, storage);
      move_marks_everywhere(owner->writes, &Space::writes, *owner, storage);
    }
  }
  spaces_.erase(storage.value);
}

void Dependencies::move_marks_everywhere(DependencyNode::OwnMarks& marks, KeyMarks Space::*kind, Node& owner,
                                         StorageId storage) {
  const auto own = marks.find(storage.value);
  if (own == marks.end() || own->second.count() == 0) return;
  const size_t before = mark_count(owner);
  (spaces_[storage.value].*kind).remove(own->second, &owner);
  MarkedKeys grown;
  (spaces_[kEverywhere.value].*kind)
      .add_range(marks[kEverywhere.value], &owner, {}, {}, limits_.marks_per_storage, &grown);
  if (owner.committed) finished_marks_ = finished_marks_ + mark_count(owner) - before;
}

// Edges

Status Dependencies::meet_writer(Node& reader, Node& writer, Timestamp seen) {
  if (&reader == &writer || writer.doomed.load(std::memory_order_relaxed)) return {};
  if (writer.old_out) {
    // reader -> writer -> somebody who committed long ago.
    if (writer.prepared) return refuse(reader, "Canceled on conflict out to old pivot");
    doom(writer);
    return {};
  }
  // A read-only transaction can come first, unless who the writer has an edge to committed before its snapshot.
  if (reader.read_only && writer.committed && (!writer.conflict_out || reader.snapshot_seq < writer.earliest_out))
    return {};
  const uint64_t ts = writer.commit_ts.load(std::memory_order_acquire);
  if (ts != 0 && ts <= seen.value) return {};
  if (reader.out.contains(&writer)) return {};
  return add_edge(reader, writer, reader);
}

Status Dependencies::meet_reader(Node& reader, Node& writer) {
  if (&reader == &writer || reader.doomed.load(std::memory_order_relaxed)) return {};
  if (reader.committed && reader.commit_seq <= writer.snapshot_seq) return {};
  if (reader.out.contains(&writer)) return {};
  return add_edge(reader, writer, writer);
}

Status Dependencies::add_edge(Node& reader, Node& writer, Node& self) {
  RETURN_IF_ERROR(refuse_if_dangerous(reader, writer, self));
  reader.out.insert(&writer);
  writer.in.insert(&reader);
  return {};
}

/// Before an edge reader -> writer is added: would it be part of a structure whose last one has committed first?
Status Dependencies::refuse_if_dangerous(Node& reader, Node& writer, Node& self) {
  // reader -> writer -> T3, the writer having committed after T3.
  bool dangerous = writer.old_out || (writer.committed && writer.conflict_out);
  for (auto at = writer.out.begin(); !dangerous && at != writer.out.end(); ++at) {
    const Node& last = **at;
    dangerous = last.prepared && (!reader.committed || last.prepare_seq <= reader.commit_seq) &&
                (!writer.committed || last.prepare_seq <= writer.commit_seq) &&
                (!reader.read_only || last.prepare_seq <= reader.snapshot_seq);
  }
  // T1 -> reader -> writer, the writer having committed first.
  if (!dangerous && writer.prepared && !reader.read_only) {
    dangerous = reader.old_in;
    for (auto at = reader.in.begin(); !dangerous && at != reader.in.end(); ++at) {
      const Node& first = **at;
      dangerous = !first.doomed.load(std::memory_order_relaxed) &&
                  (!first.committed || first.commit_seq >= writer.prepare_seq) &&
                  (!first.read_only || first.snapshot_seq >= writer.prepare_seq);
    }
  }
  if (!dangerous) return {};
  if (&self == &writer) return refuse(self, "Canceled on identification as a pivot, during write");
  if (writer.prepared)
    return refuse(self, "Canceled on conflict out to pivot " + std::to_string(writer.id) + ", during read");
  doom(writer);
  return {};
}

void Dependencies::doom(Node& node) {
  if (!node.doomed.exchange(true, std::memory_order_release)) ++cancelled_;
}

// The end

Status Dependencies::prepare(DependencyNode& node) {
  if (node.safe.load(std::memory_order_acquire)) return {};
  MutexLock lock(mutex_);
  if (node.doomed.load(std::memory_order_relaxed))
    return refuse(node, "Canceled on identification as a pivot, during commit attempt");
  // We are the first to commit: who is a pivot in front of us has to go, if anybody can still come before it.
  for (Node* pivot : node.in) {
    if (pivot->committed || pivot->doomed.load(std::memory_order_relaxed)) continue;
    for (const Node* first : pivot->in) {
      const bool open = !first->committed && !first->read_only && !first->doomed.load(std::memory_order_relaxed);
      if (first != &node && !open) continue;
      if (pivot->prepared) return refuse(node, "Canceled on commit attempt with conflict in from prepared pivot");
      doom(*pivot);
      break;
    }
  }
  node.prepare_seq = ++last_seq_;
  node.prepared = true;
  return {};
}

void Dependencies::finish(DependencyNode& node, bool committed) {
  MutexLock lock(mutex_);
  if (node.safe.load(std::memory_order_relaxed)) {
    safe_.erase(node.place);
    return;
  }
  if (committed) {
    CHECK(node.prepared);
    node.committed = true;
    node.commit_seq = ++last_seq_;
    if (!node.wrote) node.read_only = true;
    if (!node.read_only && node.old_out) {
      node.conflict_out = true;
      node.earliest_out = 1;  // nobody knows when
    }
    for (const Node* to : node.out) {
      if (node.read_only || !to->committed) continue;
      if (!node.conflict_out || to->prepare_seq < node.earliest_out) node.earliest_out = to->prepare_seq;
      node.conflict_out = true;
    }
  } else {
    node.doomed.store(true, std::memory_order_relaxed);
    node.prepared = false;
  }

  // Who took a read-only snapshot beside this one.
  if (!node.declared_read_only) {
    --writable_;
    const auto readers = std::move(node.beside);
    node.beside.clear();
    for (Node* reader : readers) {
      reader->beside.erase(&node);
      if (committed && node.wrote && node.conflict_out && node.earliest_out <= reader->snapshot_seq) {
        make_unsafe(*reader);
      } else if (reader->beside.empty()) {
        make_safe(*reader);
      }
    }
  } else {
    for (Node* writer : node.beside) writer->beside.erase(&node);
    node.beside.clear();
  }

  if (!committed) {
    drop_edges(node);
    drop_marks(node);
    active_.erase(node.place);
    forget_finished();
    return;
  }
  // Between two that have both committed an edge has nothing more to say, nor has one from who only reads.
  std::erase_if(node.out, [&](Node* to) {
    if (!to->committed) return false;
    to->in.erase(&node);
    return true;
  });
  std::erase_if(node.in, [&](Node* from) {
    if (!from->committed && !from->read_only) return false;
    from->out.erase(&node);
    return true;
  });
  finished_marks_ += mark_count(node);
  finished_.splice(finished_.end(), active_, node.place);
  forget_finished();
  while (finished_.size() > limits_.finished || (finished_marks_ > limits_.marks && !finished_.empty()))
    summarize(*finished_.front());
}

void Dependencies::drop_edges(Node& node) {
  for (Node* to : node.out) to->in.erase(&node);
  for (Node* from : node.in) from->out.erase(&node);
  node.out.clear();
  node.in.clear();
}

void Dependencies::drop_marks(Node& node) {
  const auto drop = [&](DependencyNode::OwnMarks& marks, KeyMarks Space::*kind) {
    for (auto& [storage, own] : marks) {
      const auto space = spaces_.find(storage);
      if (space == spaces_.end()) continue;
      (space->second.*kind).remove(own, &node);
      if (space->second.reads.empty() && space->second.writes.empty()) spaces_.erase(space);
    }
    marks.clear();
  };
  drop(node.reads, &Space::reads);
  drop(node.writes, &Space::writes);
  node.written.clear();
}

size_t Dependencies::mark_count(const Node& node) {
  size_t count = 0;
  for (const auto* marks : {&node.reads, &node.writes}) {
    for (const auto& [storage, own] : *marks) count += own.count();
  }
  return count;
}

/// Takes away what nobody runs beside any more.
void Dependencies::forget_finished() {
  const uint64_t oldest = active_.empty() ? UINT64_MAX : active_.front()->snapshot_seq;
  while (!finished_.empty() && finished_.front()->commit_seq <= oldest) {
    Node& node = *finished_.front();
    finished_marks_ -= mark_count(node);
    drop_edges(node);
    drop_marks(node);
    finished_.pop_front();
  }
  if (old_seq_ <= oldest) old_.clear();
}

// The nameless

void Dependencies::summarize(Node& node) {
  ++summarized_;
  for (const auto& [storage, own] : node.reads) {
    if (own.count() == 0) continue;
    Old& old = old_[storage];
    widen(old.reads, old.has_reads, KeyMarks::hull_of(own));
    old.read_seq = std::max(old.read_seq, node.commit_seq);
  }
  for (const auto& [storage, own] : node.writes) {
    if (own.count() == 0) continue;
    Old& old = old_[storage];
    widen(old.writes, old.has_writes, KeyMarks::hull_of(own));
    old.write_ts = std::max(old.write_ts, node.commit_ts.load(std::memory_order_relaxed));
    if (node.conflict_out)
      old.earliest_out = old.earliest_out == 0 ? node.earliest_out : std::min(old.earliest_out, node.earliest_out);
  }
  for (Node* to : node.out) to->old_in = true;
  for (Node* from : node.in) from->old_out = true;
  old_seq_ = std::max(old_seq_, node.commit_seq);
  finished_marks_ -= mark_count(node);
  drop_edges(node);
  drop_marks(node);
  finished_.erase(node.place);
}

Status Dependencies::meet_old_writers(Node& reader, StorageId storage, std::string_view lower, std::string_view upper,
                                      bool point, Timestamp seen) {
  for (const StorageId at : {storage, kEverywhere}) {
    const auto found = old_.find(at.value);
    if (found == old_.end()) continue;
    const Old& old = found->second;
    if (!old.has_writes || old.write_ts <= seen.value) continue;
    if (at == storage && !(point ? old.writes.contains(lower) : old.writes.meets(lower, upper))) continue;
    if (old.earliest_out != 0 && (!reader.read_only || old.earliest_out <= reader.snapshot_seq)) {
      return refuse(reader, "Canceled on conflict out to old pivot");
    }
    if (reader.old_in || !reader.in.empty()) {
      return refuse(reader, "Canceled on identification as a pivot, with conflict out to old committed transaction");
    }
    reader.old_out = true;
  }
  return {};
}

Status Dependencies::meet_old_readers(Node& writer, StorageId storage, std::string_view lower, std::string_view upper,
                                      bool point) {
  for (const StorageId at : {storage, kEverywhere}) {
    const auto found = old_.find(at.value);
    if (found == old_.end()) continue;
    const Old& old = found->second;
    if (!old.has_reads || old.read_seq <= writer.snapshot_seq) continue;
    if (at == storage && !(point ? old.reads.contains(lower) : old.reads.meets(lower, upper))) continue;
    bool dangerous = writer.old_out;
    for (const Node* last : writer.out) dangerous = dangerous || (last->prepared && last->prepare_seq <= old.read_seq);
    if (dangerous) return refuse(writer, "Canceled on identification as a pivot, during write");
    writer.old_in = true;
  }
  return {};
}

// Looking in

Dependencies::Counts Dependencies::counts() {
  MutexLock lock(mutex_);
  Counts counts;
  counts.active = active_.size() + safe_.size();
  counts.finished = finished_.size();
  counts.marks = finished_marks_;
  for (const auto& node : active_) counts.marks += mark_count(*node);
  counts.summarized = summarized_;
  counts.cancelled = cancelled_;
  return counts;
}

void Dependencies::for_each_wait(const std::function<void(int32_t waiter, int32_t blocker)>& call) {
  MutexLock lock(mutex_);
  for (const auto& node : active_) {
    if (!node->waiting) continue;
    for (const DependencyNode* writer : node->beside) call(node->process_id, writer->process_id);
  }
}

std::vector<Dependencies::ReadMark> Dependencies::read_marks() {
  MutexLock lock(mutex_);
  std::vector<ReadMark> marks;
  for (const Nodes* nodes : {&active_, &finished_}) {
    for (const auto& node : *nodes) {
      for (const auto& [storage, own] : node->reads) {
        for (size_t i = 0; i < own.points.size(); ++i)
          marks.push_back({node->process_id, StorageId(storage), ReadMark::Kind::kKey});
        for (const auto& range : own.ranges) {
          const bool all = range->lower.empty() && range->upper.empty();
          marks.push_back({node->process_id, StorageId(storage), all ? ReadMark::Kind::kAll : ReadMark::Kind::kRange});
        }
      }
    }
  }
  return marks;
}

}  // namespace omendb::txn
