#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make bench: line after line, and one table of them, beside what it was measured on.

run.py [--quick] [LINE …]     the lines are the files of this directory that LINES names
"""

import argparse
import importlib
import json
import pathlib
import re
import shutil
import signal
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from bench import machine  # noqa: E402
from bench.rig import BUILT, TOP, Bench  # noqa: E402

LINES = [
    "triggers",
    "latency",
    "tasks",
    "results",
    "status",
    "webhooks",
    "live",
    "memory",
    "recovery",
    "suite",
    "growth",
]
HEADS = ["measure", "Verdict", "spread", "ceiling or peer", "its figure", "ratio", "aim", "held"]


def number(value, unit):
    if value is None:
        return ""
    digits = 0 if value >= 1000 else 1 if value >= 100 else 2
    text = f"{value:,.{digits}f}"
    return f"{text}{unit}" if unit.startswith("/") else f"{text} {unit}"


def spread(values):
    if len(values) < 2:
        return ""
    low, high = (number(value, "").strip() for value in (min(values), max(values)))
    return f"{low} – {high}"


def cells(row):
    held = {None: "", True: "yes", False: "no"}[row.holds]
    return [
        row.measure,
        number(row.median, row.unit),
        spread(row.values),
        row.peer,
        number(row.peer_median, row.unit),
        f"{row.ratio:.2f}" if row.ratio else "",
        row.aim,
        held,
    ]


def markdown(head, rows):
    lines = [*(f"- {line}" for line in head), ""]
    lines.append(f"| {' | '.join(HEADS)} |")
    lines.append("|---|--:|--:|---|--:|--:|---|---|")
    lines += [f"| {' | '.join(cells(row))} |" for row in rows]
    return "\n".join(lines) + "\n"


def publish(text):
    """Into the page that users read, and the picture beside it."""
    page = TOP / "docs" / "performance.md"
    marked = re.compile(r"(<!-- bench -->\n).*(<!-- /bench -->)", re.DOTALL)
    page.write_text(marked.sub(lambda m: m[1] + text + m[2], page.read_text()))
    if (BUILT / "run.svg").exists():
        shutil.copy(BUILT / "run.svg", TOP / "docs" / "run.svg")


def run_line(bench, name):
    """Its rows; [] and the reason on stderr when it failed."""
    began = time.monotonic()
    print(f"bench: {name}", file=sys.stderr, flush=True)
    try:
        rows = importlib.import_module(f"bench.{name}").measure(bench)
    except Exception:
        traceback.print_exc()
        return []
    for row in rows:
        text = f"  {row.measure}: {number(row.median, row.unit)}"
        beside = f" ({row.peer}: {number(row.peer_median, row.unit)})" if row.peer_values else ""
        print(text + beside, file=sys.stderr)
    print(f"  took {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return rows


def end(number, _):
    """As if it had ended by itself: what was started is stopped."""
    raise SystemExit(128 + number)


def main():
    signal.signal(signal.SIGTERM, end)
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one short run of each, no warm-up")
    parser.add_argument("--publish", action="store_true", help="also into docs/performance.md")
    parser.add_argument("lines", nargs="*", metavar="LINE", help=f"of {', '.join(LINES)}")
    options = parser.parse_args()
    wanted = [name for word in options.lines for name in word.split(",") if name] or LINES
    unknown = set(wanted) - set(LINES)
    if unknown:
        parser.error(f"no line {', '.join(sorted(unknown))}; there are {', '.join(LINES)}")
    head = machine.describe(BUILT.parent)
    kind = "--quick: one short run, no warm-up" if options.quick else "median of 3 after a warm-up"
    head.append(f"{time.strftime('%Y-%m-%d')}, {kind}; spread is least – most")
    bench = Bench(options.quick)
    rows, failed = [], []
    try:
        for name in wanted:
            made = run_line(bench, name)
            rows += made
            failed += [] if made else [name]
    finally:
        bench.close()
    if failed:
        head.append(f"failed, and not in the table: {', '.join(failed)}")
    text = markdown(head, rows)
    print(text)
    BUILT.mkdir(parents=True, exist_ok=True)
    (BUILT / "table.md").write_text(text)
    (BUILT / "rows.json").write_text(json.dumps([vars(row) for row in rows], indent=2) + "\n")
    if options.publish and not failed:
        publish(text)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
