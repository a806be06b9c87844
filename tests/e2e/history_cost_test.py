# SPDX-License-Identifier: Apache-2.0
"""What a run costs does not grow with the history: rows that Postgres reads for it, not time. The
database is that of a new installation, of whose tables the planner knows nothing yet."""

import concurrent.futures
import time

from parts.process import wait_until

RUNS = 60  # that are counted, before and after …
HISTORY = 400  # so many that have ended
MOST = 300  # more rows of a table for a run, or as many again: what looks in time looks more often

READ = """
SELECT t.schemaname || '.' || t.relname AS name,
  t.seq_tup_read + coalesce(sum(i.idx_tup_read), 0) AS rows
FROM pg_stat_user_tables t LEFT JOIN pg_stat_user_indexes i USING (relid) GROUP BY 1, t.seq_tup_read
"""


def make_suite(verdict):
    source = verdict.folder / "source"
    source.mkdir()
    spec = {"framework": "command", "command": ["/bin/true"], "report": {"format": "none"}}
    spec["source"] = {"kind": "path", "path": str(source)}
    verdict.api.put("/v1/projects/shop", {"title": "Shop"}, expect=201)
    verdict.api.put("/v1/projects/shop/suites/quick", spec, expect=201)


def make_runs(verdict, count, begin):
    """All pass, a few at a time. Asked for by their ids, since what a test reads counts too."""

    def run(number):
        body = {"project": "shop", "suite": "quick"}
        key = {"Idempotency-Key": f"{begin}-{number}"}
        made = verdict.api.post("/v1/runs", body, headers=key, expect=201)
        assert verdict.wait_final(made["id"], 120)["state"] == "passed"

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(count)))
    # What a worker still keeps it asks about with each heartbeat.
    spool = verdict.folder / "executor-1" / "spool"
    wait_until(lambda: not list(spool.glob("*.spool")), 60, "the spools to be settled")


def rows_read(verdict):
    """{table: rows}, once the sessions have told: they do within a second of silence."""
    before = None
    until = time.monotonic() + 60
    while time.monotonic() < until:
        rows = {row["name"]: int(row["rows"]) for row in verdict.db.query(READ)}
        time.sleep(1.1)
        if before is not None and sum(rows.values()) - sum(before.values()) < HISTORY:
            return rows
        before = rows
    raise AssertionError("the services read on and on")


def cost(verdict, begin):
    """{table: rows that were read for a run}"""
    before = rows_read(verdict)
    make_runs(verdict, RUNS, begin)
    after = rows_read(verdict)
    return {name: (rows - before.get(name, 0)) / RUNS for name, rows in after.items()}


def test_run_costs_what_it_did_before_there_was_a_history(verdict):
    verdict.start_all()
    make_suite(verdict)
    first = cost(verdict, "first")
    make_runs(verdict, HISTORY, "old")
    late = cost(verdict, "late")

    grown = {name: rows for name, rows in late.items() if rows > 2 * first.get(name, 0) + MOST}
    assert grown == {}
