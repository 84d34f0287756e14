// TPC-H's data (specification 3.0.1, clause 4.2), table by table, in COPY's text format.
//
//   tpch_generate TABLE SCALE [FIRST LAST]
//
// Cardinalities, value domains, keys and their dependencies (sparse order keys, the supplier of a part, order status and price
// from the lines) follow the specification; the random numbers are our own, so rows differ from those of dbgen. The same
// arguments give the same bytes on every machine. orders and lineitem derive from one generator, order by order.
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

class Random {
 public:
  Random(uint64_t table, uint64_t row) : state_(table * 0x9E3779B97F4A7C15ull + row * 0xD1B54A32D192ED03ull + 1) {
    next();
    next();
  }
  uint64_t next() {  // SplitMix64
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  /// Uniform in [low, high].
  int64_t between(int64_t low, int64_t high) {
    auto range = static_cast<uint64_t>(high - low + 1);
    return low + static_cast<int64_t>((static_cast<unsigned __int128>(next()) * range) >> 64);
  }
  template <size_t N>
  const char* pick(const std::array<const char*, N>& list) {
    return list[static_cast<size_t>(between(0, N - 1))];
  }

 private:
  uint64_t state_;
};

constexpr std::array<const char*, 92> kColours = {
    "almond", "antique", "aquamarine", "azure", "beige", "bisque", "black", "blanched", "blue", "blush", "brown",
    "burlywood", "burnished", "chartreuse", "chiffon", "chocolate", "coral", "cornflower", "cornsilk", "cream", "cyan",
    "dark", "deep", "dim", "dodger", "drab", "firebrick", "floral", "forest", "frosted", "gainsboro", "ghost",
    "goldenrod", "green", "grey", "honeydew", "hot", "indian", "ivory", "khaki", "lace", "lavender", "lawn", "lemon",
    "light", "lime", "linen", "magenta", "maroon", "medium", "metallic", "midnight", "mint", "misty", "moccasin",
    "navajo", "navy", "olive", "orange", "orchid", "pale", "papaya", "peach", "peru", "pink", "plum", "powder", "puff",
    "purple", "red", "rose", "rosy", "royal", "saddle", "salmon", "sandy", "seashell", "sienna", "sky", "slate",
    "smoke", "snow", "spring", "steel", "tan", "thistle", "tomato", "turquoise", "violet", "wheat", "white", "yellow"};
constexpr std::array<const char*, 6> kTypes1 = {"STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO"};
constexpr std::array<const char*, 5> kTypes2 = {"ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED"};
constexpr std::array<const char*, 5> kTypes3 = {"TIN", "NICKEL", "BRASS", "STEEL", "COPPER"};
constexpr std::array<const char*, 5> kContainers1 = {"SM", "LG", "MED", "JUMBO", "WRAP"};
constexpr std::array<const char*, 8> kContainers2 = {"CASE", "BOX", "BAG", "JAR", "PKG", "PACK", "CAN", "DRUM"};
constexpr std::array<const char*, 5> kSegments = {"AUTOMOBILE", "BUILDING", "FURNITURE", "MACHINERY", "HOUSEHOLD"};
constexpr std::array<const char*, 5> kPriorities = {"1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"};
constexpr std::array<const char*, 4> kInstructions = {"DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"};
constexpr std::array<const char*, 7> kModes = {"REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"};
constexpr std::array<const char*, 5> kRegions = {"AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"};
struct Nation {
  const char* name;
  int region;
};
constexpr std::array<Nation, 25> kNations = {{{"ALGERIA", 0}, {"ARGENTINA", 1}, {"BRAZIL", 1}, {"CANADA", 1},
    {"EGYPT", 4}, {"ETHIOPIA", 0}, {"FRANCE", 3}, {"GERMANY", 3}, {"INDIA", 2}, {"INDONESIA", 2}, {"IRAN", 4},
    {"IRAQ", 4}, {"JAPAN", 2}, {"JORDAN", 4}, {"KENYA", 0}, {"MOROCCO", 0}, {"MOZAMBIQUE", 0}, {"PERU", 1},
    {"CHINA", 2}, {"ROMANIA", 3}, {"SAUDI ARABIA", 4}, {"VIETNAM", 2}, {"RUSSIA", 3}, {"UNITED KINGDOM", 3},
    {"UNITED STATES", 1}}};

// The grammar of clause 4.2.2.14.
constexpr std::array<const char*, 33> kNouns = {"foxes", "ideas", "theodolites", "pinto beans", "instructions",
    "dependencies", "excuses", "platelets", "asymptotes", "courts", "dolphins", "multipliers", "sauternes", "warthogs",
    "frets", "dinos", "attainments", "somas", "Tiresias'", "patterns", "forges", "braids", "hockey players", "frays",
    "warhorses", "dugouts", "notornis", "epitaphs", "pearls", "tithes", "waters", "orbits", "requests"};
constexpr std::array<const char*, 40> kVerbs = {"sleep", "wake", "are", "cajole", "haggle", "nag", "use", "boost",
    "affix", "detect", "integrate", "maintain", "nod", "was", "lose", "sublate", "solve", "thrash", "promise", "engage",
    "hinder", "print", "x-ray", "breach", "eat", "grow", "impress", "mold", "poach", "serve", "run", "dazzle", "snooze",
    "doze", "unwind", "kindle", "play", "hang", "believe", "doubt"};
constexpr std::array<const char*, 29> kAdjectives = {"furious", "sly", "careful", "blithe", "quick", "fluffy", "slow",
    "quiet", "ruthless", "thin", "close", "dogged", "daring", "brave", "stealthy", "permanent", "enticing", "idle",
    "busy", "regular", "final", "ironic", "even", "bold", "silent", "special", "pending", "express", "unusual"};
constexpr std::array<const char*, 28> kAdverbs = {"sometimes", "always", "never", "furiously", "slyly", "carefully",
    "blithely", "quickly", "fluffily", "slowly", "quietly", "ruthlessly", "thinly", "closely", "doggedly", "daringly",
    "bravely", "stealthily", "permanently", "enticingly", "idly", "busily", "regularly", "finally", "ironically",
    "evenly", "boldly", "silently"};
constexpr std::array<const char*, 47> kPrepositions = {"about", "above", "according to", "across", "after", "against",
    "along", "alongside of", "among", "around", "at", "atop", "before", "behind", "beneath", "beside", "besides",
    "between", "beyond", "by", "despite", "during", "except", "for", "from", "in place of", "inside", "instead of",
    "into", "near", "of", "on", "outside", "over", "past", "since", "through", "throughout", "to", "toward", "under",
    "until", "up", "upon", "without", "with", "within"};
constexpr std::array<const char*, 18> kAuxiliaries = {"do", "may", "might", "shall", "will", "would", "can", "could",
    "should", "ought to", "must", "will have to", "shall have to", "could have to", "should have to", "must have to",
    "need to", "try to"};
constexpr std::array<const char*, 6> kTerminators = {".", ";", ":", "?", "!", "--"};

void noun_phrase(Random& random, std::string* out) {
  switch (random.between(0, 3)) {
    case 0: *out += random.pick(kNouns); break;
    case 1: (*out += random.pick(kAdjectives)) += ' '; *out += random.pick(kNouns); break;
    case 2: (*out += random.pick(kAdjectives)) += ", "; (*out += random.pick(kAdjectives)) += ' '; *out += random.pick(kNouns); break;
    default: (*out += random.pick(kAdverbs)) += ' '; (*out += random.pick(kAdjectives)) += ' '; *out += random.pick(kNouns);
  }
}
void verb_phrase(Random& random, std::string* out) {
  switch (random.between(0, 3)) {
    case 0: *out += random.pick(kVerbs); break;
    case 1: (*out += random.pick(kAuxiliaries)) += ' '; *out += random.pick(kVerbs); break;
    case 2: (*out += random.pick(kVerbs)) += ' '; *out += random.pick(kAdverbs); break;
    default: (*out += random.pick(kAuxiliaries)) += ' '; (*out += random.pick(kVerbs)) += ' '; *out += random.pick(kAdverbs);
  }
}
void prepositional_phrase(Random& random, std::string* out) {
  (*out += random.pick(kPrepositions)) += " the ";
  noun_phrase(random, out);
}

/// A few megabytes of sentences; a comment is a piece of it.
const std::string& text_pool() {
  static const std::string pool = [] {
    std::string text;
    Random random(99, 0);
    while (text.size() < (8u << 20)) {
      noun_phrase(random, &text);
      text += ' ';
      int form = static_cast<int>(random.between(0, 4));
      if (form == 2 || form == 4) { prepositional_phrase(random, &text); text += ' '; }
      verb_phrase(random, &text);
      if (form == 1 || form == 3 || form == 4) { text += ' '; prepositional_phrase(random, &text); }
      if (form == 3) { text += ' '; noun_phrase(random, &text); }
      (text += random.pick(kTerminators)) += ' ';
    }
    return text;
  }();
  return pool;
}

void comment(Random& random, int low, int high, std::string* out) {
  auto length = static_cast<size_t>(random.between(low, high));
  const std::string& pool = text_pool();
  out->append(pool, static_cast<size_t>(random.between(0, static_cast<int64_t>(pool.size() - length))), length);
}
void v_string(Random& random, int low, int high, std::string* out) {
  static const char kAlphabet[] = "0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ,";
  for (auto n = random.between(low, high); n > 0; --n) out->push_back(kAlphabet[random.between(0, 63)]);
}
void phone(Random& random, int64_t nation, std::string* out) {
  char text[24];
  std::snprintf(text, sizeof(text), "%02d-%03d-%03d-%04d", static_cast<int>(nation + 10),
                static_cast<int>(random.between(100, 999)), static_cast<int>(random.between(100, 999)),
                static_cast<int>(random.between(1000, 9999)));
  *out += text;
}
void number(int64_t value, std::string* out) { *out += std::to_string(value); }
void cents(int64_t value, std::string* out) {
  if (value < 0) { out->push_back('-'); value = -value; }
  number(value / 100, out);
  out->push_back('.');
  out->push_back(static_cast<char>('0' + value / 10 % 10));
  out->push_back(static_cast<char>('0' + value % 10));
}
void date(int64_t day, std::string* out) {  // days since 1992-01-01 (H. Hinnant's civil_from_days)
  int64_t z = day + 8035 + 719468;
  int64_t era = z / 146097, doe = z - era * 146097;
  int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
  int64_t d = doy - (153 * mp + 2) / 5 + 1, m = mp < 10 ? mp + 3 : mp - 9, y = yoe + era * 400 + (m <= 2);
  char text[16];
  std::snprintf(text, sizeof(text), "%04d-%02d-%02d", static_cast<int>(y), static_cast<int>(m), static_cast<int>(d));
  *out += text;
}
constexpr int64_t kLastOrderDay = 2406 - 1;   // 1998-08-02: ENDDATE - 151 days
constexpr int64_t kCurrentDay = 1263;         // 1995-06-17

int64_t retail_price(int64_t part) { return 90000 + (part / 10) % 20001 + 100 * (part % 1000); }
int64_t supplier_of(int64_t part, int64_t i, int64_t suppliers) {
  return (part + i * (suppliers / 4 + (part - 1) / suppliers)) % suppliers + 1;
}

struct Scale {
  int64_t suppliers, parts, customers, orders, clerks;
  explicit Scale(double sf)
      : suppliers(static_cast<int64_t>(sf * 10000)), parts(static_cast<int64_t>(sf * 200000)),
        customers(static_cast<int64_t>(sf * 150000)), orders(static_cast<int64_t>(sf * 1500000)),
        clerks(std::max<int64_t>(1, static_cast<int64_t>(sf * 1000))) {}
};

/// One order with its lines; `orders` and `lines` receive rows when not null.
void order(const Scale& scale, int64_t i, std::string* orders, std::string* lines) {
  Random random(6, static_cast<uint64_t>(i));
  int64_t key = (i / 8) * 32 + i % 8 + 1;  // the first 8 of every 32 keys
  int64_t customer;
  do customer = random.between(1, scale.customers); while (customer % 3 == 0);
  int64_t day = random.between(0, kLastOrderDay), count = random.between(1, 7), total = 0, shipped = 0;
  for (int64_t line = 1; line <= count; ++line) {
    int64_t part = random.between(1, scale.parts);
    int64_t supplier = supplier_of(part, random.between(0, 3), scale.suppliers);
    int64_t quantity = random.between(1, 50), discount = random.between(0, 10), tax = random.between(0, 8);
    int64_t price = quantity * retail_price(part);
    int64_t ship = day + random.between(1, 121), commit = day + random.between(30, 90);
    int64_t receipt = ship + random.between(1, 30);
    bool open = ship > kCurrentDay;
    const char* flag = receipt <= kCurrentDay ? (random.between(0, 1) ? "R" : "A") : "N";
    total += price * (100 + tax) / 100 * (100 - discount) / 100;
    shipped += !open;
    const char* instruction = random.pick(kInstructions);
    const char* mode = random.pick(kModes);
    if (lines == nullptr) continue;
    Random words(7, static_cast<uint64_t>(key * 8 + line));
    for (int64_t v : {key, part, supplier, line, quantity}) { number(v, lines); lines->push_back('\t'); }
    for (int64_t v : {price, discount, tax}) { cents(v, lines); lines->push_back('\t'); }
    ((*lines += flag) += '\t') += open ? "O\t" : "F\t";
    for (int64_t v : {ship, commit, receipt}) { date(v, lines); lines->push_back('\t'); }
    (((*lines += instruction) += '\t') += mode) += '\t';
    comment(words, 10, 43, lines);
    lines->push_back('\n');
  }
  if (orders == nullptr) return;
  number(key, orders); orders->push_back('\t');
  number(customer, orders); orders->push_back('\t');
  *orders += shipped == count ? "F\t" : shipped == 0 ? "O\t" : "P\t";
  cents(total, orders); orders->push_back('\t');
  date(day, orders); orders->push_back('\t');
  (*orders += random.pick(kPriorities)) += '\t';
  char clerk[24];
  std::snprintf(clerk, sizeof(clerk), "Clerk#%09d\t0\t", static_cast<int>(random.between(1, scale.clerks)));
  *orders += clerk;
  comment(random, 19, 78, orders);
  orders->push_back('\n');
}

void part(int64_t key, std::string* out) {
  Random random(3, static_cast<uint64_t>(key));
  number(key, out); out->push_back('\t');
  std::array<int64_t, 5> chosen{};
  for (size_t i = 0; i < 5; ++i) {
    bool again;
    do {
      chosen[i] = random.between(0, 91);
      again = false;
      for (size_t j = 0; j < i; ++j) again |= chosen[j] == chosen[i];
    } while (again);
    (*out += kColours[static_cast<size_t>(chosen[i])]) += i < 4 ? ' ' : '\t';
  }
  int64_t maker = random.between(1, 5);
  *out += "Manufacturer#" + std::to_string(maker) + "\tBrand#" + std::to_string(maker * 10 + random.between(1, 5)) + "\t";
  (*out += random.pick(kTypes1)) += ' ';
  (*out += random.pick(kTypes2)) += ' ';
  (*out += random.pick(kTypes3)) += '\t';
  number(random.between(1, 50), out); out->push_back('\t');
  (*out += random.pick(kContainers1)) += ' ';
  (*out += random.pick(kContainers2)) += '\t';
  cents(retail_price(key), out); out->push_back('\t');
  comment(random, 5, 22, out);
  out->push_back('\n');
}

void supplier(int64_t key, std::string* out) {
  Random random(4, static_cast<uint64_t>(key));
  char name[64];
  std::snprintf(name, sizeof(name), "%lld\tSupplier#%09lld\t", static_cast<long long>(key), static_cast<long long>(key));
  *out += name;
  v_string(random, 10, 40, out); out->push_back('\t');
  int64_t nation = random.between(0, 24);
  number(nation, out); out->push_back('\t');
  phone(random, nation, out); out->push_back('\t');
  cents(random.between(-99999, 999999), out); out->push_back('\t');
  std::string text;
  comment(random, 25, 100, &text);
  // Clause 4.2.3: 5 suppliers of every 10,000 have complaints, 5 have recommendations.
  int64_t lot = (key * 7919) % 10000;
  if (lot < 10) {
    std::string planted = std::string("Customer ") + (lot < 5 ? "Complaints" : "Recommends");
    text.replace(0, std::min(text.size(), planted.size()), planted);
  }
  (*out += text) += '\n';
}

void customer(int64_t key, std::string* out) {
  Random random(5, static_cast<uint64_t>(key));
  char name[64];
  std::snprintf(name, sizeof(name), "%lld\tCustomer#%09lld\t", static_cast<long long>(key), static_cast<long long>(key));
  *out += name;
  v_string(random, 10, 40, out); out->push_back('\t');
  int64_t nation = random.between(0, 24);
  number(nation, out); out->push_back('\t');
  phone(random, nation, out); out->push_back('\t');
  cents(random.between(-99999, 999999), out); out->push_back('\t');
  (*out += random.pick(kSegments)) += '\t';
  comment(random, 29, 116, out);
  out->push_back('\n');
}

void partsupp(const Scale& scale, int64_t key, std::string* out) {
  Random random(8, static_cast<uint64_t>(key));
  for (int64_t i = 0; i < 4; ++i) {
    number(key, out); out->push_back('\t');
    number(supplier_of(key, i, scale.suppliers), out); out->push_back('\t');
    number(random.between(1, 9999), out); out->push_back('\t');
    cents(random.between(100, 100000), out); out->push_back('\t');
    comment(random, 49, 198, out);
    out->push_back('\n');
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: tpch_generate TABLE SCALE\n");
    return 2;
  }
  std::string_view table = argv[1];
  Scale scale(std::atof(argv[2]));
  int64_t count = table == "region" ? 5 : table == "nation" ? 25 : table == "supplier" ? scale.suppliers
                : table == "part" || table == "partsupp" ? scale.parts : table == "customer" ? scale.customers
                : table == "orders" || table == "lineitem" ? scale.orders : -1;
  if (count < 0 || scale.suppliers < 10) {
    std::fprintf(stderr, "tpch_generate: no table '%s', or a scale under 0.001\n", argv[1]);
    return 2;
  }
  std::string out;
  for (int64_t i = 0; i < count; ++i) {
    if (table == "orders") order(scale, i, &out, nullptr);
    else if (table == "lineitem") order(scale, i, nullptr, &out);
    else if (table == "part") part(i + 1, &out);
    else if (table == "supplier") supplier(i + 1, &out);
    else if (table == "customer") customer(i + 1, &out);
    else if (table == "partsupp") partsupp(scale, i + 1, &out);
    else {
      Random random(table == "region" ? 1 : 2, static_cast<uint64_t>(i));
      number(i, &out);
      out += '\t';
      if (table == "region") (out += kRegions[static_cast<size_t>(i)]) += '\t';
      else {
        const Nation& nation = kNations[static_cast<size_t>(i)];
        ((out += nation.name) += '\t') += std::to_string(nation.region) + "\t";
      }
      comment(random, 31, 114, &out);
      out += '\n';
    }
    if (out.size() > (1u << 20)) {
      if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size()) return 1;
      out.clear();
    }
  }
  return std::fwrite(out.data(), 1, out.size(), stdout) == out.size() && std::fflush(stdout) == 0 ? 0 : 1;
}
