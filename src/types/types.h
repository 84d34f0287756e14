// types/: what the values of PostgreSQL's types are and what may be done with them, without a database around them.
//
//   type.h        the built-in types, their physical forms, typmods
//   value.h       one value and a column of values, as every folder hands them on
//   io.h          text and binary forms of every type: input, output, receive, send;  scalar.h: of the simple types, for who knows the type
//   compare.h     the order and equality of values;  fixed_width.h: how wide they are where they lie one after the other
//   numeric.h     exact decimals of any size, with PostgreSQL's display scale;  numeric_sum.h: sum, avg, variance and stddev of them
//   datetime.h    date, time, timestamp, interval;  timezone.h: their zones;  formatting.h: to_char and its family
//   range.h       ranges;  multirange.h: several of them as one value
//   array.h       arrays;  record.h: rows as values;  json.h: json and jsonb;  json_populate.h: json into values of SQL types
//   text.h        strings;  utf8.h: their characters;  bit_string.h: bit and bit varying;  regex.h: PostgreSQL's regular expressions
//
// What the folder promises:
//  1. A value's bytes are canonical where the type's equality is equality of text: equal jsonb values have equal bytes, and equal
//     numerics have equal key parts (numeric_key). Whoever hashes or compares bytes may rely on it.
//  2. Input, output and every function answer as PostgreSQL 15 does, digit for digit and message for message; what is not
//     there yet answers 0A000 and names itself. Nothing here depends on the process's locale: text orders by bytes (C collation).
//  3. Functions keep no state between calls and take no lock, but for two caches (time zones, compiled regular expressions).
//     Every function may be called from any thread.
//  4. Functions take views, append to the caller's string, and return a Status; they do not throw and do not keep a view.
//  5. output(input(text)) is the canonical text of the value, and input(output(value)) is the value, under the same settings, but where
//     PostgreSQL's own are ambiguous: dates in a style other than ISO with the order YMD, and zones by abbreviation.
#pragma once

#include "types/io.h"
#include "types/type.h"
#include "types/value.h"
