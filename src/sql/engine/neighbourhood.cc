#include "sql/engine/neighbourhood.h"

#include <algorithm>
#include <utility>

#include "sql/engine/session_impl.h"

namespace omendb::sql {
namespace {

constexpr size_t kChannelBytesMax = 63, kPayloadBytesMax = 7999;

std::string lock_text(const AdvisoryKey& key, bool shared) {
  const auto high = static_cast<uint32_t>(static_cast<uint64_t>(key.key) >> 32), low = static_cast<uint32_t>(key.key);
  return std::string(shared ? "ShareLock" : "ExclusiveLock") + " on advisory lock [5," + std::to_string(high) + "," +
         std::to_string(low) + "," + (key.pair ? "2" : "1") + "]";
}

}  // namespace

// --- Neighbourhood ---

bool Neighbourhood::granted(const AdvisoryKey& key, const SessionNeighbours* to, bool shared) {
  const auto held = advisory_.find(key);
  if (held == advisory_.end()) return true;
  return std::none_of(held->second.begin(), held->second.end(), [&](const auto& entry) {
    return entry.first != to && (entry.second.exclusive() || (!shared && entry.second.shared()));
  });
}

bool Neighbourhood::in_cycle(const SessionNeighbours* start, const SessionNeighbours* at,
                             std::set<const SessionNeighbours*>& seen, std::vector<const SessionNeighbours*>* path) {
  if (!at->waits_ || !seen.insert(at).second) return false;
  const auto held = advisory_.find(at->wanted_);
  if (held == advisory_.end()) return false;
  for (const auto& [holder, how] : held->second) {
    if (holder == at || (!how.exclusive() && at->wants_shared_)) continue;
    path->push_back(at);
    if (holder == start || in_cycle(start, holder, seen, path)) return true;
    path->pop_back();
  }
  return false;
}

// --- One session ---

SessionNeighbours::SessionNeighbours(SessionImpl& session, Neighbourhood& hood) : session_(session), hood_(hood) {
  MutexLock lock(hood_.mutex_);
  hood_.sessions_[session.options().process_id] = this;
}

SessionNeighbours::~SessionNeighbours() {
  release(true, true);
  MutexLock lock(hood_.mutex_);
  for (auto& [channel, sessions] : hood_.listeners_) sessions.erase(this);
  const auto mine = hood_.sessions_.find(session_.options().process_id);
  if (mine != hood_.sessions_.end() && mine->second == this) hood_.sessions_.erase(mine);
}

void SessionNeighbours::note_statement(std::string_view text, bool is_utility) {
  const int64_t now = clock_now_us();
  const bool read_application = std::exchange(read_application_, is_utility);
  std::string application;
  if (read_application) application = session_.setting("application_name");
  MutexLock lock(mutex_);
  query_.assign(text.substr(0, 1023));
  query_start_us_ = state_change_us_ = now;
  transaction_start_us_ = session_.transaction_start_us();
  if (read_application) application_ = std::move(application);
  state_ = "active";
}

void SessionNeighbours::note_idle(char transaction_state) {
  const int64_t now = clock_now_us();
  std::string application;
  if (read_application_) application = session_.setting("application_name");
  MutexLock lock(mutex_);
  if (read_application_) application_ = std::move(application);
  state_change_us_ = now;
  state_ = transaction_state == 'T'   ? "idle in transaction"
           : transaction_state == 'E' ? "idle in transaction (aborted)"
                                      : "idle";
  if (transaction_state == 'I') transaction_start_us_ = 0;
}

void SessionNeighbours::listen(const std::string& channel) { changes_.push_back({true, channel}); }
void SessionNeighbours::unlisten(const std::string& channel) { changes_.push_back({false, channel}); }

void SessionNeighbours::committed() {
  if (has_transaction_locks_) release(false, true);
  if (changes_.empty() && outgoing_.empty()) return;
  MutexLock lock(hood_.mutex_);
  for (const Change& change : changes_) {
    if (change.listen) {
      hood_.listeners_[change.channel].insert(this);
    } else {
      for (auto& [channel, sessions] : hood_.listeners_) {
        if (change.channel.empty() || channel == change.channel) sessions.erase(this);
      }
    }
  }
  std::set<SessionNeighbours*> woken;
  for (const Notification& notification : outgoing_) {
    const auto to = hood_.listeners_.find(notification.channel);
    if (to == hood_.listeners_.end()) continue;
    for (SessionNeighbours* session : to->second) {
      MutexLock inner(session->mutex_);
      session->arrived_.push_back(notification);
      woken.insert(session);
    }
  }
  std::vector<std::function<void()>> wakes;
  for (SessionNeighbours* session : woken) {
    MutexLock inner(session->mutex_);
    if (session != this && session->wake_) wakes.push_back(session->wake_);
  }
  lock.unlock();
  for (const auto& wake : wakes) wake();  // may be the last to know its connection, and end it
  changes_.clear();
  outgoing_.clear();
}

void SessionNeighbours::rolled_back() {
  if (has_transaction_locks_) release(false, true);
  changes_.clear();
  outgoing_.clear();
}

std::vector<Notification> SessionNeighbours::take() {
  MutexLock lock(mutex_);
  return std::exchange(arrived_, {});
}

bool SessionNeighbours::waiting_notifications() const {
  MutexLock lock(mutex_);
  return !arrived_.empty();
}

void SessionNeighbours::on_arrival(std::function<void()> wake) {
  MutexLock lock(mutex_);
  wake_ = std::move(wake);
}

void SessionNeighbours::notify(std::string_view channel, std::string_view payload) {
  if (channel.empty()) throw SqlError(SqlState::kInvalidParameterValue, "channel name cannot be empty");
  if (channel.size() > kChannelBytesMax) throw SqlError(SqlState::kInvalidParameterValue, "channel name too long");
  if (payload.size() > kPayloadBytesMax) throw SqlError(SqlState::kInvalidParameterValue, "payload string too long");
  MutexLock lock(mutex_);
  // Said twice in one transaction is said once.
  for (const auto& before : outgoing_) {
    if (before.channel == channel && before.payload == payload) return;
  }
  outgoing_.push_back({session_.options().process_id, std::string(channel), std::string(payload)});
}

std::vector<std::string> SessionNeighbours::listening() {
  std::vector<std::string> channels;
  MutexLock lock(hood_.mutex_);
  for (const auto& [channel, sessions] : hood_.listeners_) {
    if (sessions.contains(this)) channels.push_back(channel);
  }
  return channels;
}

bool SessionNeighbours::lock(const AdvisoryKey& key, bool shared, bool to_transaction_end, bool try_only) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const auto lock_timeout = std::chrono::milliseconds(session_.settings().lock_timeout_ms());
  const auto deadlock_timeout = std::chrono::milliseconds(session_.settings().deadlock_timeout_ms());
  bool looked = false;
  MutexLock lock(hood_.mutex_);
  while (!hood_.granted(key, this, shared)) {
    if (try_only) return false;
    waits_ = true;
    wants_shared_ = shared;
    wanted_ = key;
    lock.wait_for(hood_.released_, std::chrono::milliseconds(20));
    const auto waited = Clock::now() - start;
    std::vector<const SessionNeighbours*> path;
    std::set<const SessionNeighbours*> seen;
    if (!looked && waited >= deadlock_timeout) {
      looked = true;
      if (hood_.in_cycle(this, this, seen, &path)) {
        waits_ = false;
        std::string detail;
        for (size_t i = 0; i < path.size(); ++i) {
          detail += (i > 0 ? "\n" : "") + ("Process " + std::to_string(path[i]->session_.options().process_id)) +
                    " waits for " + lock_text(path[i]->wanted_, path[i]->wants_shared_) + "; blocked by process " +
                    std::to_string(path[(i + 1) % path.size()]->session_.options().process_id) + ".";
        }
        throw SqlError(SqlState::kTRDeadlockDetected, "deadlock detected")
            .detail(detail)
            .hint("See server log for query details.");
      }
    }
    if (session_.cancelled()) {
      waits_ = false;
      session_.check_cancelled();
    }
    if (lock_timeout.count() > 0 && waited >= lock_timeout) {
      waits_ = false;
      throw SqlError(SqlState::kLockNotAvailable, "canceling statement due to lock timeout");
    }
  }
  waits_ = false;
  auto& mine = hood_.advisory_[key][this];
  if (to_transaction_end) {
    ++(shared ? mine.transaction_shared : mine.transaction_exclusive);
    has_transaction_locks_ = true;
  } else {
    ++(shared ? mine.session_shared : mine.session_exclusive);
  }
  return true;
}

bool SessionNeighbours::unlock(const AdvisoryKey& key, bool shared) {
  MutexLock lock(hood_.mutex_);
  const auto held = hood_.advisory_.find(key);
  const auto mine = held == hood_.advisory_.end() ? Neighbourhood::Holders::iterator() : held->second.find(this);
  if (held == hood_.advisory_.end() || mine == held->second.end()) return false;
  int& count = shared ? mine->second.session_shared : mine->second.session_exclusive;
  if (count == 0) return false;
  --count;
  if (!mine->second.exclusive() && !mine->second.shared()) held->second.erase(mine);
  if (held->second.empty()) hood_.advisory_.erase(held);
  hood_.released_.notify_all();
  return true;
}

void SessionNeighbours::unlock_all() { release(true, false); }

void SessionNeighbours::release(bool of_session, bool of_transaction) {
  MutexLock lock(hood_.mutex_);
  if (of_transaction) has_transaction_locks_ = false;
  for (auto held = hood_.advisory_.begin(); held != hood_.advisory_.end();) {
    if (auto mine = held->second.find(this); mine != held->second.end()) {
      auto& how = mine->second;
      if (of_session) how.session_exclusive = how.session_shared = 0;
      if (of_transaction) how.transaction_exclusive = how.transaction_shared = 0;
      if (!how.exclusive() && !how.shared()) held->second.erase(mine);
    }
    held = held->second.empty() ? hood_.advisory_.erase(held) : std::next(held);
  }
  hood_.released_.notify_all();
}

std::vector<Neighbours::HeldLock> SessionNeighbours::locks() {
  std::vector<HeldLock> list;
  MutexLock lock(hood_.mutex_);
  for (const auto& [key, holders] : hood_.advisory_) {
    for (const auto& [session, how] : holders) {
      if (how.exclusive()) list.push_back({key, session->session_.options().process_id, false, true});
      if (how.shared()) list.push_back({key, session->session_.options().process_id, true, true});
    }
  }
  for (const auto& [pid, session] : hood_.sessions_) {
    if (session->waits_) list.push_back({session->wanted_, pid, session->wants_shared_, false});
  }
  return list;
}

bool SessionNeighbours::signal(int32_t process_id, bool terminate) {
  if (hood_.backends_ == nullptr) return false;
  return terminate ? hood_.backends_->terminate(process_id) : hood_.backends_->cancel(process_id);
}

std::vector<Neighbours::Activity> SessionNeighbours::activity() {
  std::vector<Backends::Backend> backends;
  if (hood_.backends_ != nullptr) backends = hood_.backends_->list();
  std::vector<Activity> list;
  MutexLock lock(hood_.mutex_);
  for (const auto& [pid, session] : hood_.sessions_) {
    Activity a;
    a.process_id = pid;
    a.user = session->session_.options().user;
    a.database = session->session_.options().database;
    a.remote_address = session->session_.options().remote_address;
    for (const auto& backend : backends) {
      if (backend.process_id == pid) a.backend_start_us = backend.start_us;
    }
    MutexLock inner(session->mutex_);
    a.application = session->application_;
    a.query = session->query_;
    a.transaction_start_us = session->transaction_start_us_;
    a.query_start_us = session->query_start_us_;
    a.state_change_us = session->state_change_us_;
    a.state = session->state_.empty() ? "idle" : session->state_;
    list.push_back(std::move(a));
  }
  return list;
}

}  // namespace omendb::sql
