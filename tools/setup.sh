#!/usr/bin/env bash
# Installs what OmenDB is built, tested and measured with. Safe to run again: each step looks first.
#   1. Debian 12 packages.
#   2. DuckDB: the shared library from its npm package, the headers of the same release from the source inside a crate.
#      Both are pinned by SHA-256 and must name the same source id (docs/decisions/0001-duckdb-release.md).
set -euo pipefail
DEPS="${OMENDB_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/omendb/deps}"

PACKAGES=(
  build-essential cmake ninja-build ccache mold git curl ca-certificates
  librocksdb-dev libpg-query-dev postgresql-server-dev-15 libboost-dev libssl-dev libspdlog-dev libcli11-dev libjemalloc-dev
  libtomlplusplus-dev libroaring-dev libxxhash-dev libgtest-dev libgmock-dev libbenchmark-dev prometheus-cpp-dev
  clang-14 clang-tidy-14 clang-format-14 libclang-rt-14-dev
  postgresql-15 postgresql-client-15 libpq-dev libsqlite3-dev libabsl-dev tzdata
  python3 python3-psycopg2 python3-psycopg
)
DUCKDB_NPM=@duckdb/node-bindings-linux-x64
DUCKDB_NPM_VERSION=1.5.6-r.1
DUCKDB_NPM_SHA256=1b9f82478539bb9a1d1df44bd103121a12ae52142c07158dc52b97d2ec1d69ff
DUCKDB_CRATE=libduckdb-sys
DUCKDB_CRATE_VERSION=1.10506.1
DUCKDB_CRATE_SHA256=113d1c26c9f518405a17b5729bb6ab6abf029fdc46626406922cf9a8dc9b4609
DUCKDB_SOURCE_ID=069cc9f9b5

fail() { echo "setup: $*" >&2; exit 1; }

packages() {
  local missing=()
  for package in "${PACKAGES[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  echo "setup: installing ${missing[*]}"
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "these Debian packages are missing and this user may not install them: ${missing[*]}"
    sudo=(sudo)
  fi
  # The PostgreSQL package must not start a cluster of its own: the tests make theirs.
  ${sudo[@]+"${sudo[@]}"} mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] ||
    echo 'create_main_cluster = false' | ${sudo[@]+"${sudo[@]}"} tee /etc/postgresql-common/createcluster.conf >/dev/null
  ${sudo[@]+"${sudo[@]}"} apt-get update -qq
  ${sudo[@]+"${sudo[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null || fail "apt-get could not install: ${missing[*]}"
}

check_hash() {  # FILE SHA256
  echo "$2  $1" | sha256sum --check --status || fail "$(basename "$1") has an unexpected SHA-256; delete it and run again"
}

# Cargo is asked to resolve a throw-away project, and its download of the one crate is taken and checked.
fetch_crate() {  # DIRECTORY
  command -v cargo >/dev/null || fail "cargo is missing (Debian package cargo, or rustup): it fetches DuckDB's headers.
       Or place $DUCKDB_CRATE-$DUCKDB_CRATE_VERSION.crate in $1 and run again."
  local project="$1/crate-project"
  mkdir -p "$project/src"
  printf '[package]\nname = "headers"\nversion = "0.0.0"\nedition = "2021"\n[lib]\npath = "src/lib.rs"\n[dependencies]\n%s = { version = "=%s", default-features = false }\n' \
    "$DUCKDB_CRATE" "$DUCKDB_CRATE_VERSION" >"$project/Cargo.toml"
  : >"$project/src/lib.rs"
  # An old cargo may stumble over the manifests of other crates after the download; the hash check below decides.
  (cd "$project" && CARGO_HOME="$1/cargo" cargo fetch --quiet) || echo "setup: cargo complained; looking for its download"
  find "$1/cargo/registry/cache" -name "$DUCKDB_CRATE-$DUCKDB_CRATE_VERSION.crate" -exec cp {} "$1/" \;
}

duckdb() {
  [ -e "$DEPS/duckdb/.complete" ] && [ "$(cat "$DEPS/duckdb/.complete")" = "$DUCKDB_SOURCE_ID" ] && return
  echo "setup: fetching DuckDB (library and headers, source id $DUCKDB_SOURCE_ID)"
  local work="$DEPS/download" crate tarball
  mkdir -p "$work"
  crate="$work/$DUCKDB_CRATE-$DUCKDB_CRATE_VERSION.crate"
  tarball="$work/duckdb-node-bindings-linux-x64-$DUCKDB_NPM_VERSION.tgz"
  [ -e "$crate" ] || fetch_crate "$work"
  [ -e "$crate" ] || fail "the crate $DUCKDB_CRATE $DUCKDB_CRATE_VERSION could not be fetched"
  check_hash "$crate" "$DUCKDB_CRATE_SHA256"
  if [ ! -e "$tarball" ]; then
    command -v npm >/dev/null || fail "npm is missing (Debian package npm): it fetches DuckDB's library.
       Or place $(basename "$tarball") in $work and run again."
    (cd "$work" && npm pack --silent "$DUCKDB_NPM@$DUCKDB_NPM_VERSION" >/dev/null)
  fi
  check_hash "$tarball" "$DUCKDB_NPM_SHA256"

  rm -rf "$DEPS/duckdb" "$work/unpacked"
  mkdir -p "$DEPS/duckdb/lib" "$work/unpacked"
  tar xzf "$tarball" -C "$work/unpacked"
  cp "$work/unpacked/package/libduckdb.so" "$DEPS/duckdb/lib/"
  tar xzf "$crate" -C "$work/unpacked" "$DUCKDB_CRATE-$DUCKDB_CRATE_VERSION/duckdb.tar.gz"
  tar xzf "$work/unpacked/$DUCKDB_CRATE-$DUCKDB_CRATE_VERSION/duckdb.tar.gz" -C "$work/unpacked"
  mkdir -p "$DEPS/duckdb/src"
  cp -r "$work/unpacked/duckdb/src/include" "$DEPS/duckdb/src/"
  grep -q "\"$DUCKDB_SOURCE_ID\"" "$work/unpacked/duckdb/src/function/table/version/pragma_version.cpp" ||
    fail "the headers are not of source id $DUCKDB_SOURCE_ID"
  grep -aq "$DUCKDB_SOURCE_ID" "$DEPS/duckdb/lib/libduckdb.so" || fail "the library is not of source id $DUCKDB_SOURCE_ID"
  rm -rf "$work/unpacked" "$work/cargo" "$work/crate-project"
  echo "$DUCKDB_SOURCE_ID" >"$DEPS/duckdb/.complete"
}

[ "$(uname -m)" = x86_64 ] || fail "OmenDB is built on x86-64 Linux only for now"
grep -qs 'VERSION_ID="12"' /etc/os-release || echo "setup: this is not Debian 12; the package names may differ" >&2
packages
duckdb
