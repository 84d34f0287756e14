// The index beside absl::btree_map, interleaved in one process: one JSON object a line on standard output.
//
//   index_bench [--json] [--n N] [--rounds R] [--case SUBSTRING] [--words | --strings]
//
// Cases are DATASET/OPERATION: --case uniform/insert runs one, --case uniform all of a set, --case /lookup
// one operation of all sets. Each round builds and runs ours, then theirs, on the same keys in the same
// order; the ratio is the median of the rounds' ratios, of thread CPU time. Concurrency control is on;
// lookups pin an epoch a thousand at a time, as a statement does.
#include <absl/container/btree_map.h>
#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "index/core.h"
#include "index/index.h"
#include "index/node_memory.h"
#include "index/record_memory.h"

namespace {

using omendb::index::Core;
using omendb::index::EpochGuard;
using omendb::index::OrderedIndex;
using omendb::index::Pair;
using omendb::index::Verdict;
using Tree = absl::btree_map<uint64_t, uint64_t>;
using Random = std::mt19937_64;

double cpu_seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v.empty() ? 0 : v.size() % 2 ? v[v.size() / 2] : (v[v.size() / 2 - 1] + v[v.size() / 2]) / 2;
}

double nanoseconds_each(double seconds, size_t count) { return seconds * 1e9 / static_cast<double>(count); }

uint64_t sink;

struct Options {
  size_t n = 1000000;
  int rounds = 5;
  std::string only;
  bool words = true, strings = true;
} options;

bool wanted(const std::string& name) { return options.only.empty() || name.find(options.only) != std::string::npos; }
template <class... Operation>
bool wants_any(const std::string& set, const Operation*... operation) {
  return (wanted(set + "/" + operation) || ...);
}

void report(const std::string& name, const char* metric, const char* unit, const char* peer, size_t n,
            const std::vector<double>& ours, const std::vector<double>& theirs) {
  if (ours.empty() || !wanted(name)) return;
  std::vector<double> ratios;
  for (size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / theirs[i]);
  std::printf(
      "{\"suite\":\"index\",\"case\":\"%s\",\"n\":%zu,\"metric\":\"%s\",\"unit\":\"%s\",\"peer\":\"%s\","
      "\"ours\":%.2f,\"theirs\":%.2f,\"ratio\":%.3f,\"better\":\"lower\",\"samples\":%zu}\n",
      name.c_str(), n, metric, unit, peer, median(ours), median(theirs), median(ratios), ours.size());
  std::fflush(stdout);
}

struct DataSet {
  std::string name;
  std::vector<uint64_t> sorted;
  std::vector<uint64_t> arrival;  // the order in which keys come, where that matters
};

void finish(DataSet& set) {
  if (set.name == "tenants") set.arrival = set.sorted;
  std::sort(set.sorted.begin(), set.sorted.end());
  set.sorted.erase(std::unique(set.sorted.begin(), set.sorted.end()), set.sorted.end());
  if (set.arrival.empty()) set.arrival = set.sorted;
}

DataSet make_set(const std::string& name, size_t n) {
  DataSet set{name, {}, {}};
  Random random(42);
  std::vector<uint64_t>& k = set.sorted;
  k.reserve(n);
  if (name == "sequential") {
    for (size_t i = 0; i < n; ++i) k.push_back(i);
  } else if (name == "uniform" || name == "zipf") {
    while (k.size() < n) k.push_back(random() >> 1);
  } else if (name == "lognormal") {
    std::lognormal_distribution<double> d(0, 2);
    while (k.size() < n) {
      while (k.size() < n + n / 50) k.push_back(static_cast<uint64_t>(d(random) * 1e9 * (n > 3000000 ? 64 : 1)));
      std::sort(k.begin(), k.end());
      k.erase(std::unique(k.begin(), k.end()), k.end());
    }
    std::shuffle(k.begin(), k.end(), random);
    k.resize(n);
  } else if (name == "bursty") {
    uint64_t now = 1700000000000000;
    std::exponential_distribution<double> length(1.0 / 200);
    std::uniform_real_distribution<double> u(1e-9, 1);
    while (k.size() < n) {
      for (int i = static_cast<int>(length(random)) + 1; i > 0 && k.size() < n; --i)
        k.push_back(now += 1 + random() % 20);
      now += static_cast<uint64_t>(std::min(3.6e9, 1e4 * std::pow(u(random), -1.2)));
    }
  } else if (name == "tenants") {  // ten of them, each counting for itself
    std::vector<uint64_t> next(10, 0);
    for (size_t i = 0; i < n; ++i) {
      const uint64_t tenant = random() % 10;
      k.push_back((tenant << 40) + next[tenant]++);
    }
  } else {  // clustered: (64 tenants, id) in one word, and a few far keys
    for (size_t i = 0; i < n; ++i) k.push_back((i % 64 << 56) + i / 64 * (1 + i % 3));
  }
  finish(set);
  return set;
}

struct Ours {
  Core core;
  static constexpr const char* kName = "ours";
  void load(const std::vector<uint64_t>& keys) {
    size_t i = 0;
    core.bulk_load([&](Pair* pair) {
      if (i == keys.size()) return false;
      *pair = {keys[i], keys[i]};
      ++i;
      return true;
    });
  }
  bool find(uint64_t key, uint64_t* value) { return core.find(key, value); }
  bool find_pinned(uint64_t key, uint64_t* value) { return core.find_pinned(key, value); }
  void insert(uint64_t key) {
    core.apply(key, [&](const uint64_t* present, uint64_t* value) {
      *value = key;
      return present == nullptr ? Verdict::kStore : Verdict::kKeep;
    });
  }
  void erase(uint64_t key) {
    core.apply(key, [](const uint64_t*, uint64_t*) { return Verdict::kErase; });
  }
  uint64_t scan(uint64_t from, size_t n) {
    Pair out[128];
    size_t got;
    uint64_t next;
    core.scan_forward(from, n, out, &got, &next);
    uint64_t sum = 0;
    for (size_t i = 0; i < got; ++i) sum += out[i].payload;
    return sum;
  }
};

struct Theirs {
  Tree tree;
  static constexpr const char* kName = "absl::btree_map";
  void load(const std::vector<uint64_t>& keys) {
    for (uint64_t key : keys) tree.emplace_hint(tree.end(), key, key);
  }
  bool find(uint64_t key, uint64_t* value) {
    const auto it = tree.find(key);
    if (it == tree.end()) return false;
    *value = it->second;
    return true;
  }
  bool find_pinned(uint64_t key, uint64_t* value) { return find(key, value); }
  void insert(uint64_t key) { tree.emplace(key, key); }
  void erase(uint64_t key) { tree.erase(key); }
  uint64_t scan(uint64_t from, size_t n) {
    uint64_t sum = 0;
    for (auto it = tree.lower_bound(from); it != tree.end() && n > 0; ++it, --n) sum += it->second;
    return sum;
  }
};

size_t allocated() {
  return mallinfo2().uordblks + mallinfo2().hblkhd + omendb::index::node_memory().used +
         omendb::index::record_memory_used();
}

struct Measured {
  std::vector<double> bulk, lookup, batch, dependent, scan, insert, append, erase, bytes_bulk, bytes_grown,
      bytes_halved, p9999, longest;
};

std::vector<uint64_t> zipf_ranks(size_t n, size_t count, Random& random) {
  // Gray et al.'s generator, theta 0.99.
  const double theta = 0.99;
  double zeta = 0;
  for (size_t i = 1; i <= n; ++i) zeta += 1.0 / std::pow(static_cast<double>(i), theta);
  const double alpha = 1 / (1 - theta), zeta2 = 1 + std::pow(0.5, theta);
  const double eta = (1 - std::pow(2.0 / static_cast<double>(n), 1 - theta)) / (1 - zeta2 / zeta);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<uint64_t> ranks(count);
  for (auto& rank : ranks) {
    const double u = uniform(random), uz = u * zeta;
    rank = uz < 1       ? 0
           : uz < zeta2 ? 1
                        : static_cast<uint64_t>(static_cast<double>(n) * std::pow(eta * u - eta + 1, alpha));
    rank = rank * 0x9E3779B97F4A7C15 % n;  // popular keys lie anywhere
  }
  return ranks;
}

template <class Map>
void run_loaded(const DataSet& set, const std::vector<uint64_t>& ranks, Random& random, Measured* m) {
  const std::vector<uint64_t>& keys = set.sorted;
  const size_t n = keys.size(), probes = std::min<size_t>(n, 1000000);
  std::vector<uint64_t> asked(probes);
  for (size_t i = 0; i < probes; ++i) asked[i] = keys[ranks.empty() ? random() % n : ranks[i]];
  uint64_t value = 0;
  uint64_t& sum = sink;
  const size_t before = allocated();
  auto map = std::make_unique<Map>();
  double t = cpu_seconds();
  map->load(keys);
  m->bulk.push_back(nanoseconds_each(cpu_seconds() - t, n));
  m->bytes_bulk.push_back(static_cast<double>(allocated() - before) / static_cast<double>(n) - 16);
  if (wants_any(set.name, "lookup")) {  // and its kin
    for (uint64_t key : asked) sum += map->find(key, &value);
    t = cpu_seconds();
    for (size_t i = 0; i < probes;) {
      EpochGuard statement;
      for (const size_t end = std::min(probes, i + 1000); i < end; ++i)
        sum += map->find_pinned(asked[i], &value) ? value : 1;
    }
    m->lookup.push_back(nanoseconds_each(cpu_seconds() - t, probes));
    t = cpu_seconds();
    for (size_t i = 0; i < probes; ++i) sum += value = map->find(asked[(i + (value & 1)) % probes], &value) ? value : 1;
    m->dependent.push_back(nanoseconds_each(cpu_seconds() - t, probes));
    if constexpr (std::is_same_v<Map, Ours>) {
      uint64_t payloads[1000];
      bool found[1000];
      t = cpu_seconds();
      for (size_t i = 0; i + 1000 <= probes; i += 1000) sum += map->core.find_many(&asked[i], 1000, payloads, found);
      m->batch.push_back(nanoseconds_each(cpu_seconds() - t, probes / 1000 * 1000));
    } else {
      m->batch.push_back(m->lookup.back());
    }
  }
  if (!ranks.empty()) return;  // the other operations choose no keys
  if (wants_any(set.name, "scan100")) {
    const size_t scans = std::min<size_t>(probes, 100000);
    t = cpu_seconds();
    for (size_t i = 0; i < scans; ++i) sum += map->scan(asked[i], 100);
    m->scan.push_back(nanoseconds_each(cpu_seconds() - t, scans));
  }
  if (wants_any(set.name, "delete", "memory_halved")) {
    const size_t held = allocated();
    std::vector<uint64_t> order = keys;
    std::shuffle(order.begin(), order.end(), random);
    const size_t borrowed = allocated() - held;
    order.resize(n / 2);
    t = cpu_seconds();
    for (uint64_t key : order) map->erase(key);
    m->erase.push_back(nanoseconds_each(cpu_seconds() - t, order.size()));
    omendb::index::epoch_reclaim();
    m->bytes_halved.push_back(static_cast<double>(allocated() - before - borrowed) / static_cast<double>(n - n / 2));
  }
}

// Half of the keys, or all but a million, are there; the others come in random order.
template <class Map>
void run_insert(const DataSet& set, Random& random, Measured* m) {
  const size_t n = set.sorted.size();
  std::vector<uint64_t> order = set.sorted;
  std::shuffle(order.begin(), order.end(), random);
  std::vector<uint64_t> half(order.begin(), order.begin() + static_cast<ptrdiff_t>(n / 2));
  std::sort(half.begin(), half.end());
  const size_t borrowed = allocated();
  auto map = std::make_unique<Map>();
  map->load(half);
  const double t = cpu_seconds();
  for (size_t i = n / 2; i < n; ++i) map->insert(order[i]);
  m->insert.push_back(nanoseconds_each(cpu_seconds() - t, n - n / 2));
  omendb::index::epoch_reclaim();
  m->bytes_grown.push_back(static_cast<double>(allocated() - borrowed) / static_cast<double>(n) - 16);
}

template <class Map>
void run_insert_tail(const DataSet& set, Random& random, Measured* m) {
  const size_t n = set.sorted.size(), timed = std::min<size_t>(n / 2, 1000000);
  std::vector<uint64_t> order = set.sorted;
  std::shuffle(order.begin(), order.end(), random);
  std::vector<uint64_t> rest(order.begin() + static_cast<ptrdiff_t>(timed), order.end());
  std::sort(rest.begin(), rest.end());
  auto map = std::make_unique<Map>();
  map->load(rest);
  std::vector<double> took(timed);
  for (size_t i = 0; i < timed; ++i) {
    const double t = cpu_seconds();
    map->insert(order[i]);
    took[i] = (cpu_seconds() - t) * 1e6;
  }
  std::sort(took.begin(), took.end());
  m->p9999.push_back(took[timed - 1 - timed / 10000]);
  m->longest.push_back(took.back());
}

template <class Map>
void run(const DataSet& set, const std::vector<uint64_t>& ranks, Random random, Measured* m) {
  if (wants_any(set.name, "lookup", "lookup_batch", "lookup_dependent", "scan100", "delete", "bulk_load", "memory_bulk",
                "memory_halved")) {
    run_loaded<Map>(set, ranks, random, m);
  }
  omendb::index::epoch_reclaim();
  if (!ranks.empty()) return;
  if (wants_any(set.name, "insert", "memory_grown")) run_insert<Map>(set, random, m);
  omendb::index::epoch_reclaim();
  if (wants_any(set.name, "append")) {
    auto map = std::make_unique<Map>();
    const double t = cpu_seconds();
    for (uint64_t key : set.arrival) map->insert(key);
    m->append.push_back(nanoseconds_each(cpu_seconds() - t, set.arrival.size()));
  }
  omendb::index::epoch_reclaim();
  if (wants_any(set.name, "insert_p9999", "insert_max")) run_insert_tail<Map>(set, random, m);
  omendb::index::epoch_reclaim();
}

void run_words() {
  for (const char* name : {"sequential", "uniform", "lognormal", "bursty", "tenants", "clustered", "zipf"}) {
    if (!wants_any(name, "lookup", "lookup_batch", "lookup_dependent", "scan100", "bulk_load", "insert", "append",
                   "delete", "insert_p9999", "insert_max", "memory_bulk", "memory_grown", "memory_halved")) {
      continue;
    }
    const DataSet set = make_set(name, options.n);
    const size_t n = set.sorted.size();
    Random random(7);
    std::vector<uint64_t> ranks;
    if (set.name == "zipf") ranks = zipf_ranks(n, std::min<size_t>(n, 1000000), random);
    Measured ours, theirs;
    for (int round = 0; round < options.rounds; ++round) {
      run<Ours>(set, ranks, Random(round), &ours);
      run<Theirs>(set, ranks, Random(round), &theirs);
    }
    const auto line = [&](const char* operation, const char* metric, const char* unit, const std::vector<double>& a,
                          const std::vector<double>& b) {
      report(std::string(name) + "/" + operation, metric, unit, Theirs::kName, n, a, b);
    };
    line("lookup", "time", "ns", ours.lookup, theirs.lookup);
    line("lookup_batch", "time", "ns", ours.batch, theirs.batch);
    line("lookup_dependent", "time", "ns", ours.dependent, theirs.dependent);
    line("scan100", "time", "ns", ours.scan, theirs.scan);
    line("bulk_load", "time", "ns", ours.bulk, theirs.bulk);
    line("insert", "time", "ns", ours.insert, theirs.insert);
    line("append", "time", "ns", ours.append, theirs.append);
    line("delete", "time", "ns", ours.erase, theirs.erase);
    line("insert_p9999", "cpu_time", "us", ours.p9999, theirs.p9999);
    line("insert_max", "cpu_time", "us", ours.longest, theirs.longest);
    line("memory_bulk", "bytes_beyond_pair", "bytes", ours.bytes_bulk, theirs.bytes_bulk);
    line("memory_grown", "bytes_beyond_pair", "bytes", ours.bytes_grown, theirs.bytes_grown);
    line("memory_halved", "bytes_a_live_key", "bytes", ours.bytes_halved, theirs.bytes_halved);
  }
}

std::string hex(uint64_t v, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%0*llx", digits, static_cast<unsigned long long>(v));
  return std::string(text + std::strlen(text) - digits);
}

std::vector<std::string> make_strings(const std::string& name, size_t n) {
  Random random(42);
  std::vector<std::string> keys;
  keys.reserve(n);
  std::vector<std::string> hosts;
  for (int i = 0; i < 2000; ++i) {
    std::string host = i % 3 == 0 ? "https://www." : "https://";
    for (uint64_t c = 4 + random() % 10; c > 0; --c) host += static_cast<char>('a' + random() % 26);
    hosts.push_back(host + (i % 2 ? ".com/" : ".org/"));
  }
  while (keys.size() < n) {
    if (name == "uuid") {
      keys.push_back(hex(random(), 8) + "-" + hex(random(), 4) + "-4" + hex(random(), 3) + "-a" + hex(random(), 3) +
                     "-" + hex(random(), 12));
    } else if (name == "composite") {
      keys.push_back("tenant-" + hex(random() % 50, 4) + "/order/" + std::to_string(1000000 + random() % (n * 2)));
    } else {
      const double u = static_cast<double>(random() % 1000000) / 1e6;
      keys.push_back(hosts[static_cast<size_t>(u * u * static_cast<double>(hosts.size()))] + "item/" +
                     std::to_string(random() % 100000) + "?page=" + std::to_string(random() % 1000));
    }
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

void run_strings() {
  using Map = absl::btree_map<std::string, uint64_t, std::less<>>;
  for (const char* name : {"uuid", "composite", "url"}) {
    if (!wants_any(name, "lookup", "insert", "scan100", "memory")) continue;
    const std::vector<std::string> keys = make_strings(name, options.n);
    std::vector<double> find_a, find_b, insert_a, insert_b, bytes_a, bytes_b, scan_a, scan_b, keys_a, keys_b;
    for (int round = 0; round < options.rounds; ++round) {
      Random random(round);
      std::vector<std::string_view> order(keys.begin(), keys.end());
      std::shuffle(order.begin(), order.end(), random);
      std::vector<std::string_view> asked(std::min<size_t>(keys.size(), 500000));
      for (auto& key : asked) key = keys[random() % keys.size()];
      {
        const size_t before = allocated();
        OrderedIndex index;
        double t = cpu_seconds();
        for (size_t i = 0; i < order.size(); ++i) index.insert(order[i], i);
        insert_a.push_back(nanoseconds_each(cpu_seconds() - t, order.size()));
        omendb::index::epoch_reclaim();
        bytes_a.push_back(static_cast<double>(allocated() - before) / static_cast<double>(keys.size()));
        t = cpu_seconds();
        for (size_t i = 0; i < asked.size();) {
          EpochGuard statement;
          for (const size_t end = std::min(asked.size(), i + 1000); i < end; ++i) sink += *index.find(asked[i]);
        }
        find_a.push_back(nanoseconds_each(cpu_seconds() - t, asked.size()));
        t = cpu_seconds();
        auto cursor = index.cursor(100, omendb::index::Keys::kPinned);  // who scans says how much it wants
        for (size_t i = 0; i < 20000; ++i) {
          EpochGuard statement;
          int left = 100;  // nobody steps beyond the last one he wants: that would read the next batch
          for (bool there = cursor.seek(asked[i % asked.size()]); there; there = --left > 0 && cursor.next())
            sink += cursor.payload();
        }
        scan_a.push_back(nanoseconds_each(cpu_seconds() - t, 20000));
        t = cpu_seconds();
        auto copying = index.cursor(100);
        for (size_t i = 20000; i < 40000; ++i) {
          int left = 100;
          for (bool there = copying.seek(asked[i % asked.size()]); there; there = --left > 0 && copying.next())
            sink += copying.payload() + static_cast<uint64_t>(copying.key().back());
        }
        keys_a.push_back(nanoseconds_each(cpu_seconds() - t, 20000));
      }
      omendb::index::epoch_reclaim();
      {
        const size_t before = allocated();
        Map map;
        double t = cpu_seconds();
        for (size_t i = 0; i < order.size(); ++i) map.emplace(order[i], i);
        insert_b.push_back(nanoseconds_each(cpu_seconds() - t, order.size()));
        bytes_b.push_back(static_cast<double>(allocated() - before) / static_cast<double>(keys.size()));
        t = cpu_seconds();
        for (const auto& key : asked) sink += map.find(key)->second;
        find_b.push_back(nanoseconds_each(cpu_seconds() - t, asked.size()));
        t = cpu_seconds();
        for (size_t i = 0; i < 20000; ++i) {
          int left = 100;
          for (auto it = map.lower_bound(asked[i % asked.size()]); it != map.end() && left > 0; ++it, --left)
            sink += it->second;
        }
        scan_b.push_back(nanoseconds_each(cpu_seconds() - t, 20000));
        t = cpu_seconds();
        for (size_t i = 20000; i < 40000; ++i) {
          int left = 100;
          for (auto it = map.lower_bound(asked[i % asked.size()]); it != map.end() && left > 0; ++it, --left)
            sink += it->second + static_cast<uint64_t>(it->first.back());
        }
        keys_b.push_back(nanoseconds_each(cpu_seconds() - t, 20000));
      }
    }
    const char* peer = "absl::btree_map<std::string>";
    report(std::string(name) + "/lookup", "time", "ns", peer, keys.size(), find_a, find_b);
    report(std::string(name) + "/insert", "time", "ns", peer, keys.size(), insert_a, insert_b);
    report(std::string(name) + "/scan100", "time", "ns", peer, keys.size(), scan_a, scan_b);
    report(std::string(name) + "/scan100_keys", "time", "ns", peer, keys.size(), keys_a, keys_b);
    report(std::string(name) + "/memory", "bytes_a_key", "bytes", peer, keys.size(), bytes_a, bytes_b);
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : "";
    if (word == "--n") {
      options.n = std::strtoull(value, nullptr, 10), ++i;
    } else if (word == "--rounds") {
      options.rounds = std::atoi(value), ++i;
    } else if (word == "--case") {
      options.only = value, ++i;
    } else if (word == "--words") {
      options.strings = false;
    } else if (word == "--strings") {
      options.words = false;
    } else if (word != "--json") {
      std::fprintf(stderr,
                   "usage: index_bench [--json] [--n N] [--rounds R] [--case SUBSTRING] [--words | --strings]\n");
      return word == "--help" ? 0 : 2;
    }
  }
  if (options.words) run_words();
  if (options.strings) run_strings();
  return sink == 42 ? 1 : 0;
}
