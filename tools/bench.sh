#!/usr/bin/env bash
# ./dev bench SUITE [ARGS]: builds and runs one suite of bench/, its peers in the same call. `./dev bench SUITE --help` lists its options.
set -euo pipefail
cd "$(dirname "$0")/.."
suite="${1:---help}"
shift || true
list() { echo "suites:"; for file in bench/*.py; do [ "$(basename "$file")" = report.py ] || echo "  $(basename "$file" .py)"; done; ls src/*/*_bench.cc 2>/dev/null | sed 's|.*/\(.*\)_bench.cc|  \1|'; }
case "$suite" in --help | -h) list; exit 0 ;; esac
if [ -e "bench/$suite.py" ]; then
  ./dev build release omendb tpch_generate duckdb_peer htap_generate htap_driver >&2
  exec /usr/bin/python3 "bench/$suite.py" "$@"
fi
if ls src/*/"${suite}_bench.cc" >/dev/null 2>&1; then
  ./dev build release "${suite}_bench" >&2
  exec "build/release/${suite}_bench" "$@"
fi
echo "./dev bench: no suite '$suite'" >&2
list >&2
exit 2
