# SPDX-License-Identifier: Apache-2.0
"""Kills services at random while work goes on, seeded and repeatable, and keeps a sampler on the
ledger meanwhile."""

import random
import threading

import psycopg

from .checker import ALWAYS
from .database import Database
from .workload import Client, Work

TARGETS = ["api-ingest", "scheduler", "result-collector", "notifier", "executor-1"]

# Reports read at the end and case by case, whole suites and declared cases, in one piece and in
# two; some fail, some contradict themselves, some are cancelled, some make room for newer ones.
MIXTURE = [
    *("junit", "junit", "tap", "tap", "cmocka", "cmocka", "pytest", "declared"),
    *("failing", "flaky", "cancelled", "superseded"),
]
ENDINGS_OF_MIXTURE = {
    ("passed", ""),
    ("failed", "cases_failed"),
    ("cancelled", "cancelled"),
    ("cancelled", "superseded"),
}


class Storm(threading.Thread):
    """kill -9 of one of `targets` every `gap_s[0]` to `gap_s[1]` seconds, restarted at once: all of
    them in an order that the seed decides, then all of them in another, and so on.

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
        self._round = []  # who is killed before all others come again
        self._db = Database(verdict.urls["VERDICT_POSTGRES_URL"])
        self._stopped = threading.Event()

    def run(self):
        try:
            while not self._stopped.wait(self._random.uniform(*self.gap_s)):
                target = self._next_target()
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

    def _next_target(self):
        if not self._round:
            self._round = self._random.sample(self.targets, len(self.targets))
        return self._round.pop()

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


def make_orders(seed, count):
    """What a client is to do: a mixture that the seed decides, each of its parts in each dozen."""
    chance = random.Random(seed)
    orders = []
    while len(orders) < count:
        orders += chance.sample(MIXTURE, len(MIXTURE))
    return orders[:count]


def run_storm(verdict, receiver, folder, seed, orders, cases, trigger_s, gap_s, timeout_s):
    """Does the orders, one every trigger_s, under a storm that ends with the work, and checks.
    Returns the kills and the evidence."""
    work = Work(verdict, folder, cases, pause_ms=10).start(executors=2)
    client = Client(work, make_orders(seed, orders), trigger_s)
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

    checker = work.checker()
    ordinary = sum(not promise.may_also for promise in work.promises.values())
    evidence = checker.check(decided=0.85 * ordinary)
    print(f"{client.retries} retries, {sampler.samples} samples, {evidence}")
    assert set(evidence.endings) >= ENDINGS_OF_MIXTURE, evidence
    checker.ends_are_delivered(receiver, endpoint["id"])
    return kills, evidence
