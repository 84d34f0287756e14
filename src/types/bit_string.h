// bit and bit varying: a value lies as its text, '0' and '1' characters, so its length is in bits and its byte order is the type's.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace omendb::types {

/// '0101', 'b0101', 'x5'. typmod: the length (bit) or the greatest length (varying); negative: any. Errors: 22P02, 22026, 22001.
Status parse_bits(std::string_view text, int32_t typmod, bool varying, std::string* out);
/// A value brought to a length: an explicit cast cuts, or fills with zeros (bit); an assignment must fit. Errors: 22026, 22001.
Status fit_bits(std::string_view bits, int32_t length, bool varying, bool explicit_cast, std::string* out);
/// The low `length` bits of a number, its sign extended; length < 1 counts as 1.
std::string bits_of_integer(int64_t value, int32_t length);
/// The number that at most `width` bits make. Errors: 22003.
Status bits_to_integer(std::string_view bits, int width, int64_t* out);
/// Binary form: the number of bits as int32, then the bits, the first one on top.
void send_bits(std::string_view bits, std::string* out);
Status receive_bits(std::string_view bytes, int32_t typmod, bool varying, std::string* out);

}  // namespace omendb::types
