#include "types/encoding.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <iterator>
#include <map>
#include <unordered_map>

#include "base/mutex.h"
#include "types/utf8.h"

namespace omendb::types {
namespace {

constexpr size_t kShownBytes = 8;  // of a character in an error

std::string hex_of(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (char c : bytes.substr(0, kShownBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    text += text.empty() ? "0x" : " 0x";
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

Status invalid(std::string_view bytes, std::string_view encoding) {
  return Status(SqlState::kCharacterNotInRepertoire,
                "invalid byte sequence for encoding \"" + std::string(encoding) + "\": " + hex_of(bytes));
}

Status untranslatable(std::string_view bytes, std::string_view from, std::string_view to) {
  return Status(SqlState::kUntranslatableCharacter, "character with byte sequence " + hex_of(bytes) +
                                                        " in encoding \"" + std::string(from) +
                                                        "\" has no equivalent in encoding \"" + std::string(to) + "\"");
}

bool between(char c, int low, int high) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= low && byte <= high;
}

struct Alias {
  const char* plain;  // lower case, letters and digits only
  const char* name;
};
constexpr Alias kAliases[] = {
    {"unicode", "UTF8"},        {"abc", "WIN1258"},         {"alt", "WIN866"},          {"iso88591", "LATIN1"},
    {"iso88592", "LATIN2"},     {"iso88593", "LATIN3"},     {"iso88594", "LATIN4"},     {"iso88599", "LATIN5"},
    {"iso885910", "LATIN6"},    {"iso885913", "LATIN7"},    {"iso885914", "LATIN8"},    {"iso885915", "LATIN9"},
    {"iso885916", "LATIN10"},   {"koi8", "KOI8R"},          {"mskanji", "SJIS"},        {"shiftjis", "SJIS"},
    {"tcvn", "WIN1258"},        {"tcvn5712", "WIN1258"},    {"vscii", "WIN1258"},       {"win", "WIN1251"},
    {"win932", "SJIS"},         {"win936", "GBK"},          {"win949", "UHC"},          {"win950", "BIG5"},
    {"windows932", "SJIS"},     {"windows936", "GBK"},      {"windows949", "UHC"},      {"windows950", "BIG5"},
    {"windows866", "WIN866"},   {"windows874", "WIN874"},   {"windows1250", "WIN1250"}, {"windows1251", "WIN1251"},
    {"windows1252", "WIN1252"}, {"windows1253", "WIN1253"}, {"windows1254", "WIN1254"}, {"windows1255", "WIN1255"},
    {"windows1256", "WIN1256"}, {"windows1257", "WIN1257"}, {"windows1258", "WIN1258"},
};

std::string plain_name(std::string_view name) {
  std::string plain;
  for (unsigned char c : name) {
    if (std::isalnum(c) != 0) plain += static_cast<char>(std::tolower(c));
  }
  return plain;
}

/// One direction of iconv; it has state, so each thread has its own.
class Converter {
 public:
  Converter(const char* to, const char* from) : handle_(::iconv_open(to, from)) {}
  ~Converter() {
    if (good()) ::iconv_close(handle_);
  }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  bool good() const { return handle_ != reinterpret_cast<iconv_t>(-1); }

  /// Appends `character`, converted. False: there is no such.
  bool convert(std::string_view character, std::string* out) {
    char into[32];
    char *to = into, *from = const_cast<char*>(character.data());
    size_t left = character.size(), room = sizeof(into);
    ::iconv(handle_, nullptr, nullptr, nullptr, nullptr);
    // A number above 0 counts what was put in the place of another.
    if (::iconv(handle_, &from, &left, &to, &room) != 0 || left != 0) return false;
    if (::iconv(handle_, nullptr, nullptr, &to, &room) != 0) return false;  // it may have waited for an accent
    out->append(into, sizeof(into) - room);
    return room < sizeof(into);
  }

 private:
  iconv_t handle_;
};

struct Pair {
  explicit Pair(const char* name) : decode("UTF-8", name), encode(name, "UTF-8") {}
  Converter decode, encode;
};

Pair& pair_of(const char* name) {
  thread_local std::map<const char*, std::unique_ptr<Pair>> pairs;
  auto& pair = pairs[name];
  if (pair == nullptr) pair = std::make_unique<Pair>(name);
  return *pair;
}

}  // namespace

// Of an encoding with one byte a character.
struct Encoding::Table {
  std::array<std::string, 128> upper;  // as UTF8; "": there is none
  std::unordered_map<uint32_t, char> bytes;
};

const Encoding* Encoding::all(size_t* count) {
  using F = Form;
  static const Encoding kAll[] = {
      {"UTF8", "UTF-8", F::kUtf8},
      {"SQL_ASCII", "UTF-8", F::kUtf8},
      {"EUC_JP", "EUC-JP-MS", F::kEucJp},
      {"EUC_CN", "EUC-CN", F::kEuc},
      {"EUC_KR", "EUC-KR", F::kEuc},
      {"EUC_TW", "EUC-TW", F::kEucTw},
      {"EUC_JIS_2004", "EUC-JISX0213", F::kEucJp},
      {"MULE_INTERNAL", "", F::kNone},
      {"LATIN1", "ISO-8859-1", F::kSingle},
      {"LATIN2", "ISO-8859-2", F::kSingle},
      {"LATIN3", "ISO-8859-3", F::kSingle},
      {"LATIN4", "ISO-8859-4", F::kSingle},
      {"LATIN5", "ISO-8859-9", F::kSingle},
      {"LATIN6", "ISO-8859-10", F::kSingle},
      {"LATIN7", "ISO-8859-13", F::kSingle},
      {"LATIN8", "ISO-8859-14", F::kSingle},
      {"LATIN9", "ISO-8859-15", F::kSingle},
      {"LATIN10", "ISO-8859-16", F::kSingle},
      {"WIN1256", "CP1256", F::kSingle},
      {"WIN1258", "CP1258", F::kSingle},
      {"WIN866", "CP866", F::kSingle},
      {"WIN874", "CP874", F::kSingle},
      {"KOI8R", "KOI8-R", F::kSingle},
      {"WIN1251", "CP1251", F::kSingle},
      {"WIN1252", "CP1252", F::kSingle},
      {"ISO_8859_5", "ISO-8859-5", F::kSingle},
      {"ISO_8859_6", "ISO-8859-6", F::kSingle},
      {"ISO_8859_7", "ISO-8859-7", F::kSingle},
      {"ISO_8859_8", "ISO-8859-8", F::kSingle},
      {"WIN1250", "CP1250", F::kSingle},
      {"WIN1253", "CP1253", F::kSingle},
      {"WIN1254", "CP1254", F::kSingle},
      {"WIN1255", "CP1255", F::kSingle},
      {"WIN1257", "CP1257", F::kSingle},
      {"KOI8U", "KOI8-U", F::kSingle},
      {"SJIS", "CP932", F::kShiftJis},
      {"BIG5", "BIG5", F::kTwoBytes},
      {"GBK", "CP936", F::kTwoBytes},
      {"UHC", "CP949", F::kTwoBytes},
      {"GB18030", "GB18030", F::kGb18030},
      {"JOHAB", "JOHAB", F::kJohab},
      {"SHIFT_JIS_2004", "SHIFT_JISX0213", F::kShiftJis},
  };
  *count = std::size(kAll);
  return kAll;
}

const Encoding* Encoding::find(std::string_view name) {
  std::string plain = plain_name(name);
  for (const Alias& alias : kAliases) {
    if (plain == alias.plain) plain = plain_name(alias.name);
  }
  size_t count;
  const Encoding* encodings = all(&count);
  for (size_t i = 0; i < count; ++i) {
    if (plain_name(encodings[i].name_) == plain) return &encodings[i];
  }
  return nullptr;
}

bool Encoding::converts() const {
  if (form_ == Form::kUtf8) return true;
  if (form_ == Form::kNone) return false;
  // A system may lack iconv's tables.
  const Pair& pair = pair_of(iconv_name_);
  return pair.decode.good() && pair.encode.good();
}

const Encoding::Table& Encoding::table() const {
  static Mutex mutex;
  static std::map<const Encoding*, std::unique_ptr<const Table>> tables;
  MutexLock lock(mutex);
  auto& table = tables[this];
  if (table == nullptr) {
    auto made = std::make_unique<Table>();
    Converter& decode = pair_of(iconv_name_).decode;
    for (int c = 0x80; c < 0x100; ++c) {
      const char byte = static_cast<char>(c);
      std::string& text = made->upper[static_cast<size_t>(c - 0x80)];
      if (!decode.convert({&byte, 1}, &text)) continue;
      size_t at = 0;
      made->bytes.emplace(utf8_next(text, &at), byte);
    }
    table = std::move(made);
  }
  return *table;
}

size_t Encoding::width(std::string_view bytes) const {
  const char c = bytes[0];
  if (!between(c, 0x80, 0xFF)) return 1;
  switch (form_) {
    case Form::kUtf8: return utf8_width(c);
    case Form::kEucJp: return between(c, 0x8F, 0x8F) ? 3 : 2;
    case Form::kEucTw: return between(c, 0x8E, 0x8E) ? 4 : between(c, 0x8F, 0x8F) ? 3 : 2;
    case Form::kEuc: return between(c, 0x8F, 0x8F) ? 3 : 2;
    case Form::kShiftJis: return between(c, 0xA1, 0xDF) ? 1 : 2;
    case Form::kTwoBytes:
    case Form::kJohab: return 2;
    case Form::kGb18030: return bytes.size() > 1 && between(bytes[1], 0x30, 0x39) ? 4 : 2;
    case Form::kSingle:
    case Form::kNone: break;
  }
  return 1;
}

size_t Encoding::character_bytes(std::string_view bytes) const {
  if (form_ == Form::kGb18030 && bytes.size() == 1 && between(bytes[0], 0x80, 0xFF)) return 0;
  const size_t wide = width(bytes);
  return wide > bytes.size() ? 0 : wide;
}

// PostgreSQL's pg_encoding_verifymbchar; `character` is as long as its first byte says and begins with no ASCII.
bool Encoding::well_formed(std::string_view character) const {
  const auto all_between = [&](size_t from, int low, int high) {
    return std::all_of(character.begin() + static_cast<ptrdiff_t>(from), character.end(),
                       [&](char c) { return between(c, low, high); });
  };
  const char first = character[0];
  switch (form_) {
    case Form::kEucJp:
      if (between(first, 0x8E, 0x8E)) return all_between(1, 0xA1, 0xDF);
      if (between(first, 0x8F, 0x8F)) return all_between(1, 0xA1, 0xFE);
      return all_between(0, 0xA1, 0xFE);
    case Form::kEucTw:
      if (between(first, 0x8E, 0x8E)) return between(character[1], 0xA1, 0xA7) && all_between(2, 0xA1, 0xFE);
      return !between(first, 0x8F, 0x8F) && all_between(1, 0xA1, 0xFE);
    case Form::kEuc: return all_between(0, 0xA1, 0xFE);
    case Form::kShiftJis:
      if (character.size() == 1) return true;
      return (between(first, 0x81, 0x9F) || between(first, 0xE0, 0xFC)) &&
             (between(character[1], 0x40, 0x7E) || between(character[1], 0x80, 0xFC));
    case Form::kTwoBytes: return character[1] != '\0';
    case Form::kJohab: return between(character[1], 0xA1, 0xFE);
    case Form::kGb18030:
      if (!between(first, 0x81, 0xFE)) return false;
      if (character.size() == 4) return between(character[2], 0x81, 0xFE) && between(character[3], 0x30, 0x39);
      return between(character[1], 0x40, 0x7E) || between(character[1], 0x80, 0xFE);
    default: return true;
  }
}

// What iconv knows and PostgreSQL does not: bytes above ASCII that stand for several characters or for ASCII, and what vendors put
// into the range for private use.
bool Encoding::takes(std::string_view character) const {
  if (utf8_width(character[0]) != character.size())
    return utf8_count(character) == 2 && (form_ == Form::kEucJp || form_ == Form::kShiftJis);
  size_t at = 0;
  const uint32_t code = utf8_next(character, &at);
  return code >= 0x80 && ((form_ != Form::kShiftJis && form_ != Form::kEucJp) || code < 0xE000 || code > 0xF8FF);
}

bool Encoding::gives(char* bytes, size_t size) const {
  if (!between(bytes[0], 0x80, 0xFF) || width({bytes, size}) != size) return false;
  if (form_ == Form::kEucTw && size == 4) {
    if (between(bytes[1], 0xA3, 0xA3)) bytes[1] = '\xAE';  // PostgreSQL has plane 3 where it was first, in plane 14
    return between(bytes[1], 0xA1, 0xA2) || between(bytes[1], 0xAE, 0xAE);
  }
  return form_ == Form::kJohab || well_formed({bytes, size});
}

Status Encoding::to_utf8(std::string_view bytes, std::string* out) const {
  if (is_utf8()) {
    const size_t valid = valid_utf8_prefix(bytes);
    out->append(bytes.substr(0, valid));
    return valid == bytes.size() ? Status() : verify_utf8(bytes.substr(valid));
  }
  const Table* single = form_ == Form::kSingle ? &table() : nullptr;
  Converter& decode = pair_of(iconv_name_).decode;
  for (size_t at = 0; at < bytes.size();) {
    const char c = bytes[at];
    if (!between(c, 0x80, 0xFF)) {
      if (c == '\0') return invalid(bytes.substr(at, 1), name_);
      out->push_back(c);
      ++at;
      continue;
    }
    if (single != nullptr) {
      const std::string& text = single->upper[static_cast<unsigned char>(c) - 0x80];
      if (text.empty()) return untranslatable(bytes.substr(at, 1), name_, "UTF8");
      *out += text;
      ++at;
      continue;
    }
    const size_t wide = width(bytes.substr(at));
    const std::string_view character = bytes.substr(at, wide);
    if (character.size() < wide || !well_formed(character)) return invalid(character, name_);
    const size_t before = out->size();
    if (!decode.convert(character, out) || !takes(std::string_view(*out).substr(before))) {
      out->resize(before);
      return untranslatable(character, name_, "UTF8");
    }
    at += wide;
  }
  return {};
}

Status Encoding::from_utf8(std::string_view text, std::string* out) const {
  if (is_utf8()) {
    out->append(text);
    return {};
  }
  const Table* single = form_ == Form::kSingle ? &table() : nullptr;
  Converter& encode = pair_of(iconv_name_).encode;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (!between(c, 0x80, 0xFF)) {
      out->push_back(c);
      ++at;
      continue;
    }
    const size_t start = at;
    const uint32_t code = utf8_next(text, &at);
    const std::string_view character = text.substr(start, at - start);
    if (single != nullptr) {
      const auto found = single->bytes.find(code);
      if (found == single->bytes.end()) return untranslatable(character, "UTF8", name_);
      out->push_back(found->second);
    } else {
      const size_t before = out->size();
      if (!takes(character) || !encode.convert(character, out) || !gives(out->data() + before, out->size() - before)) {
        out->resize(before);
        return untranslatable(character, "UTF8", name_);
      }
    }
  }
  return {};
}

}  // namespace omendb::types
