#!/usr/bin/env bash
# ./dev test [SUITE]: see ./dev help. The default suite is what every change must pass; the long ones stand alone.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=/usr/bin/python3
SLT="${OMENDB_SLT:-../shared/slt}"
suite="${1:-all}"
shift || true

step() { printf '\n== %s\n' "$*"; }

unit() {
  step "unit tests"
  ctest --test-dir build/release --output-on-failure -j 2
}

wire() {
  step "wire: PostgreSQL and OmenDB, the same bytes"
  $PYTHON tests/wire/run.py "$@"
}

psql_commands() {
  step "psql: backslash commands on PostgreSQL and OmenDB"
  $PYTHON tests/psql/run.py "$@"
}

differential() {
  step "differential: tests/sql on PostgreSQL and OmenDB"
  $PYTHON tests/differential/run.py "$@"
  [ $# -gt 0 ] || $PYTHON tests/differential/run.py --route columns tests/sql/{dynamic_filters,exact_arithmetic}.sql
}

literals() {
  step "literals: plans of statements that differ in literals alone, on and off"
  $PYTHON tests/differential/plan_cache.py "$@"
}

random_queries() {
  step "random: random statements on PostgreSQL and OmenDB"
  $PYTHON tests/differential/random_queries.py "$@"
}

large_tables() {
  step "large tables: random queries over many row groups on PostgreSQL and on every route"
  $PYTHON tests/differential/large_tables.py "$@"
}

routes() {
  step "routes: random queries on every route at one snapshot, beside writers"
  $PYTHON tests/differential/routes.py "$@"
}

storm() {
  step "storm: writes at full speed on tables with copies in columns, ${1:-180} s"
  $PYTHON tests/storm/run.py --seconds "${1:-180}" "${@:2}"
}

isolation() {
  step "isolation: schedules on PostgreSQL and OmenDB"
  $PYTHON tests/isolation/run.py "$@"
}

kill9() {
  step "kill -9 under load: ${1:-100} cycles"
  $PYTHON tests/kill/run.py --cycles "${1:-100}"
  step "kill -9 beside copies in columns: ${1:-100} cycles"
  $PYTHON tests/differential/routes.py --kill "${1:-100}"
}

limits() {
  step "limits: $*"
  $PYTHON tests/limits/run.py "$@"
}

# Builds and runs the unit tests of folders under a sanitizer's preset.
sanitized() {
  local preset="$1"
  shift
  local targets=() pattern
  for folder in "$@"; do targets+=("omendb_${folder}_test"); done
  pattern="^($(IFS='|'; echo "$*"))\$"
  ./dev build "$preset" "${targets[@]}"
  ctest --test-dir "build/$preset" --output-on-failure -j 2 -R "$pattern"
}

export ASAN_OPTIONS="detect_leaks=1" TSAN_OPTIONS="suppressions=$PWD/tools/tsan.supp ignore_noninstrumented_modules=1"

# All that lies below sql/, which takes outside bytes apart, keeps the rows or runs on many threads.
sanitize_core() {
  step "ASan and UBSan: the core"
  sanitized asan base types codec index store txn catalog table
  step "TSan: index and transactions"
  sanitized tsan index txn
}

# The same, and what links sql/: a build of many minutes.
sanitize() {
  sanitize_core
  step "ASan and UBSan: protocol and server"
  sanitized asan pgwire server
  ./dev build asan omendb
  export OMENDB_PRESET=asan
  wire
  psql_commands
  isolation
  differential
  kill9 3
}

# So many operations on the index against std::map, over every pattern of its property tests, each pass with a new seed. Each
# pattern prints its seed; OMENDB_INDEX_TEST_SEED=... replays it.
soak() {
  local wanted="${1:-10000000}" done=0 pass=0 patterns=24 each seed log
  step "soak: $wanted operations on the index"
  log=$(mktemp)
  while [ "$done" -lt "$wanted" ]; do
    each=$(((wanted - done) / patterns + 1000))
    [ "$each" -le 2000000 ] || each=2000000
    seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
    OMENDB_INDEX_TEST_SEED=$seed OMENDB_INDEX_TEST_OPS=$each build/release/omendb_index_test --gtest_filter='*Property*' \
      --gtest_brief=1 >"$log" 2>&1 || { cat "$log"; echo "seed $seed fails"; exit 1; }
    grep '^soak' "$log"
    done=$((done + $(awk '/^soak/ { n += $NF } END { print n + 0 }' "$log")))
    pass=$((pass + 1))
    echo "pass $pass, seed $seed: $done operations, no difference"
  done
  rm -f "$log"
}

slt() {
  [ -d "$SLT" ] || { echo "no sqllogictest corpus at $SLT; set OMENDB_SLT" >&2; exit 1; }
  step "sqllogictest: $SLT"
  $PYTHON tests/slt/run.py "$SLT" "$@"
}

./dev setup
if [ "$suite" = soak ]; then ./dev build release omendb_index_test; else ./dev build release; fi
case "$suite" in
  all)
    # The other suites (slt, random, a long run of routes, disk, memory) stand alone: they are long.
    step "ladder and formatting"
    tools/lint.sh --quick
    unit
    differential
    psql_commands
    routes 3000
    large_tables 100 --seed 1
    wire
    isolation
    kill9 5
    sanitize_core
    step "all suites passed"
    ;;
  unit | wire | differential | routes | literals | storm | isolation | sanitize | slt | soak) "$suite" "$@" ;;
  psql) psql_commands "$@" ;;
  large-tables) large_tables "$@" ;;
  random) random_queries "$@" ;;
  kill) kill9 "$@" ;;
  memory | columns | large | disk | directory) limits "$suite" "$@" ;;
  *) echo "./dev test: unknown suite '$suite'" >&2; exit 2 ;;
esac
