// What a session may do to, and learn of, the other sessions of its database: notifications, advisory locks, signals, activity.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace omendb::sql {

/// NotificationResponse.
struct Notification {
  int32_t process_id = 0;
  std::string channel, payload;
};

/// Where a server takes a session's notifications from; every Session is one. They may go out when the session is in no transaction.
class NotificationSource {
 public:
  virtual ~NotificationSource() = default;
  virtual std::vector<Notification> take_notifications() = 0;
  /// Thread: any.
  virtual bool has_notifications() const = 0;
  /// `wake` is called, from any thread, when the first of some arrives.
  virtual void on_notification(std::function<void()> wake) = 0;
};

struct AdvisoryKey {
  int64_t key = 0;
  bool pair = false;  // two int4 in one
  auto operator<=>(const AdvisoryKey&) const = default;
};

/// Thread: a statement's tasks may call it in parallel. Throws SqlError.
class Neighbours {
 public:
  virtual ~Neighbours() = default;
  /// Goes out when the transaction commits. Errors: 22023.
  virtual void notify(std::string_view channel, std::string_view payload) = 0;
  virtual std::vector<std::string> listening() = 0;

  /// False: `try_only`, and another session is in the way. Errors: 40P01, 55P03, 57014.
  virtual bool lock(const AdvisoryKey& key, bool shared, bool to_transaction_end, bool try_only) = 0;
  /// False: it was not held so.
  virtual bool unlock(const AdvisoryKey& key, bool shared) = 0;
  virtual void unlock_all() = 0;
  struct HeldLock {
    AdvisoryKey key;
    int32_t process_id = 0;
    bool shared = false, granted = true;
  };
  virtual std::vector<HeldLock> locks() = 0;

  /// pg_cancel_backend, pg_terminate_backend. False: no such process.
  virtual bool signal(int32_t process_id, bool terminate) = 0;
  struct Activity {
    int32_t process_id = 0;
    std::string user, database, application, remote_address, query;
    int64_t backend_start_us = 0, transaction_start_us = 0, query_start_us = 0, state_change_us = 0;  // 0: none
    std::string state;
  };
  virtual std::vector<Activity> activity() = 0;
};

}  // namespace omendb::sql
