# SPDX-License-Identifier: Apache-2.0
"""Reads of a run's status: one that everybody asks for (hot), each one for the first time (cold),
and the hot one with Redis stopped. Beside them the same bytes from a bare libmicrohttpd and from
nginx."""

import itertools
import json

from bench.rig import BUILT, Row, fits, has_nginx, make_suite, nginx, port, running
from bench.wrk import wrk
from parts.process import wait_until
from support.copies import copies

FEW, MANY = 20_000, 120_000


def one_run(verdict):
    """A run that has ended, with the services that are not needed any more stopped."""
    make_suite(verdict)
    run = verdict.api.post("/v1/runs", {"project": "bench", "suite": "noop"})["id"]
    verdict.wait_final(run)
    wait_until(
        lambda: verdict.db.value(
            "SELECT in_statistics FROM results.run_totals WHERE run_id = %s", run
        ),
        60,
        "the run to be counted",
    )
    for name in [name for name in verdict.services if name != "api-ingest"]:
        verdict.stop(name)
    return run


def ceilings(bench, body):
    """[(name, values)]"""
    path = bench.folder / "body"
    path.write_text(body)
    paths = bench.folder / "root"
    paths.write_text("/\n")

    def load(url):
        return bench.repeat(lambda: wrk(url, "reads", "x", paths, seconds=bench.seconds)["rate"])

    with port() as number, running([BUILT / "peers" / "web", number, path], number):
        found = [("bare libmicrohttpd", load(f"http://127.0.0.1:{number}"))]
    if not has_nginx():
        return [*found, ("nginx: missing", [])]
    with nginx(bench.folder / "nginx", 200, body) as url:
        return [*found, ("nginx, the same bytes", load(url))]


def measure(bench):
    names = ["api-ingest", "scheduler", "result-collector", "executor-1"]
    with bench.verdict(*names) as verdict:
        run = one_run(verdict)
        token = verdict.admin_token.read_text().strip()
        hot = bench.folder / "hot"
        hot.write_text(f"/v1/runs/{run}\n")
        numbers = itertools.count()

        def read_hot():
            return wrk(verdict.api_url, "reads", token, hot, seconds=bench.seconds)

        def read_cold():
            cold = bench.folder / f"cold-{next(numbers)}"
            ids = copies(verdict, run, FEW if bench.quick else MANY)
            cold.write_text("".join(f"/v1/runs/{id_}\n" for id_ in ids))
            seconds = 1 if bench.quick else 3
            seen = wrk(verdict.api_url, "reads", token, cold, seconds=seconds)
            if seen["requests"] > len(ids):
                raise RuntimeError(f"{seen['requests']} reads went round {len(ids)} runs")
            return seen

        body = json.dumps(verdict.api.get(f"/v1/runs/{run}"))
        seen = {
            "hot": bench.repeat(read_hot),
            "cold, each for the first time": bench.repeat(read_cold),
        }
        bench.servers.redis.stop()
        try:
            seen["hot, Redis down"] = bench.repeat(read_hot)
        finally:
            bench.servers.redis.start()
            bench.servers.redis.wait_ready()
    aim = "≥ 50 k/s, p99 < 5 ms"
    (name, values), (other, others) = ceilings(bench, body.replace("'", ""))
    rows = []
    for kind, runs in seen.items():
        rates = [run["rate"] for run in runs]
        beside = (name, values) if kind == "hot" else ("", [])
        row = Row(f"status reads, {kind}", "/s", rates, *beside, aim)
        worst = Row("… p99", "ms", [run["p99_ms"] for run in runs])
        rows += [fits(row, least=50_000, unless=worst.median < 5), worst]
    return [rows[0], Row("… the same", "/s", rows[0].values, other, others), *rows[1:]]
