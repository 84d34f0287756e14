#!/usr/bin/env python3
"""Holds the ladder of tools/layers.txt: no folder of src/ includes one below its own line, and RocksDB, DuckDB
and libpg_query are spelled only where the ladder says. Exits 1 and names each line that breaks it."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SPELLINGS = {
    "rocksdb": re.compile(r'#\s*include\s*[<"]rocksdb/|\brocksdb::'),
    "duckdb": re.compile(r'#\s*include\s*[<"]duckdb|\bduckdb::|\bnamespace duckdb\b'),
    "pg_query": re.compile(r'#\s*include\s*[<"]pg_query'),
    "postgres": re.compile(r'#\s*include\s*[<"](postgres\.h|nodes/|c\.h)'),
}


def read_ladder():
    ladder, owners = [], {}
    for line in (ROOT / "tools/layers.txt").read_text().splitlines():
        words = line.split("#")[0].split()
        if words:
            ladder.append(words[0])
            for library in words[1:]:
                owners[library] = words[0]
    return ladder, owners


def main():
    ladder, owners = read_ladder()
    rank = {folder: i for i, folder in enumerate(ladder)}
    errors = []
    for path in sorted((ROOT / "src").rglob("*")):
        if path.suffix not in (".h", ".cc"):
            continue
        folder = path.relative_to(ROOT / "src").parts[0]
        if folder not in rank:
            errors.append(f"{path.relative_to(ROOT)}: folder '{folder}' is not in tools/layers.txt")
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            where = f"{path.relative_to(ROOT)}:{number}"
            code = line.split("//")[0]
            included = re.match(r'\s*#\s*include\s*"([^"]+)"', code)
            if included:
                target = included.group(1).split("/")[0]
                if target in rank and rank[target] > rank[folder]:
                    errors.append(f"{where}: {folder}/ must not include {target}/ (below it on the ladder)")
            for library, owner in owners.items():
                if folder != owner and SPELLINGS[library].search(code):
                    errors.append(f"{where}: {library} is spelled only in {owner}/")
    print("\n".join(errors) if errors else f"ladder holds: {len(ladder)} folders")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
