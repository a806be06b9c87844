# SPDX-License-Identifier: Apache-2.0
"""Durable triggers: POST /v1/runs with a key of its own each, 64 connections, counted in the ledger
afterwards. Beside it pgbench, which writes the same rows, one transaction a trigger."""

import itertools
import os
import re
import subprocess

from bench.rig import Row, fits, make_suite
from bench.wrk import wrk

# A UUIDv7, as Verdict's own: where a row lies in its index is a part of what it costs.
SCRIPT = """
\\set number random(1, 9223372036854775807)
BEGIN;
WITH made AS (SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
  || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid AS id),
 key AS (INSERT INTO api.idempotency_key (project_id, key, body_hash, run_id)
  SELECT '{project_id}', 'pgbench-' || :client_id || '-' || :number, decode('{hash}', 'hex'), id
  FROM made ON CONFLICT DO NOTHING),
 sent AS (INSERT INTO api.outbox (id, topic, partition, key, payload)
  SELECT id, 'bench', 0, id::text, '{payload}' FROM made)
INSERT INTO api.run (id, project_id, pool_id, suite_id, suite_version_id, suite_slug, title,
  priority, policy, created_by)
 SELECT made.id, project_id, pool_id, suite_id, suite_version_id, suite_slug, title, priority,
  policy, created_by FROM made, api.run r WHERE r.id = '{id}';
COMMIT;
"""


def pgbench(bench, verdict, script):
    command = ["pgbench", "-n", "-M", "prepared", "-c", "16", "-j", "2", "-T", bench.seconds]
    command += ["-f", script, verdict.urls["VERDICT_POSTGRES_URL"]]
    environment = {**os.environ, "PATH": "/usr/lib/postgresql/15/bin:/usr/bin:/bin"}
    done = subprocess.run(
        [str(word) for word in command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"pgbench failed: {done.stderr}")
    return float(found[1])


def write_script(verdict, path):
    row = verdict.db.query("SELECT id, project_id FROM api.run LIMIT 1")[0]
    payload = '{"version":1,"type":"run.submitted","run_id":"%s","pool_id":"%s"}'
    payload %= (row["id"], row["id"])
    path.write_text(SCRIPT.format(**row, hash="ab" * 32, payload=payload))


def measure(bench):
    with bench.verdict("api-ingest") as verdict:
        make_suite(verdict)
        token = verdict.admin_token.read_text().strip()
        numbers = itertools.count()
        count = "SELECT count(*) FROM api.run"

        def once():
            before = verdict.db.value(count)
            words = (token, f"r{next(numbers)}", "noop", 0)
            seen = wrk(verdict.api_url, "triggers", *words, seconds=bench.seconds)
            rows = verdict.db.value(count) - before
            if rows < seen["requests"]:
                raise RuntimeError(f"{seen['requests']} were accepted, {rows} are there")
            return seen

        seen = bench.repeat(once)
        verdict.stop("api-ingest")
        script = verdict.folder / "triggers.sql"
        write_script(verdict, script)
        peer = bench.repeat(lambda: pgbench(bench, verdict, script))
    rate = Row(
        "durable triggers, 64 connections",
        "/s",
        [run["rate"] for run in seen],
        "pgbench, the same rows, one transaction each",
        peer,
        "≥ 10 k/s, ≥ 0.6 ×",
    )
    slow = Row("… p99 of an answer", "ms", [run["p99_ms"] for run in seen], aim="< 20 ms")
    return [fits(rate, least=10_000, ratio=0.6), fits(slow, most=20)]
