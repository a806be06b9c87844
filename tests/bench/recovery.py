# SPDX-License-Identifier: Apache-2.0
"""kill -9 of each service, which is started again at once, as a supervisor would: how long until a
run that was triggered at the moment of the kill has its verdict (its trigger is repeated until it
is taken). And a worker that does not come back: how long until its task runs elsewhere, with the
times of the field. What stands beside them is what others say of themselves, and is not
measured."""

import time

import requests
from bench.rig import SUITE, Row, make_suite
from parts.process import wait_until

NAMES = ["api-ingest", "scheduler", "result-collector", "notifier", "executor-1"]
RUN = {"project": "bench", "suite": "noop"}


def trigger(verdict, key):
    """The run's id, however often it takes to be heard."""
    end = time.monotonic() + 120
    while True:
        try:
            return verdict.api.post("/v1/runs", RUN, headers={"Idempotency-Key": key})["id"]
        except (requests.RequestException, AssertionError):
            if time.monotonic() > end:
                raise
            time.sleep(0.005)


def is_final(verdict, run):
    sql = "SELECT count(*) FROM scheduling.run_state WHERE run_id = %s AND finished_at IS NOT NULL"
    return verdict.db.value(sql, run) == 1


def recover_s(verdict, name, key):
    verdict.kill(name)
    began = time.monotonic()
    verdict.start(name, wait=False)
    run = trigger(verdict, key)
    wait_until(lambda: is_final(verdict, run), 180, f"a run after the kill of {name}")
    took_s = time.monotonic() - began
    verdict.services[name].wait_ready()
    return took_s


def lost_worker_s(verdict):
    """From the kill of the worker that runs a task to the start of the task's second attempt."""
    make_suite(verdict, {**SUITE, "command": ["/bin/sleep", "5"]}, name="sleep")
    run = verdict.api.post("/v1/runs", {"project": "bench", "suite": "sleep"})["id"]
    started = """SELECT w.name FROM scheduling.task t JOIN scheduling.worker w ON w.id = t.worker_id
                 WHERE t.run_id = %s AND t.state = 'running' AND t.attempt = %s"""
    name = wait_until(lambda: verdict.db.value(started, run, 1), 60, "the task to run")
    verdict.kill(name)
    began = time.monotonic()
    wait_until(lambda: verdict.db.value(started, run, 2), 300, "the task to run elsewhere")
    return time.monotonic() - began


def measure(bench):
    rows = []
    with bench.verdict(*NAMES) as verdict:
        make_suite(verdict)
        verdict.wait_final(trigger(verdict, "warm"))
        for name in NAMES:
            values = [recover_s(verdict, name, f"{name}-{n}") for n in range(bench.runs)]
            rows.append(Row(f"kill -9 of {name}, started again: trigger → verdict", "s", values))
        if not bench.quick:
            verdict.start("executor-2")
            lost = Row("a worker that never comes back: its task runs elsewhere (once)", "s", [])
            lost.values.append(lost_worker_s(verdict))
            lost.peer = "said by others: Buildkite's lost agent ≈ 4 min, Celery + Redis 1 h"
            rows.append(lost)
    return rows
