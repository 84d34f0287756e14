// Bytes of a catalog object.
//
//   offset  size  what
//   0       4     xxHash32 of everything after it, little-endian
//   4       1     format version, now 1
//   5       1     kind: the object's position in the variant Object
//   6       ...   its fields in the order of `fields` below
//
// Integers are little-endian base-128 numbers, signed ones zigzagged; a string is its length and its bytes; a list is its
// length and its elements; an optional value is a byte 0 or 1 and the value. A field added later is read only from a
// version that has it: raise kVersion and write `if (archive.version >= N)` around it.
#include <algorithm>
#include <bit>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "catalog/catalog.h"

namespace omendb::catalog {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kHeaderBytes = 6;
// The order of the variant is part of the format.
static_assert(std::is_same_v<std::variant_alternative_t<1, Object>, Table>);
static_assert(std::is_same_v<std::variant_alternative_t<9, Object>, Comment> && std::variant_size_v<Object> == 10);

/// Appends.
struct Writer {
  static constexpr bool kReading = false;
  uint8_t version = kVersion;
  std::string out;

  void unsigned_number(uint64_t v) {
    for (; v >= 0x80; v >>= 7) out.push_back(static_cast<char>(v | 0x80));
    out.push_back(static_cast<char>(v));
  }
  void signed_number(int64_t v) { unsigned_number((static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63)); }
  void text(const std::string& s) {
    unsigned_number(s.size());
    out += s;
  }
  size_t size_of_list(size_t n) {
    unsigned_number(n);
    return n;
  }
};

/// Reads; after damage `failed` is set and every value is zero.
struct Reader {
  static constexpr bool kReading = true;
  uint8_t version = kVersion;
  std::string_view in;
  bool failed = false;

  uint64_t unsigned_number() {
    uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (in.empty()) break;
      auto byte = static_cast<uint8_t>(in[0]);
      in.remove_prefix(1);
      v |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return v;
    }
    failed = true;
    in = {};
    return 0;
  }
  int64_t signed_number() {
    uint64_t v = unsigned_number();
    return static_cast<int64_t>((v >> 1) ^ (~(v & 1) + 1));
  }
  void text(std::string& s) {
    uint64_t n = unsigned_number();
    if (n > in.size()) {
      failed = true;
      in = {};
      n = 0;
    }
    s.assign(in.substr(0, n));
    in.remove_prefix(n);
  }
  /// An element takes a byte at least, so a longer list is damage; and never a reason to allocate.
  size_t size_of_list() {
    uint64_t n = unsigned_number();
    if (n > in.size()) {
      failed = true;
      in = {};
      return 0;
    }
    return n;
  }
};

template <class A>
struct Fields {
  A& archive;

  template <class... T>
  void operator()(T&... field) {
    (one(field), ...);
  }

  // Scalars
  template <class T>
  requires(std::is_integral_v<T> || std::is_enum_v<T>) void one(T& v) {
    if constexpr (std::is_same_v<T, bool> || std::is_enum_v<T> || std::is_unsigned_v<T>) {
      if constexpr (A::kReading)
        v = static_cast<T>(archive.unsigned_number());
      else
        archive.unsigned_number(static_cast<uint64_t>(v));
    } else {
      if constexpr (A::kReading)
        v = static_cast<T>(archive.signed_number());
      else
        archive.signed_number(v);
    }
  }
  template <class Tag, class Integer>
  void one(StrongId<Tag, Integer>& v) {
    one(v.value);
  }
  void one(float& v) {
    auto bits = std::bit_cast<uint32_t>(v);
    one(bits);
    v = std::bit_cast<float>(bits);
  }
  void one(std::string& v) { archive.text(v); }

  // Lists
  template <class T>
  void one(std::vector<T>& v) {
    if constexpr (A::kReading)
      v.resize(archive.size_of_list());
    else
      archive.size_of_list(v.size());
    for (T& element : v) one(element);
  }
  void one(std::map<std::string, std::string>& v) {
    if constexpr (A::kReading) {
      for (size_t n = archive.size_of_list(); n > 0; --n) {
        std::string key, value;
        archive.text(key);
        archive.text(value);
        v.emplace(std::move(key), std::move(value));
      }
    } else {
      archive.size_of_list(v.size());
      for (const auto& [key, value] : v) {
        archive.text(key);
        archive.text(value);
      }
    }
  }

  // Parts
  void one(types::PhysicalType& p) { (*this)(p.kind, p.precision, p.scale, p.width); }
  /// A missing value in its column's physical form.
  void missing_value(std::optional<types::Value>& missing, const types::PhysicalType& physical) {
    using types::Physical;
    bool has = missing.has_value() && !missing->is_null();
    one(has);
    if (!has) {
      if constexpr (A::kReading) missing.reset();
      return;
    }
    types::ValueView view;
    if constexpr (!A::kReading) view = missing->view();
    view.null = false;
    std::string bytes;
    switch (physical.kind) {
      case Physical::kBool:
      case Physical::kInt16:
      case Physical::kInt32:
      case Physical::kUInt32:
      case Physical::kInt64: one(view.integer); break;
      case Physical::kFloat32:
      case Physical::kFloat64: {
        auto bits = std::bit_cast<uint64_t>(view.real);
        one(bits);
        view.real = std::bit_cast<double>(bits);
        break;
      }
      case Physical::kInterval: {
        types::Interval interval = A::kReading ? types::Interval{} : view.interval;
        (*this)(interval.months, interval.days, interval.micros);
        view.interval = interval;
        break;
      }
      case Physical::kInt128:
      case Physical::kUuid: {
        auto low = static_cast<uint64_t>(view.wide), high = static_cast<uint64_t>(view.wide >> 64);
        (*this)(low, high);
        view.wide = static_cast<types::Int128>((static_cast<types::UInt128>(high) << 64) | low);
        break;
      }
      case Physical::kBytes:
        bytes.assign(view.bytes);
        one(bytes);
        view.bytes = bytes;
        break;
    }
    if constexpr (A::kReading) missing.emplace(view);
  }
  void one(Column& c) {
    (*this)(c.attnum, c.name, c.type, c.typmod, c.physical, c.not_null, c.dropped, c.default_sql, c.identity,
            c.generated, c.collation);
    missing_value(c.missing, c.physical);
  }
  void one(Constraint& c) {
    (*this)(c.oid, c.name, c.kind, c.columns, c.check_sql, c.index, c.deferrable, c.initially_deferred, c.validated,
            c.no_inherit, c.referenced_table, c.referenced_columns, c.on_update, c.on_delete, c.on_delete_columns,
            c.match);
  }
  void one(IndexKey& k) {
    (*this)(k.attnum, k.expression_sql, k.descending, k.nulls_first, k.opclass, k.collation, k.type, k.physical);
  }
  void one(EnumLabel& l) { (*this)(l.oid, l.sort_order, l.label); }

  // Objects
  void one(Schema& o) { (*this)(o.oid, o.name, o.owner); }
  void one(Table& o) {
    (*this)(o.oid, o.schema, o.name, o.owner, o.persistence, o.storage, o.columns, o.constraints, o.indexes, o.row_type,
            o.array_type, o.options, o.on_commit, o.view_sql, o.view_search_path, o.view_dependencies, o.populated);
  }
  void one(Index& o) {
    (*this)(o.oid, o.schema, o.name, o.table, o.storage, o.unique, o.primary, o.nulls_not_distinct, o.keys, o.included,
            o.predicate_sql, o.method, o.options);
  }
  void one(View& o) {
    (*this)(o.oid, o.schema, o.name, o.owner, o.sql, o.search_path, o.columns, o.dependencies, o.row_type, o.array_type,
            o.check_option, o.options);
  }
  void one(Sequence& o) {
    (*this)(o.oid, o.schema, o.name, o.owner, o.storage, o.type, o.start, o.increment, o.min, o.max, o.cache, o.cycle,
            o.owned_by_table, o.owned_by_column, o.identity, o.persistence);
  }
  void one(EnumType& o) { (*this)(o.oid, o.array_type, o.schema, o.name, o.owner, o.labels); }
  void one(DomainType& o) {
    (*this)(o.oid, o.array_type, o.schema, o.name, o.owner, o.base_type, o.typmod, o.not_null, o.default_sql, o.checks);
  }
  void one(CompositeType& o) { (*this)(o.oid, o.array_type, o.schema, o.name, o.owner, o.relation, o.columns); }
  void one(Role& o) {
    (*this)(o.oid, o.name, o.superuser, o.create_role, o.create_db, o.login, o.replication, o.inherit, o.bypass_rls,
            o.connection_limit, o.password, o.member_of);
  }
  void one(Comment& o) { (*this)(o.oid, o.class_oid, o.object, o.sub_object, o.text); }
};

uint32_t checksum(std::string_view bytes) { return XXH32(bytes.data(), bytes.size(), 0); }

template <size_t... I>
Object object_of_kind(size_t kind, std::index_sequence<I...>) {
  Object object;
  ((kind == I ? void(object.emplace<I>()) : void()), ...);
  return object;
}

Status damaged(const char* what) {
  return Status(SqlState::kDataCorrupted, std::string("a catalog object is damaged: ") + what);
}

}  // namespace

std::string encode_object(const Object& object) {
  Writer writer;
  writer.out.assign(4, '\0');
  writer.out.push_back(static_cast<char>(kVersion));
  writer.out.push_back(static_cast<char>(object.index()));
  // The field lists are shared with reading and take references that are not const; a Writer changes nothing.
  std::visit([&](auto& o) { Fields<Writer>{writer}.one(o); }, const_cast<Object&>(object));
  uint32_t sum = checksum(std::string_view(writer.out).substr(4));
  for (int i = 0; i < 4; ++i) writer.out[i] = static_cast<char>(sum >> (8 * i));
  return std::move(writer.out);
}

Result<Object> decode_object(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return damaged("too short");
  uint32_t sum = 0;
  for (int i = 0; i < 4; ++i) sum |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])) << (8 * i);
  if (sum != checksum(bytes.substr(4))) return damaged("wrong checksum");
  auto version = static_cast<uint8_t>(bytes[4]);
  if (version == 0 || version > kVersion) {
    return Status(SqlState::kDataCorrupted, "a catalog object has format version " + std::to_string(version) +
                                                ", which this program does not know");
  }
  auto kind = static_cast<uint8_t>(bytes[5]);
  if (kind >= std::variant_size_v<Object>) return damaged("unknown kind");
  Object object = object_of_kind(kind, std::make_index_sequence<std::variant_size_v<Object>>());
  Reader reader{.version = version, .in = bytes.substr(kHeaderBytes)};
  std::visit([&](auto& o) { Fields<Reader>{reader}.one(o); }, object);
  if (reader.failed) return damaged("cut short");
  if (!reader.in.empty()) return damaged("longer than its fields");
  if (object_oid(object) == kInvalidOid) return damaged("no OID");
  return object;
}

}  // namespace omendb::catalog
