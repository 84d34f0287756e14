// The sessions of one engine as they meet: who listens, who holds advisory locks, who does what (neighbours.h).
//
// One mutex for all of it: nothing here is on the way of an ordinary statement but note_statement(), which takes the session's own.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <set>
#include <vector>

#include "base/mutex.h"
#include "sql/neighbours.h"
#include "sql/session.h"

namespace omendb::sql {

class SessionImpl;
class SessionNeighbours;

class Neighbourhood {
 public:
  explicit Neighbourhood(Backends* backends) : backends_(backends) {}

 private:
  friend class SessionNeighbours;
  struct Holder {
    int session_exclusive = 0, session_shared = 0, transaction_exclusive = 0, transaction_shared = 0;
    bool exclusive() const { return session_exclusive + transaction_exclusive > 0; }
    bool shared() const { return session_shared + transaction_shared > 0; }
  };
  using Holders = std::map<SessionNeighbours*, Holder>;
  bool granted(const AdvisoryKey& key, const SessionNeighbours* to, bool shared) REQUIRES(mutex_);
  bool in_cycle(const SessionNeighbours* start, const SessionNeighbours* at, std::set<const SessionNeighbours*>& seen,
                std::vector<const SessionNeighbours*>* path) REQUIRES(mutex_);

  Backends* const backends_;
  Mutex mutex_;
  std::condition_variable released_;
  std::map<int32_t, SessionNeighbours*> sessions_ GUARDED_BY(mutex_);
  std::map<std::string, std::set<SessionNeighbours*>> listeners_ GUARDED_BY(mutex_);
  std::map<AdvisoryKey, Holders> advisory_ GUARDED_BY(mutex_);
};

class SessionNeighbours final : public Neighbours {
 public:
  SessionNeighbours(SessionImpl& session, Neighbourhood& hood);
  ~SessionNeighbours() override;

  // The session's side
  void note_statement(std::string_view text, bool is_utility);
  void note_idle(char transaction_state);
  void listen(const std::string& channel);
  void unlisten(const std::string& channel);  // "": all
  void committed();
  void rolled_back();
  size_t mark() const { return outgoing_.size(); }
  void rolled_back_to(size_t mark) { outgoing_.resize(std::min(mark, outgoing_.size())); }

  // Its notifications
  std::vector<Notification> take();
  bool waiting_notifications() const;
  void on_arrival(std::function<void()> wake);

  // Neighbours
  void notify(std::string_view channel, std::string_view payload) override;
  std::vector<std::string> listening() override;
  bool lock(const AdvisoryKey& key, bool shared, bool to_transaction_end, bool try_only) override;
  bool unlock(const AdvisoryKey& key, bool shared) override;
  void unlock_all() override;
  std::vector<HeldLock> locks() override;
  bool signal(int32_t process_id, bool terminate) override;
  std::vector<Activity> activity() override;

 private:
  friend class Neighbourhood;
  void release(bool of_session, bool of_transaction);

  SessionImpl& session_;
  Neighbourhood& hood_;
  std::vector<Notification> outgoing_;  // of the transaction
  struct Change {
    bool listen;
    std::string channel;
  };
  std::vector<Change> changes_;  // LISTEN and UNLISTEN of the transaction
  bool has_transaction_locks_ = false;
  bool read_application_ = true;  // SET may have changed it

  mutable Mutex mutex_;
  std::vector<Notification> arrived_ GUARDED_BY(mutex_);
  std::function<void()> wake_ GUARDED_BY(mutex_);
  std::string query_ GUARDED_BY(mutex_);
  int64_t query_start_us_ GUARDED_BY(mutex_) = 0, transaction_start_us_ GUARDED_BY(mutex_) = 0,
                          state_change_us_ GUARDED_BY(mutex_) = 0;
  std::string application_ GUARDED_BY(mutex_), state_ GUARDED_BY(mutex_);
  // Under the neighbourhood's mutex
  bool waits_ = false, wants_shared_ = false;
  AdvisoryKey wanted_;
};

}  // namespace omendb::sql
