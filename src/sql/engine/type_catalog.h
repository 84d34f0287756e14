// The catalog as type input and output functions ask for it: enum labels, names of reg* values, domains.
#pragma once

#include <memory>

#include "catalog/catalog.h"
#include "sql/engine/domain_checks.h"
#include "types/io.h"

namespace omendb::sql {

class SessionImpl;

/// Thread: the statement's, and DuckDB's while it runs one (the statement's catalog does not change then).
class SessionTypeCatalog final : public types::TypeCatalog {
 public:
  explicit SessionTypeCatalog(SessionImpl& session) : session_(session), domains_(session) {}
  std::optional<std::string> enum_label(Oid type, float sort_order) const override;
  std::optional<float> enum_sort_order(Oid type, std::string_view label) const override;
  std::optional<std::string> object_name(Oid reg_type, Oid object) const override;
  Result<Oid> object_oid(Oid reg_type, std::string_view name) const override;
  std::optional<std::string> type_name(Oid type) const override;
  char type_kind(Oid type) const override;
  Oid element_type(Oid type) const override;
  Oid base_type(Oid type, int32_t* typmod) const override;
  Status check_domain(Oid domain, const types::PhysicalType& physical, const types::ValueView& value) const override;
  std::vector<types::CompositeField> composite_fields(Oid type) const override;

 private:
  const std::shared_ptr<const catalog::Catalog>& catalog() const;
  SessionImpl& session_;
  mutable DomainChecks domains_;
};

}  // namespace omendb::sql
