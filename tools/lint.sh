#!/usr/bin/env bash
# ./dev lint: the ladder, formatting, and clang-tidy over the files changed since main (or those named). --quick: no clang-tidy.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/check_layers.py
git ls-files 'src/*.h' 'src/*.cc' 'include/*.h' | xargs clang-format-14 --dry-run --Werror
[ "${1:-}" != --quick ] || exit 0
files=("$@")
[ ${#files[@]} -gt 0 ] || mapfile -t files < <(git diff --name-only --diff-filter=d main -- 'src/*.cc')
[ ${#files[@]} -eq 0 ] || clang-tidy-14 -p build/release --quiet "${files[@]}"
