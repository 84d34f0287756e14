// TPC-C's five transactions (specification 5.11, clause 2) and CH-benCHmark's queries over the wire, with libpq.
//
//   htap_driver CONNINFO run WAREHOUSES CLIENTS SECONDS ANALYSTS QUERIES SEED   one JSON object on stdout
//   htap_driver CONNINFO probe WRITES WAREHOUSES CLIENTS SEED                   freshness, beside CLIENTS of transactions
//
// Each client has a connection and no thinking time; the mix is that of clause 5.2.3, dealt as a deck. READ COMMITTED: what a
// transaction reads in order to write it, it updates or locks. A transaction refused with 40001 or 40P01 is made again and
// counted. QUERIES is the folder of 1.sql to 22.sql, or - for none; an analyst asks one after the other.
#include <libpq-fe.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <unordered_set>
#include <vector>

#include "population.h"

namespace {

using Clock = std::chrono::steady_clock;
using htap::Random;

double ms_since(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

struct Refused : std::runtime_error {
  explicit Refused(PGresult* result) : std::runtime_error(PQresultErrorMessage(result)) {
    const char* code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    state = code == nullptr ? "" : code;
  }
  std::string state;
  bool again() const { return state == "40001" || state == "40P01"; }
};

class Result {
 public:
  explicit Result(PGresult* result) : result_(result) {
    const ExecStatusType status = PQresultStatus(result_);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return;
    Refused refused(result_);
    PQclear(result_);
    throw refused;
  }
  Result(Result&& other) noexcept : result_(other.result_) { other.result_ = nullptr; }
  ~Result() { PQclear(result_); }
  int rows() const { return PQntuples(result_); }
  const char* text(int row, int column) const { return PQgetvalue(result_, row, column); }
  int64_t number(int row, int column) const { return std::atoll(text(row, column)); }
  double real(int row, int column) const { return std::atof(text(row, column)); }

 private:
  PGresult* result_;
};

class Connection {
 public:
  explicit Connection(const char* conninfo) : connection_(PQconnectdb(conninfo)) {
    if (PQstatus(connection_) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection_));
  }
  ~Connection() { PQfinish(connection_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Result execute(const std::string& sql) { return Result(PQexec(connection_, sql.c_str())); }
  /// Prepared at its first use, by its address.
  Result run(const char* sql, const std::vector<std::string>& values) {
    const std::string name = "s" + std::to_string(reinterpret_cast<uintptr_t>(sql));
    if (prepared_.insert(sql).second) Result(PQprepare(connection_, name.c_str(), sql, 0, nullptr));
    std::vector<const char*> pointers;
    for (const std::string& v : values) pointers.push_back(v.c_str());
    return Result(PQexecPrepared(connection_, name.c_str(), static_cast<int>(pointers.size()), pointers.data(), nullptr, nullptr, 0));
  }

 private:
  PGconn* connection_;
  std::unordered_set<const char*> prepared_;
};

std::string n(int64_t number) { return std::to_string(number); }
std::string amount(double value) {
  char out[40];
  std::snprintf(out, sizeof(out), "%.2f", value);
  return out;
}

enum Kind { kNewOrder, kPayment, kOrderStatus, kDelivery, kStockLevel, kKinds };
constexpr const char* kNames[kKinds] = {"new_order", "payment", "order_status", "delivery", "stock_level"};

/// One terminal.
class Client {
 public:
  Client(const char* conninfo, int64_t warehouses, uint64_t seed)
      : db_(conninfo), warehouses_(warehouses), home_(static_cast<int64_t>(seed) % warehouses + 1), random_(seed) {}

  void step() {
    if (deck_.empty()) {
      constexpr int kCards[kKinds] = {45, 43, 4, 4, 4};
      for (int kind = 0; kind < kKinds; ++kind) deck_.insert(deck_.end(), static_cast<size_t>(kCards[kind]), kind);
      for (size_t i = deck_.size() - 1; i > 0; --i) std::swap(deck_[i], deck_[static_cast<size_t>(random_.between(0, static_cast<int64_t>(i)))]);
    }
    const int kind = deck_.back();
    deck_.pop_back();
    const Random before = random_;
    const auto start = Clock::now();
    for (;;) {
      try {
        db_.execute("begin");
        const bool kept = transact(kind);
        db_.execute(kept ? "commit" : "rollback");
        break;
      } catch (const Refused& refused) {
        if (!refused.again()) throw std::runtime_error(std::string(kNames[kind]) + ": " + refused.what());
        ++retries;
        db_.execute("rollback");
        random_ = before;
      }
    }
    if (counting) latencies[kind].push_back(ms_since(start));
  }

  std::vector<double> latencies[kKinds];  // milliseconds
  uint64_t retries = 0;
  bool counting = true;

 private:
  bool transact(int kind) {
    switch (kind) {
      case kNewOrder: return new_order();
      case kPayment: return payment();
      case kOrderStatus: return order_status();
      case kDelivery: return delivery();
      default: return stock_level();
    }
  }
  int64_t district() { return random_.between(1, htap::kDistricts); }
  int64_t other_warehouse() {
    if (warehouses_ == 1) return home_;
    const int64_t w = random_.between(1, warehouses_ - 1);
    return w >= home_ ? w + 1 : w;
  }
  int64_t customer_number() { return random_.skewed(1023, htap::kCustomerRun, 1, htap::kCustomers); }
  /// Three of five by last name: the one in the middle, by first name.
  int64_t choose_customer(int64_t w, int64_t d) {
    if (random_.between(1, 100) > 60) return customer_number();
    const std::string last = htap::last_name(random_.skewed(255, htap::kLastNameRun, 0, 999));
    const Result found = db_.run("select c_id from customer where c_w_id = $1 and c_d_id = $2 and c_last = $3 order by c_first",
                                 {n(w), n(d), last});
    return found.rows() == 0 ? customer_number() : found.number((found.rows() + 1) / 2 - 1, 0);
  }

  bool new_order() {
    const int64_t d = district(), c = customer_number(), lines = random_.between(5, 15);
    const bool rolled_back = random_.one_in(100);
    struct Line {
      int64_t item, warehouse, quantity;
    };
    std::vector<Line> order;
    bool local = true;
    for (int64_t i = 0; i < lines; ++i) {
      Line line{random_.skewed(8191, htap::kItemRun, 1, htap::kItems), home_, random_.between(1, 10)};
      if (random_.one_in(100)) line.warehouse = other_warehouse();
      if (line.warehouse != home_) local = false;
      if (rolled_back && i + 1 == lines) line.item = htap::kItems + 1;
      order.push_back(line);
    }
    // Everybody takes the rows of stock in one order, so that nobody waits in a circle.
    std::stable_sort(order.begin(), order.end(), [](const Line& a, const Line& b) {
      return std::pair(a.item, a.warehouse) < std::pair(b.item, b.warehouse);
    });
    const std::string w = n(home_), ds = n(d), cs = n(c);
    const double w_tax = db_.run("select w_tax from warehouse where w_id = $1", {w}).real(0, 0);
    const Result next = db_.run("update district set d_next_o_id = d_next_o_id + 1 where d_w_id = $1 and d_id = $2 "
                                "returning d_next_o_id - 1, d_tax", {w, ds});
    const std::string o = next.text(0, 0);
    const double discount = db_.run("select c_discount, c_last, c_credit from customer where c_w_id = $1 and c_d_id = $2 and c_id = $3",
                                    {w, ds, cs}).real(0, 0);
    db_.run("insert into orders (o_id, o_d_id, o_w_id, o_c_id, o_entry_d, o_ol_cnt, o_all_local) "
            "values ($1, $2, $3, $4, localtimestamp, $5, $6)", {o, ds, w, cs, n(lines), local ? "1" : "0"});
    db_.run("insert into new_order (no_o_id, no_d_id, no_w_id) values ($1, $2, $3)", {o, ds, w});
    double total = 0;
    for (size_t i = 0; i < order.size(); ++i) {
      const Line& line = order[i];
      const Result item = db_.run("select i_price, i_name, i_data from item where i_id = $1", {n(line.item)});
      if (item.rows() == 0) return false;
      const Result stock = db_.run(kUpdateStock[d - 1], {n(line.quantity), line.warehouse == home_ ? "0" : "1", n(line.warehouse), n(line.item)});
      const double price = static_cast<double>(line.quantity) * item.real(0, 0);
      total += price;
      db_.run("insert into order_line (ol_o_id, ol_d_id, ol_w_id, ol_number, ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_dist_info) "
              "values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
              {o, ds, w, n(static_cast<int64_t>(i + 1)), n(line.item), n(line.warehouse), n(line.quantity), amount(price), stock.text(0, 1)});
    }
    shown_ = total * (1 - discount) * (1 + w_tax + next.real(0, 1));
    return true;
  }

  bool payment() {
    const int64_t d = district();
    int64_t customer_w = home_, customer_d = d;
    if (random_.between(1, 100) > 85) {
      customer_w = other_warehouse();
      customer_d = district();
    }
    const std::string paid = amount(static_cast<double>(random_.between(100, 500'000)) / 100);
    const std::string w = n(home_), ds = n(d), cw = n(customer_w), cd = n(customer_d);
    const Result warehouse = db_.run("update warehouse set w_ytd = w_ytd + $1 where w_id = $2 "
                                     "returning w_name, w_street_1, w_street_2, w_city, w_state, w_zip", {paid, w});
    const Result place = db_.run("update district set d_ytd = d_ytd + $1 where d_w_id = $2 and d_id = $3 "
                                 "returning d_name, d_street_1, d_street_2, d_city, d_state, d_zip", {paid, w, ds});
    const std::string c = n(choose_customer(customer_w, customer_d));
    const Result customer = db_.run(
        "update customer set c_balance = c_balance - $1, c_ytd_payment = c_ytd_payment + $1, c_payment_cnt = c_payment_cnt + 1 "
        "where c_w_id = $2 and c_d_id = $3 and c_id = $4 "
        "returning c_first, c_middle, c_last, c_street_1, c_street_2, c_city, c_state, c_zip, c_phone, c_since, c_credit_lim, "
        "c_discount, c_balance, c_credit", {paid, cw, cd, c});
    if (std::strcmp(customer.text(0, 13), "BC") == 0) {
      db_.run("update customer set c_data = substr($1 || c_data, 1, 500) where c_w_id = $2 and c_d_id = $3 and c_id = $4",
              {c + " " + cd + " " + cw + " " + ds + " " + w + " " + paid + " ", cw, cd, c});
    }
    db_.run("insert into history (h_c_id, h_c_d_id, h_c_w_id, h_d_id, h_w_id, h_date, h_amount, h_data) "
            "values ($1, $2, $3, $4, $5, localtimestamp, $6, $7)",
            {c, cd, cw, ds, w, paid, std::string(warehouse.text(0, 0)) + "    " + place.text(0, 0)});
    return true;
  }

  bool order_status() {
    const std::string w = n(home_);
    const int64_t d = district();
    const std::string c = n(choose_customer(home_, d)), ds = n(d);
    db_.run("select c_first, c_middle, c_last, c_balance from customer where c_w_id = $1 and c_d_id = $2 and c_id = $3", {w, ds, c});
    const Result order = db_.run("select o_id, o_entry_d, o_carrier_id from orders where o_w_id = $1 and o_d_id = $2 and o_c_id = $3 "
                                 "order by o_id desc limit 1", {w, ds, c});
    db_.run("select ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_delivery_d from order_line "
            "where ol_w_id = $1 and ol_d_id = $2 and ol_o_id = $3", {w, ds, order.text(0, 0)});
    return true;
  }

  bool delivery() {
    const std::string w = n(home_), carrier = n(random_.between(1, 10));
    for (int64_t district = 1; district <= htap::kDistricts; ++district) {
      const std::string d = n(district);
      const Result oldest = db_.run("select no_o_id from new_order where no_w_id = $1 and no_d_id = $2 order by no_o_id limit 1 for update", {w, d});
      if (oldest.rows() == 0) continue;  // none, or another delivery has just taken it
      const std::string o = oldest.text(0, 0);
      db_.run("delete from new_order where no_w_id = $1 and no_d_id = $2 and no_o_id = $3", {w, d, o});
      const Result order = db_.run("update orders set o_carrier_id = $1 where o_w_id = $2 and o_d_id = $3 and o_id = $4 returning o_c_id", {carrier, w, d, o});
      db_.run("update order_line set ol_delivery_d = localtimestamp where ol_w_id = $1 and ol_d_id = $2 and ol_o_id = $3", {w, d, o});
      const Result sum = db_.run("select sum(ol_amount) from order_line where ol_w_id = $1 and ol_d_id = $2 and ol_o_id = $3", {w, d, o});
      db_.run("update customer set c_balance = c_balance + $1, c_delivery_cnt = c_delivery_cnt + 1 "
              "where c_w_id = $2 and c_d_id = $3 and c_id = $4", {sum.text(0, 0), w, d, order.text(0, 0)});
    }
    return true;
  }

  bool stock_level() {
    const std::string w = n(home_), d = n(district());
    const int64_t next = db_.run("select d_next_o_id from district where d_w_id = $1 and d_id = $2", {w, d}).number(0, 0);
    db_.run("select count(distinct s_i_id) from order_line, stock where ol_w_id = $1 and ol_d_id = $2 and ol_o_id >= $3 and ol_o_id < $4 "
            "and s_w_id = $1 and s_i_id = ol_i_id and s_quantity < $5",
            {w, d, n(next - 20), n(next), n(random_.between(10, 20))});
    return true;
  }

#define HTAP_STOCK(number)                                                                                                    \
  "update stock set s_quantity = case when s_quantity >= $1 + 10 then s_quantity - $1 else s_quantity - $1 + 91 end, "        \
  "s_ytd = s_ytd + $1, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + $2 where s_w_id = $3 and s_i_id = $4 "     \
  "returning s_quantity, s_dist_" number ", s_data"
  static constexpr const char* kUpdateStock[] = {HTAP_STOCK("01"), HTAP_STOCK("02"), HTAP_STOCK("03"), HTAP_STOCK("04"),
                                                 HTAP_STOCK("05"), HTAP_STOCK("06"), HTAP_STOCK("07"), HTAP_STOCK("08"),
                                                 HTAP_STOCK("09"), HTAP_STOCK("10")};
#undef HTAP_STOCK

  Connection db_;
  const int64_t warehouses_, home_;
  Random random_;
  std::vector<int> deck_;
  double shown_ = 0;
};

std::vector<std::pair<int, std::string>> read_queries(const std::string& folder) {
  std::vector<std::pair<int, std::string>> out;
  for (int number = 1; number <= 22; ++number) {
    std::ifstream file(folder + "/" + std::to_string(number) + ".sql");
    std::stringstream text;
    text << file.rdbuf();
    if (file) out.emplace_back(number, text.str());
  }
  return out;
}

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<size_t>(share * static_cast<double>(values.size())))];
}

/// Runs `body` on threads of their own until stop; the first trouble ends all.
class Crew {
 public:
  template <class Body>
  void add(Body body) {
    threads_.emplace_back([this, body] {
      try {
        body(stop);
      } catch (const std::exception& trouble) {
        std::lock_guard lock(mutex_);
        if (trouble_.empty()) trouble_ = trouble.what();
        stop = true;
      }
    });
  }
  void wait(double seconds) {
    const auto start = Clock::now();
    while (!stop && ms_since(start) < seconds * 1000) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  void end() {
    stop = true;
    for (auto& t : threads_) t.join();
    threads_.clear();
    if (!trouble_.empty()) throw std::runtime_error(trouble_);
  }
  std::atomic<bool> stop{false};

 private:
  std::mutex mutex_;
  std::string trouble_;
  std::vector<std::thread> threads_;
};

void run(const char* conninfo, int64_t warehouses, int64_t clients, double seconds, int64_t analysts, const std::string& folder, uint64_t seed) {
  const auto queries = read_queries(folder);
  std::vector<std::unique_ptr<Client>> all;
  for (int64_t i = 0; i < clients; ++i) all.push_back(std::make_unique<Client>(conninfo, warehouses, seed * 1000 + static_cast<uint64_t>(i)));
  std::mutex mutex;
  std::map<int, std::vector<double>> times;
  Crew crew;
  std::atomic<bool> counting{false};
  for (auto& client : all) {
    crew.add([&client, &counting](const std::atomic<bool>& stop) {
      while (!stop) {
        client->counting = counting;
        client->step();
      }
    });
  }
  for (int64_t i = 0; i < analysts && !queries.empty(); ++i) {
    crew.add([&, i](const std::atomic<bool>& stop) {
      Connection db(conninfo);
      for (size_t at = static_cast<size_t>(i) * 7 % queries.size(); !stop; at = (at + 1) % queries.size()) {
        const auto start = Clock::now();
        db.execute(queries[at].second);
        const double ms = ms_since(start);
        std::lock_guard lock(mutex);
        times[queries[at].first].push_back(ms);
      }
    });
  }
  crew.wait(std::min(2.0, seconds / 4));
  counting = true;
  const auto start = Clock::now();
  crew.wait(seconds);
  counting = false;
  const double elapsed = ms_since(start) / 1000;
  crew.end();

  uint64_t total = 0, retries = 0;
  std::printf("{\"seconds\": %.3f, \"transactions\": {", elapsed);
  for (int kind = 0; kind < kKinds; ++kind) {
    std::vector<double> merged;
    for (auto& client : all) merged.insert(merged.end(), client->latencies[kind].begin(), client->latencies[kind].end());
    total += merged.size();
    std::printf("%s\"%s\": {\"count\": %zu, \"p50_ms\": %.3f, \"p99_ms\": %.3f}", kind == 0 ? "" : ", ", kNames[kind], merged.size(),
                percentile(merged, 0.5), percentile(merged, 0.99));
  }
  for (auto& client : all) retries += client->retries;
  std::printf("}, \"tps\": %.3f, \"retries\": %llu, \"queries_ms\": {", static_cast<double>(total) / elapsed, static_cast<unsigned long long>(retries));
  bool first = true;
  for (const auto& [number, found] : times) {
    std::printf("%s\"%d\": [", first ? "" : ", ", number);
    for (size_t i = 0; i < found.size(); ++i) std::printf("%s%.3f", i == 0 ? "" : ", ", found[i]);
    std::printf("]");
    first = false;
  }
  std::printf("}}\n");
}

/// One connection commits a row, another counts such rows at once over columns, and once more when nothing of it is new.
void probe(const char* conninfo, int64_t writes, int64_t warehouses, int64_t clients, uint64_t seed) {
  std::vector<std::unique_ptr<Client>> all;
  for (int64_t i = 0; i < clients; ++i) all.push_back(std::make_unique<Client>(conninfo, warehouses, seed * 1000 + static_cast<uint64_t>(i)));
  Crew crew;
  for (auto& client : all) {
    crew.add([&client](const std::atomic<bool>& stop) {
      while (!stop) client->step();
    });
  }
  Connection writer(conninfo), reader(conninfo);
  reader.execute("set omendb.route = columns");  // to PostgreSQL a setting like any of an extension's
  const auto count = [&] { return reader.execute("select count(*), sum(h_amount) from history where h_c_id < 0").number(0, 0); };
  const int64_t before = count();
  std::vector<double> fresh, repeated, added;
  int64_t missed = 0;
  for (int64_t i = 1; i <= writes && !crew.stop; ++i) {
    writer.run("insert into history (h_c_id, h_c_d_id, h_c_w_id, h_d_id, h_w_id, h_date, h_amount, h_data) "
               "values ($1, 1, 1, 1, 1, localtimestamp, 1, 'probe')", {n(-i)});
    auto start = Clock::now();
    if (count() != before + i) ++missed;
    fresh.push_back(ms_since(start));
    start = Clock::now();
    if (count() != before + i) ++missed;
    repeated.push_back(ms_since(start));
    added.push_back(fresh.back() - repeated.back());
  }
  crew.end();
  std::printf("{\"probes\": %zu, \"missed\": %lld, \"fresh_p50_ms\": %.3f, \"fresh_p99_ms\": %.3f, \"repeated_p50_ms\": %.3f, "
              "\"repeated_p99_ms\": %.3f, \"added_p50_ms\": %.3f, \"added_p99_ms\": %.3f}\n",
              fresh.size(), static_cast<long long>(missed), percentile(fresh, 0.5), percentile(fresh, 0.99), percentile(repeated, 0.5),
              percentile(repeated, 0.99), percentile(added, 0.5), percentile(added, 0.99));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string command = argc > 2 ? argv[2] : "";
  try {
    if (command == "run" && argc == 9) {
      run(argv[1], std::atoll(argv[3]), std::atoll(argv[4]), std::atof(argv[5]), std::atoll(argv[6]), argv[7], std::strtoull(argv[8], nullptr, 10));
    } else if (command == "probe" && argc == 7) {
      probe(argv[1], std::atoll(argv[3]), std::atoll(argv[4]), std::atoll(argv[5]), std::strtoull(argv[6], nullptr, 10));
    } else {
      std::fprintf(stderr, "htap_driver: see the head of bench/htap/driver.cc\n");
      return 2;
    }
  } catch (const std::exception& trouble) {
    std::fprintf(stderr, "htap_driver: %s\n", trouble.what());
    return 1;
  }
  return 0;
}
