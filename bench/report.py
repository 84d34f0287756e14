"""One line a measurement: for people, or with --json one object a line."""

import json
import pathlib
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))


class Report:
    def __init__(self, suite, as_json):
        self.suite, self.as_json = suite, as_json

    def pairs(self, case, n, metric, unit, peer, pairs, better):
        """`pairs` are (ours, theirs) measured next to each other; the ratio is the median of the pairs' ratios."""
        ours = statistics.median(a for a, _ in pairs)
        theirs = statistics.median(b for _, b in pairs)
        ratio = statistics.median(a / b for a, b in pairs if b)
        line = {"suite": self.suite, "case": case, "n": n, "metric": metric, "unit": unit, "peer": peer,
                "ours": round(ours, 3), "theirs": round(theirs, 3), "ratio": round(ratio, 3), "better": better,
                "samples": len(pairs)}
        if self.as_json:
            print(json.dumps(line), flush=True)
        else:
            print(f"{case:32} {ours:12.2f} {unit:6} {peer} {theirs:12.2f}  ratio {ratio:6.3f} ({better} is better)",
                  flush=True)

    def say(self, text):
        print(text, file=sys.stderr if self.as_json else sys.stdout, flush=True)
