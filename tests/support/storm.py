# SPDX-License-Identifier: Apache-2.0
"""Kills services at random while work goes on, seeded and repeatable, and keeps a sampler on the
ledger meanwhile."""

import os
import random
import threading

import psycopg
from parts.process import wait_until

from .checker import ALWAYS, Checker
from .database import Database
from .workload import Work

TARGETS = ["api-ingest", "scheduler", "result-collector", "notifier", "executor-1"]


def new_seed():
    """Given back by VERDICT_SEED, otherwise a new one; printed either way."""
    seed = int(os.environ.get("VERDICT_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"VERDICT_SEED={seed}")
    return seed


class Storm(threading.Thread):
    """kill -9 of one of `targets` every `gap_s[0]` to `gap_s[1]` seconds, restarted at once.

    It waits until work is in flight: a kill of an idle service shows nothing.
    """

    def __init__(self, verdict, seed, targets, gap_s=(1.0, 3.0)):
        super().__init__(daemon=True, name="storm")
        self.verdict = verdict
        self.targets = targets
        self.gap_s = gap_s
        self.kills = {name: 0 for name in targets}
        self.failure = None
        self._random = random.Random(seed)
        self._db = Database(verdict.urls["VERDICT_POSTGRES_URL"])
        self._stopped = threading.Event()

    def run(self):
        try:
            while not self._stopped.wait(self._random.uniform(*self.gap_s)):
                target = self._random.choice(self.targets)
                if not self._wait_for_work():
                    return
                self.verdict.kill(target)
                self.kills[target] += 1
                self.verdict.start(target, wait=False)
        except Exception as error:  # noqa: BLE001  (the test's thread raises it again)
            self.failure = error

    def finish(self):
        """Ends the storm; everything is running again afterwards."""
        self._stopped.set()
        self.join(60)
        assert not self.is_alive(), "the storm does not end"
        self._db.close()
        for name in self.targets:
            self.verdict.start(name)
        if self.failure:
            raise self.failure
        print(f"kills: {self.kills}")
        return self.kills

    def _wait_for_work(self):
        while not self._stopped.is_set():
            if self._db.value("SELECT count(*) FROM scheduling.task WHERE state <> 'done'"):
                return True
            self._stopped.wait(0.02)
        return False


class Sampler(threading.Thread):
    """Asks the ledger the questions of ALWAYS every 100 ms."""

    def __init__(self, database_url, gap_s=0.1):
        super().__init__(daemon=True, name="sampler")
        self.samples = 0
        self.violations = []
        self.failures = []
        self.gap_s = gap_s
        self._db = Database(database_url)
        self._stopped = threading.Event()
        self._queries = [(name, sql) for name, sql in ALWAYS.items()]

    def run(self):
        while not self._stopped.wait(self.gap_s):
            try:
                self._sample()
            except psycopg.Error as error:  # Postgres itself may be the one that died
                self.failures.append(error)

    def _sample(self):
        for name, sql in self._queries:
            rows = self._db.query(sql + " LIMIT 3")
            if rows:
                self.violations.append((name, rows))
        self.samples += 1  # all of them were answered

    def finish(self):
        self._stopped.set()
        self.join(30)
        assert not self.is_alive(), "a question to the ledger has not come back"
        self._db.close()
        assert self.samples > len(self.failures), self.failures[-3:]
        assert not self.violations, self.violations[:5]


def run_storm(verdict, receiver, folder, runs, cases, trigger_s, gap_s, timeout_s):
    """Triggers a run every trigger_s under a storm that ends with the work, checks; returns the
    kills."""
    seed = new_seed()
    work = Work(verdict, folder, cases, pause_ms=10).start(executors=2)
    client = work.client(runs, trigger_s)
    endpoint = verdict.api.post(
        f"/v1/projects/{work.project}/webhooks",
        {"url": receiver.url, "events": ["run.finished"]},
        expect=201,
    )
    storm = Storm(verdict, seed, TARGETS, gap_s)
    sampler = Sampler(verdict.urls["VERDICT_POSTGRES_URL"])

    for thread in (sampler, storm, client):
        thread.start()
    client.finish(timeout_s)
    work.wait_all_final(timeout_s)
    kills = storm.finish()
    sampler.finish()

    checker = Checker(verdict, work.suite, work.promised)
    print(f"{client.retries} retries, {sampler.samples} samples, verdicts {checker.verdicts()}")
    checker.check()
    # Two workers lost under one started task is an ending of its own, and not a fault here.
    allowed = {("passed", ""), ("errored", "worker_lost")}
    assert set(checker.verdicts()) <= allowed, checker.verdicts()
    assert checker.verdicts()[("passed", "")] >= 0.9 * runs, checker.verdicts()
    check_webhooks(verdict, receiver, endpoint, set(work.promised.values()))
    return kills


def check_webhooks(verdict, receiver, endpoint, runs, timeout_s=60):
    """Each run's end was told: at least once to the receiver, once in the log of deliveries."""
    sql = """SELECT e.run_id::text AS run, d.event_id::text AS event FROM notify.delivery d
             JOIN notify.event e ON e.id = d.event_id
             WHERE d.endpoint_id = %s AND d.state = 'delivered'"""
    wait_until(
        lambda: len(verdict.db.query(sql, endpoint["id"])) >= len(runs), timeout_s, "the webhooks"
    )
    delivered = verdict.db.query(sql, endpoint["id"])
    assert len(delivered) == len(runs) and {row["run"] for row in delivered} == runs
    heard = {request.headers["webhook-id"] for request in receiver.requests}
    assert heard == {row["event"] for row in delivered}
