// What PostgreSQL's text functions do, in characters of UTF-8. Arguments are valid UTF-8; results are appended or assigned as said.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace omendb::types {

// ---- parts. Views point into the argument ----
/// substring(text from start for length), 1-based. Errors: 22011 for a negative length.
Status text_substring(std::string_view text, int32_t start, std::optional<int32_t> length, std::string_view* out);
/// left(text, n), right(text, n): a negative n leaves out |n| characters at the other end.
std::string_view text_left(std::string_view text, int32_t n);
std::string_view text_right(std::string_view text, int32_t n);
/// position(needle in text): 1-based, in characters; 0 if absent.
int32_t text_position(std::string_view text, std::string_view needle);
/// trim of every character that is in `characters`.
std::string_view text_trim(std::string_view text, std::string_view characters, bool left, bool right);
/// split_part(text, delimiter, n), n may be negative. Errors: 22023 for n = 0.
Status text_split_part(std::string_view text, std::string_view delimiter, int32_t n, std::string_view* out);

// ---- made anew; assigned to *out ----
Status text_overlay(std::string_view text, std::string_view with, int32_t start, std::optional<int32_t> length,
                    std::string* out);
Status text_pad(std::string_view text, int32_t length, std::string_view fill, bool left, std::string* out);
void text_translate(std::string_view text, std::string_view from, std::string_view to, std::string* out);
void text_reverse(std::string_view text, std::string* out);
void text_replace(std::string_view text, std::string_view from, std::string_view to, std::string* out);
Status text_repeat(std::string_view text, int32_t count, std::string* out);
/// Simple case mapping of every character (C.UTF-8).
void text_upper(std::string_view text, std::string* out);
void text_lower(std::string_view text, std::string* out);
void text_initcap(std::string_view text, std::string* out);
/// chr(n). Errors: 54000, 22023 as PostgreSQL's.
Status text_chr(int32_t code, std::string* out);
int32_t text_ascii(std::string_view text);
void text_to_hex(uint64_t value, std::string* out);

// ---- quoting ----
/// True for a name that needs no quotes: lower case, not a reserved word.
void append_quoted_ident(std::string_view name, std::string* out);
void append_quoted_literal(std::string_view text, std::string* out);
/// format(format, arguments...): %s %I %L, positions, widths. nullopt is SQL null. Errors: 22023.
Status text_format(std::string_view format, std::span<const std::optional<std::string_view>> arguments,
                   std::string* out);

// ---- digests and encodings ----
void append_md5_hex(std::string_view bytes, std::string* out);
enum class Sha : uint16_t { k224 = 224, k256 = 256, k384 = 384, k512 = 512 };
std::string sha_digest(Sha kind, std::string_view bytes);
/// encode(bytea, format) and decode(text, format): hex, base64, escape. Errors: 22023 `unrecognized encoding: "x"`, 22023 for bad input.
Status encode_bytes(std::string_view bytes, std::string_view format, std::string* out);
Status decode_bytes(std::string_view text, std::string_view format, std::string* out);

// ---- SIMILAR TO ----
/// similar_to_escape: the regular expression of a SIMILAR TO pattern; `escape` nullptr: backslash. Errors: 22019.
Status similar_to_regex(std::string_view pattern, const std::string_view* escape, std::string* out);

uint32_t unicode_lower(uint32_t c);
uint32_t unicode_upper(uint32_t c);
bool unicode_is_alnum(uint32_t c);
bool unicode_is_alpha(uint32_t c);
bool unicode_is_space(uint32_t c);
bool unicode_is_upper(uint32_t c);
bool unicode_is_lower(uint32_t c);
bool unicode_is_punct(uint32_t c);

}  // namespace omendb::types
