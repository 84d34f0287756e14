#include <algorithm>
#include <cstring>

#include "sql/engine/copy.h"
#include "sql/frontend/parser.h"

namespace omendb::sql {
namespace {

constexpr size_t kDisplayMax = 100;

std::string shortened(std::string_view text) {
  if (text.size() <= kDisplayMax) return std::string(text);
  size_t cut = kDisplayMax;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
  return std::string(text.substr(0, cut)) + "...";
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string CopyReader::line_context(uint64_t line, std::string_view raw) const {
  std::string text = "COPY " + relation_ + ", line " + std::to_string(line);
  if (options_.format != CopyOptions::Format::kBinary) text += ": \"" + shortened(raw) + "\"";
  return text;
}

std::string CopyReader::column_context(const std::string& column, const Field& field) const {
  std::string text = "COPY " + relation_ + ", line " + std::to_string(line_) + ", column " + column;
  if (options_.format == CopyOptions::Format::kBinary) return text;
  return text + (field.null ? ": null input" : ": \"" + shortened(field.text) + "\"");
}

void CopyReader::fail(SqlState code, const std::string& message, const std::string& hint) {
  SqlError error(code, message);
  error.info().hint = hint;
  error.info().context = line_context();
  throw error;
}

Result<bool> CopyReader::read_more() {
  if (options_.encoding == nullptr) return source_.read(&buffer_);
  if (!decoding_.ok()) return decoding_;
  ASSIGN_OR_RETURN(const bool more, source_.read(&undecoded_));
  size_t whole = 0;
  while (whole < undecoded_.size()) {
    const size_t bytes = options_.encoding->character_bytes(std::string_view(undecoded_).substr(whole));
    if (bytes == 0) break;
    whole += bytes;
  }
  if (!more) whole = undecoded_.size();
  // The lines before what cannot be read are read first.
  const size_t before = buffer_.size();
  decoding_ = options_.encoding->to_utf8(std::string_view(undecoded_).substr(0, whole), &buffer_);
  if (!decoding_.ok() && buffer_.size() == before) return decoding_;
  undecoded_.erase(0, whole);
  return more || !decoding_.ok();
}

bool CopyReader::fill() {
  if (ended_) return false;
  if (at_ > 0) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  const size_t before = buffer_.size();
  while (buffer_.size() == before) {
    auto more = read_more();
    if (!more.ok()) {
      ErrorInfo info = more.status().info();
      if (info.context.empty()) info.context = "COPY " + relation_ + ", line " + std::to_string(line_ + 1);
      throw SqlError(std::move(info));
    }
    if (!*more) {
      ended_ = true;
      return buffer_.size() > before;
    }
  }
  return true;
}

bool CopyReader::next(std::vector<Field>* fields) {
  fields->clear();
  if (options_.format == CopyOptions::Format::kBinary) return next_binary(fields);
  const bool csv = options_.format == CopyOptions::Format::kCsv;
  if (finished_ || !(csv ? next_csv_line() : next_text_line())) return false;
  if (const size_t valid = valid_utf8_prefix(raw_); valid < raw_.size()) {
    char text[96];
    std::snprintf(text, sizeof(text), "invalid byte sequence for encoding \"UTF8\": 0x%02x",
                  static_cast<unsigned char>(raw_[valid]));
    const std::string whole(raw_);
    raw_ = std::string_view();
    SqlError error(SqlState::kCharacterNotInRepertoire, text);
    error.info().context = "COPY " + relation_ + ", line " + std::to_string(line_);
    throw error;
  }
  values_.clear();
  values_.reserve(raw_.size());  // undoing escapes never lengthens, so views into it stay good
  if (csv) {
    split_csv(fields);
  } else {
    split_text(fields);
  }
  return true;
}

bool CopyReader::next_text_line() {
  size_t scan = at_;
  while (true) {
    // The end of a line is an end-of-line byte that no backslash escapes.
    const char* found = nullptr;
    while (scan < buffer_.size()) {
      const char* from = buffer_.data() + scan;
      const size_t left = buffer_.size() - scan;
      const char* newline = eol_ == '\r' ? static_cast<const char*>(std::memchr(from, '\r', left))
                                         : static_cast<const char*>(std::memchr(from, '\n', left));
      if (eol_ == 0) {
        const char* carriage = static_cast<const char*>(std::memchr(from, '\r', left));
        if (carriage != nullptr && (newline == nullptr || carriage < newline)) newline = carriage;
      }
      if (newline == nullptr) break;
      size_t backslashes = 0;
      const char* start = buffer_.data() + at_;
      while (newline - backslashes > start && *(newline - backslashes - 1) == '\\') ++backslashes;
      if (backslashes % 2 == 0) {
        found = newline;
        break;
      }
      scan = static_cast<size_t>(newline - buffer_.data()) + 1;
    }
    if (found != nullptr) {
      size_t end = static_cast<size_t>(found - buffer_.data());
      if (eol_ == 0 && *found == '\r') {
        if (end + 1 == buffer_.size() && !ended_) {
          const size_t kept = end - at_;
          fill();
          scan = at_ + kept;
          continue;  // whether a \n follows decides the style
        }
        eol_ = end + 1 < buffer_.size() && buffer_[end + 1] == '\n' ? 'b' : '\r';
      } else if (eol_ == 0) {
        eol_ = '\n';
      }
      size_t next = end + 1;
      if (eol_ == 'b') {
        if (*found == '\r') {
          next = end + 2;
        } else if (end > at_ && buffer_[end - 1] == '\r') {
          --end;
        }
      }
      raw_ = std::string_view(buffer_).substr(at_, end - at_);
      at_ = next;
      ++line_;
      if (raw_ == "\\.") {
        finished_ = true;
        return false;
      }
      if (eol_ == '\n' && raw_.find('\r') != std::string_view::npos) {
        fail(SqlState::kBadCopyFileFormat, "literal carriage return found in data",
             "Use \"\\r\" to represent carriage return.");
      }
      return true;
    }
    const size_t kept = buffer_.size() - at_;
    if (!fill()) {
      if (at_ >= buffer_.size()) return false;
      raw_ = std::string_view(buffer_).substr(at_);  // a last line without its end
      at_ = buffer_.size();
      ++line_;
      if (raw_ == "\\.") {
        finished_ = true;
        return false;
      }
      return true;
    }
    scan = at_ + kept;
  }
}

bool CopyReader::next_csv_line() {
  bool quoted = false;
  size_t scan = at_;
  const bool same = options_.quote == options_.escape;
  ++line_;
  while (true) {
    while (scan < buffer_.size()) {
      const char c = buffer_[scan];
      if (c == options_.quote && (same || !quoted || scan == at_ || buffer_[scan - 1] != options_.escape)) {
        quoted = !quoted;
      } else if (quoted && !same && c == options_.escape && scan + 1 < buffer_.size() &&
                 (buffer_[scan + 1] == options_.escape || buffer_[scan + 1] == options_.quote)) {
        ++scan;
      } else if (!quoted && (c == '\n' || c == '\r')) {
        if (c == '\r' && scan + 1 == buffer_.size() && !ended_) {
          break;  // a \n may follow
        }
        size_t next = scan + 1;
        if (c == '\r' && next < buffer_.size() && buffer_[next] == '\n') ++next;
        raw_ = std::string_view(buffer_).substr(at_, scan - at_);
        at_ = next;
        if (raw_ == "\\.") {
          finished_ = true;
          return false;
        }
        return true;
      } else if (quoted && c == '\n') {
        // Part of a value; the line count goes on.
      }
      ++scan;
    }
    const size_t kept = scan - at_;
    if (!fill()) {
      if (at_ >= buffer_.size()) {
        --line_;
        return false;
      }
      raw_ = std::string_view(buffer_).substr(at_);
      at_ = buffer_.size();
      if (!quoted && !raw_.empty() && raw_.back() == '\r') raw_.remove_suffix(1);
      if (raw_ == "\\.") {
        finished_ = true;
        return false;
      }
      if (quoted) fail(SqlState::kBadCopyFileFormat, "unterminated CSV quoted field");
      return true;
    }
    scan = at_ + kept;
  }
}

void CopyReader::split_text(std::vector<Field>* fields) {
  size_t at = 0;
  const bool any_escape = raw_.find('\\') != std::string_view::npos;
  while (true) {
    size_t end = at;
    bool escaped = false;
    if (!any_escape) end = std::min(raw_.find(options_.delimiter, at), raw_.size());
    while (end < raw_.size() && raw_[end] != options_.delimiter) {
      if (raw_[end] == '\\' && end + 1 < raw_.size()) {
        escaped = true;
        ++end;
      }
      ++end;
    }
    end = std::min(end, raw_.size());
    Field field;
    const std::string_view text = raw_.substr(at, end - at);
    if (text == options_.null_text) {
      field.null = true;
    } else if (!escaped) {
      field.text = text;
    } else {
      const size_t start = values_.size();
      for (size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c != '\\' || i + 1 >= text.size()) {
          values_.push_back(c);
          continue;
        }
        c = text[++i];
        switch (c) {
          case 'b': values_.push_back('\b'); break;
          case 'f': values_.push_back('\f'); break;
          case 'n': values_.push_back('\n'); break;
          case 'r': values_.push_back('\r'); break;
          case 't': values_.push_back('\t'); break;
          case 'v': values_.push_back('\v'); break;
          case '0':
          case '1':
          case '2':
          case '3':
          case '4':
          case '5':
          case '6':
          case '7': {
            int value = c - '0';
            for (int digits = 1; digits < 3 && i + 1 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '7';
                 ++digits) {
              value = value * 8 + (text[++i] - '0');
            }
            values_.push_back(static_cast<char>(value));
            break;
          }
          case 'x': {
            if (i + 1 < text.size() && hex_digit(text[i + 1]) >= 0) {
              int value = hex_digit(text[++i]);
              if (i + 1 < text.size() && hex_digit(text[i + 1]) >= 0) value = value * 16 + hex_digit(text[++i]);
              values_.push_back(static_cast<char>(value));
            } else {
              values_.push_back('x');
            }
            break;
          }
          default: values_.push_back(c);
        }
      }
      field.text = std::string_view(values_).substr(start);
      if (valid_utf8_prefix(field.text) < field.text.size()) {
        fail(SqlState::kCharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\"");
      }
    }
    fields->push_back(field);
    if (end >= raw_.size()) return;
    at = end + 1;
  }
}

void CopyReader::split_csv(std::vector<Field>* fields) {
  size_t at = 0;
  while (true) {
    Field field;
    const size_t start = values_.size();
    bool quoted = false;
    while (at < raw_.size() && (quoted || raw_[at] != options_.delimiter)) {
      const char c = raw_[at];
      if (!quoted) {
        if (c == options_.quote) {
          quoted = true;
          field.quoted = true;
        } else {
          values_.push_back(c);
        }
        ++at;
        continue;
      }
      if (c == options_.escape && at + 1 < raw_.size() &&
          (raw_[at + 1] == options_.escape || raw_[at + 1] == options_.quote)) {
        values_.push_back(raw_[at + 1]);
        at += 2;
      } else if (c == options_.quote) {
        quoted = false;
        ++at;
      } else {
        values_.push_back(c);
        ++at;
      }
    }
    if (quoted) fail(SqlState::kBadCopyFileFormat, "unterminated CSV quoted field");
    field.text = std::string_view(values_).substr(start);
    if (!field.quoted && field.text == options_.null_text) field.null = true;
    fields->push_back(field);
    if (at >= raw_.size()) return;
    ++at;
  }
}

std::string_view CopyReader::need(size_t bytes) {
  while (buffer_.size() - at_ < bytes) {
    if (!fill()) fail(SqlState::kBadCopyFileFormat, "unexpected EOF in COPY data");
  }
  const std::string_view view = std::string_view(buffer_).substr(at_, bytes);
  at_ += bytes;
  return view;
}

bool CopyReader::next_binary(std::vector<Field>* fields) {
  auto number = [](std::string_view bytes) {
    uint32_t value = 0;
    for (char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  };
  if (finished_) return false;
  if (!binary_started_) {
    binary_started_ = true;
    if (need(11) != std::string_view("PGCOPY\n\377\r\n\0", 11)) {
      fail(SqlState::kBadCopyFileFormat, "COPY file signature not recognized");
    }
    if ((number(need(4)) >> 16) != 0)
      fail(SqlState::kBadCopyFileFormat, "unrecognized critical flags in COPY file header");
    need(number(need(4)));
  }
  // The end of the data will do for the trailer, which some drivers leave out; PostgreSQL takes it too.
  if (at_ == buffer_.size() && !fill()) {
    finished_ = true;
    return false;
  }
  ++line_;
  const auto count = static_cast<int16_t>(number(need(2)));
  if (count < 0) {
    finished_ = true;
    return false;
  }
  // The whole row is read before it is viewed: reading moves the buffer.
  values_.clear();
  std::vector<std::pair<size_t, size_t>> places;
  for (int i = 0; i < count; ++i) {
    const auto length = static_cast<int32_t>(number(need(4)));
    if (length == -1) {
      places.emplace_back(0, SIZE_MAX);
      continue;
    }
    if (length < 0) fail(SqlState::kBadCopyFileFormat, "invalid field size");
    places.emplace_back(values_.size(), static_cast<size_t>(length));
    values_.append(need(static_cast<size_t>(length)));
  }
  for (const auto& [start, length] : places) {
    Field field;
    field.null = length == SIZE_MAX;
    if (!field.null) field.text = std::string_view(values_).substr(start, length);
    fields->push_back(field);
  }
  return true;
}

}  // namespace omendb::sql
