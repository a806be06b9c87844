# SPDX-License-Identifier: Apache-2.0
"""Lists when there is much to list: the p99 of a page, as two clients read it over and over, at
10^5, 10^6 and 10^7 results in runs of 1,000, all of one suite: each page is full. And what it costs
to drop a month of them."""

import hashlib
import random
import time

from bench.rig import Row, fits
from bench.status import one_run
from bench.wrk import wrk
from support.copies import copies

RUN = 1_000
SIZES = [100_000, 1_000_000, 10_000_000]
FILLED = 500  # runs at once
FAILED = "?status=failed&limit=50"
FLAT = 3  # times the p99 at 10^5: what is called flat

FILL = """
INSERT INTO results.result (run_id, case_key, task_id, attempt, dispatch_id, seq, status, file,
  class, name, duration_ms)
SELECT run.id, decode(md5(n::text), 'hex'), run.id, 1, run.id, n,
  CASE WHEN n %% 10 = 0 THEN 'failed' ELSE 'passed' END, 'tests/test_checkout.py', 'TestCheckout',
  'test_' || n, n %% 50
FROM unnest(%s::uuid[]) AS run (id), generate_series(1, {run}) AS n
"""

# What the collector counts when runs close; of one case, whose history is read.
CASE = 7
KNOWN = f"""
INSERT INTO results.known_case (project_id, case_key, name, last_status, last_run_id, duration_ms)
SELECT project_id, decode(md5('{CASE}'), 'hex'), 'test_{CASE}', 'passed', %s, {CASE} FROM api.run
WHERE id = %s ON CONFLICT (project_id, case_key) DO UPDATE SET last_run_id = excluded.last_run_id
"""


def grow(verdict, run_id, have, size):
    """The ids of the runs that are new."""
    ids = copies(verdict, run_id, (size - have) // RUN)
    for first in range(0, len(ids), FILLED):
        verdict.db.query(FILL.format(run=RUN), ids[first : first + FILLED])
    verdict.db.query(KNOWN, ids[-1], run_id)
    verdict.db.query("VACUUM ANALYZE results.result")
    return ids


def paths(runs, chance):
    """Kind → paths of pages, of many runs and cases."""
    key = hashlib.md5(str(CASE).encode(), usedforsecurity=False).hexdigest()
    some = [chance.choice(runs) for _ in range(200)]
    return {
        "runs of a project": ["/v1/runs?project=bench&suite=noop&limit=50"] * 2,
        "failed results of a run": [f"/v1/runs/{run}/results{FAILED}" for run in some],
        "runs of a case": [f"/v1/cases/{key}?project=bench&limit=20"] * 2,
    }


def p99(bench, verdict, token, lines):
    path = bench.folder / "pages"
    path.write_text("".join(f"{line}\n" for line in lines))
    words = (token, path)
    seconds = min(3, bench.seconds)  # there are many of these
    return wrk(verdict.api_url, "reads", *words, connections=2, seconds=seconds)["p99_ms"]


def drop_ms(verdict):
    """What the owner of the results does with a month of which no run is left."""
    name = verdict.db.value(
        """SELECT tableoid::regclass::text FROM results.result GROUP BY tableoid
           ORDER BY count(*) DESC LIMIT 1"""
    )
    began = time.monotonic()
    verdict.db.query(f"DROP TABLE {name}")
    return (time.monotonic() - began) * 1000


def measure(bench):
    sizes = SIZES[:2] if bench.quick else SIZES
    seen = {}
    with bench.verdict("api-ingest", "scheduler", "result-collector", "executor-1") as verdict:
        run, token = one_run(verdict), verdict.admin_token.read_text().strip()
        runs, have, chance = [], 0, random.Random(1)
        for size in sizes:
            runs += grow(verdict, run, have, size)
            have = size
            for kind, lines in paths(runs, chance).items():
                values = bench.repeat(lambda at=lines: p99(bench, verdict, token, at))
                seen.setdefault(kind, []).append(values)
        dropped = drop_ms(verdict)
    rows = []
    for kind, values in seen.items():
        for size, more in zip(sizes[1:], values[1:], strict=True):
            row = Row(f"p99 of a page at {size:,} results: {kind}", "ms", more)
            row.peer, row.peer_values = f"itself at {sizes[0]:,}", values[0]
            row.aim = f"flat: ≤ {FLAT} ×"
            rows.append(fits(row, ratio_most=FLAT))
    rows.append(Row(f"retention: a month of {have:,} results is dropped (once)", "ms", [dropped]))
    return rows
