// The constraints of domains, for values that no expression has checked: those that type input reads, alone or inside others
// (types/io.h). What an expression casts to a domain is checked by the same expression within it (frontend/coerce.cc).
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "catalog/catalog.h"
#include "types/value.h"

namespace omendb::sql {

class SessionImpl;

/// A session's. Thread: any; one value is checked at a time.
class DomainChecks {
 public:
  explicit DomainChecks(SessionImpl& session);
  ~DomainChecks();

  /// Whether `value`, of the domain's base type in form `physical`, may stand in it. Errors: 23502, 23514, those of the checks.
  Status check(const std::shared_ptr<const catalog::Catalog>& catalog, Oid domain, const types::PhysicalType& physical,
               const types::ValueView& value);

 private:
  class Compiled;
  struct Duck;
  SessionImpl& session_;
  std::recursive_mutex mutex_;  // of all below; a check may read values of other domains
  std::unique_ptr<Duck> duck_;
  uint64_t version_ = 0;
  std::map<Oid, std::unique_ptr<Compiled>> compiled_;  // of the catalog's version_
};

}  // namespace omendb::sql
