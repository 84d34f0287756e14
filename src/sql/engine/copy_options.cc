#include <cstring>

#include "sql/engine/copy.h"
#include "sql/engine/settings.h"
#include "sql/frontend/pg_nodes.h"

namespace omendb::sql {
namespace {

std::string text_of(const DefElem* option) {
  if (option->arg == nullptr)
    throw SqlError(SqlState::kSyntaxError, std::string(option->defname) + " requires a parameter");
  switch (nodeTag(option->arg)) {
    case T_String: return reinterpret_cast<const String*>(option->arg)->sval;
    case T_Integer: return std::to_string(reinterpret_cast<const Integer*>(option->arg)->ival);
    case T_Boolean: return reinterpret_cast<const Boolean*>(option->arg)->boolval ? "true" : "false";
    case T_Float: return reinterpret_cast<const Float*>(option->arg)->fval;
    default: break;
  }
  throw SqlError(SqlState::kSyntaxError, std::string(option->defname) + " requires a parameter");
}

bool flag_of(const DefElem* option) {
  if (option->arg == nullptr) return true;
  const auto value = parse_boolean(text_of(option));
  if (!value) throw SqlError(SqlState::kSyntaxError, std::string(option->defname) + " requires a Boolean value");
  return *value;
}

std::vector<std::string> names_of(const DefElem* option, bool* all) {
  std::vector<std::string> names;
  if (option->arg != nullptr && nodeTag(option->arg) == T_A_Star) {
    if (all == nullptr)
      throw SqlError(SqlState::kInvalidParameterValue,
                     std::string("argument to option \"") + option->defname + "\" must be a list of column names");
    *all = true;
    return names;
  }
  if (option->arg == nullptr || nodeTag(option->arg) != T_List) {
    throw SqlError(SqlState::kInvalidParameterValue,
                   std::string("argument to option \"") + option->defname + "\" must be a list of column names",
                   option->location);
  }
  const auto* list = reinterpret_cast<const List*>(option->arg);
  for (int i = 0; i < list->length; ++i) {
    names.emplace_back(reinterpret_cast<const String*>(list->elements[i].ptr_value)->sval);
  }
  return names;
}

}  // namespace

CopyOptions read_copy_options(const void* copy_stmt, const types::Encoding* client_encoding) {
  const auto* statement = static_cast<const CopyStmt*>(copy_stmt);
  CopyOptions options;
  options.encoding = client_encoding;
  const DefElem* seen_encoding = nullptr;
  const DefElem* seen_delimiter = nullptr;
  const DefElem* seen_null = nullptr;
  const DefElem* seen_quote = nullptr;
  const DefElem* seen_escape = nullptr;
  const DefElem* seen_format = nullptr;
  const DefElem* seen_freeze = nullptr;
  const DefElem* seen_header = nullptr;
  const DefElem* force_quote = nullptr;
  const DefElem* force_not_null = nullptr;
  const DefElem* force_null = nullptr;
  std::string delimiter, null_text, quote, escape;
  for (int i = 0; statement->options != nullptr && i < statement->options->length; ++i) {
    const auto* option = static_cast<const DefElem*>(statement->options->elements[i].ptr_value);
    const std::string name = option->defname;
    auto once = [&](const DefElem*& seen) {
      if (seen != nullptr) throw SqlError(SqlState::kSyntaxError, "conflicting or redundant options", option->location);
      seen = option;
    };
    if (name == "format") {
      once(seen_format);
      const std::string format = text_of(option);
      if (format == "text")
        options.format = CopyOptions::Format::kText;
      else if (format == "csv")
        options.format = CopyOptions::Format::kCsv;
      else if (format == "binary")
        options.format = CopyOptions::Format::kBinary;
      else if (format == "parquet")
        options.format = CopyOptions::Format::kParquet;
      else
        throw SqlError(SqlState::kInvalidParameterValue, "COPY format \"" + format + "\" not recognized",
                       option->location);
    } else if (name == "freeze") {
      once(seen_freeze);
      flag_of(option);
    } else if (name == "delimiter") {
      once(seen_delimiter);
      delimiter = text_of(option);
    } else if (name == "null") {
      once(seen_null);
      null_text = text_of(option);
    } else if (name == "header") {
      once(seen_header);
      if (option->arg != nullptr && nodeTag(option->arg) == T_String &&
          std::strcmp(reinterpret_cast<const String*>(option->arg)->sval, "match") == 0) {
        if (!statement->is_from) {
          throw SqlError(SqlState::kInvalidParameterValue, "cannot use \"match\" with HEADER in COPY TO");
        }
        options.header = options.header_match = true;
      } else {
        options.header = flag_of(option);
      }
    } else if (name == "quote") {
      once(seen_quote);
      quote = text_of(option);
    } else if (name == "escape") {
      once(seen_escape);
      escape = text_of(option);
    } else if (name == "force_quote") {
      once(force_quote);
      options.force_quote = names_of(option, &options.force_quote_all);
    } else if (name == "force_not_null") {
      once(force_not_null);
      options.force_not_null = names_of(option, nullptr);
    } else if (name == "force_null") {
      once(force_null);
      options.force_null = names_of(option, nullptr);
    } else if (name == "encoding") {
      once(seen_encoding);
      const types::Encoding* encoding = types::Encoding::find(text_of(option));
      if (encoding == nullptr) {
        throw SqlError(SqlState::kInvalidParameterValue,
                       "argument to option \"encoding\" must be a valid encoding name", option->location);
      }
      if (!encoding->converts()) not_supported("COPY with encoding \"" + text_of(option) + "\"");
      options.encoding = encoding->is_utf8() ? nullptr : encoding;
    } else {
      throw SqlError(SqlState::kSyntaxError, "option \"" + name + "\" not recognized", option->location);
    }
  }

  const bool csv = options.format == CopyOptions::Format::kCsv, text = options.format == CopyOptions::Format::kText;
  const char* mode = options.format == CopyOptions::Format::kParquet ? "PARQUET" : "BINARY";
  auto refuse = [](const std::string& message) { throw SqlError(SqlState::kFeatureNotSupported, message); };
  auto invalid = [](const std::string& message) { throw SqlError(SqlState::kInvalidParameterValue, message); };
  if (!text && !csv && seen_delimiter)
    throw SqlError(SqlState::kSyntaxError, std::string("cannot specify DELIMITER in ") + mode + " mode");
  if (!text && !csv && seen_null)
    throw SqlError(SqlState::kSyntaxError, std::string("cannot specify NULL in ") + mode + " mode");
  if (!seen_delimiter) delimiter = csv ? "," : "\t";
  if (!seen_null) null_text = csv ? "" : "\\N";
  if (!seen_quote) quote = "\"";
  if (!seen_escape) escape = quote;
  if (delimiter.size() != 1) refuse("COPY delimiter must be a single one-byte character");
  if (delimiter == "\r" || delimiter == "\n") invalid("COPY delimiter cannot be newline or carriage return");
  if (null_text.find_first_of("\r\n") != std::string::npos) {
    invalid("COPY null representation cannot use newline or carriage return");
  }
  if (!csv && std::strchr("\\.abcdefghijklmnopqrstuvwxyz0123456789", delimiter[0]) != nullptr) {
    invalid("COPY delimiter cannot be \"" + delimiter + "\"");
  }
  if (!text && !csv && options.header) refuse(std::string("cannot specify HEADER in ") + mode + " mode");
  if (options.format == CopyOptions::Format::kBinary && options.encoding != nullptr)
    not_supported("COPY in binary format with encoding \"" + std::string(options.encoding->name()) + "\"");
  if (!csv && seen_quote) refuse("COPY quote available only in CSV mode");
  if (csv && quote.size() != 1) refuse("COPY quote must be a single one-byte character");
  if (csv && delimiter == quote) invalid("COPY delimiter and quote must be different");
  if (!csv && seen_escape) refuse("COPY escape available only in CSV mode");
  if (csv && escape.size() != 1) refuse("COPY escape must be a single one-byte character");
  if (!csv && force_quote) refuse("COPY force quote available only in CSV mode");
  if (force_quote && statement->is_from) refuse("COPY force quote only available using COPY TO");
  if (!csv && force_not_null) refuse("COPY force not null available only in CSV mode");
  if (force_not_null && !statement->is_from) refuse("COPY force not null only available using COPY FROM");
  if (!csv && force_null) refuse("COPY force null available only in CSV mode");
  if (force_null && !statement->is_from) refuse("COPY force null only available using COPY FROM");
  if ((text || csv) && null_text.find(delimiter[0]) != std::string::npos) {
    refuse("COPY delimiter must not appear in the NULL specification");
  }
  if (csv && null_text.find(quote[0]) != std::string::npos) {
    refuse("CSV quote character must not appear in the NULL specification");
  }
  options.delimiter = delimiter[0];
  options.null_text = null_text;
  options.quote = quote[0];
  options.escape = escape[0];
  return options;
}

}  // namespace omendb::sql
