# SPDX-License-Identifier: Apache-2.0
"""P7: Redis is disposable: flushed, stopped or gone, it never changes what is answered."""

import signal
import threading

import pytest
import redis
import requests
from support.database import Database

# What stood in the ledger for longer than the cache may lag behind it.
OLD_NEWS = """SELECT version FROM scheduling.run_state
              WHERE run_id = %s AND updated_at < now() - interval '1 second'"""


# Within which a read is answered, whatever Redis does: what it may take is 250 ms.
READ_TIMEOUT_S = 5


class Watcher(threading.Thread):
    """Reads runs all the time, and notes answers that fail or do not come in time, that are older
    than a second by the ledger, or that take a final state back."""

    def __init__(self, verdict, run_ids):
        super().__init__(daemon=True)
        self.verdict = verdict
        self.run_ids = run_ids
        self.db = Database(verdict.urls["VERDICT_POSTGRES_URL"])  # of this thread
        self.faults = []
        self.reads = 0
        self.compared = 0
        self._final = {}
        self._stopped = threading.Event()

    def run(self):
        while not self._stopped.wait(0.02):
            for run_id in list(self.run_ids):
                self._read(run_id)

    def finish(self):
        self._stopped.set()
        self.join(30)
        assert not self.is_alive(), "a read has not come back"
        self.db.close()
        assert self.reads > 0
        assert self.compared > 0, "no answer was compared with the ledger"
        assert not self.faults, self.faults[:5]

    def _read(self, run_id):
        known = self.db.value(OLD_NEWS, run_id) or 0
        try:
            answer = self.verdict.api.request("GET", f"/v1/runs/{run_id}", timeout=READ_TIMEOUT_S)
        except requests.RequestException as error:
            self.faults.append((run_id, repr(error)))
            return
        self.reads += 1
        if answer.status_code != 200:
            self.faults.append((run_id, answer.status_code, answer.text[:200]))
            return
        state = answer.json()["state"]
        self.compared += known > 0
        if answer.json()["version"] < known:
            self.faults.append(
                (run_id, f"version {answer.json()['version']}, in the ledger {known}")
            )
        before = self._final.get(run_id)
        if before and state != before:
            self.faults.append((run_id, before, state))
        if state not in ("queued", "running"):
            self._final[run_id] = state


@pytest.mark.own("redis")
def test_flushing_redis_all_the_time_changes_nothing(private_verdict, private_work, tell):
    work = private_work.start()
    cache = redis.Redis.from_url(private_verdict.urls["VERDICT_REDIS_URL"])
    watcher = Watcher(private_verdict, work.promised.values())
    client = work.client(count=20, gap_s=0.1)

    watcher.start()
    client.start()
    while client.is_alive():
        cache.flushall()
        client.join(0.2)
    client.finish(60)
    work.wait_all_final()
    watcher.finish()
    tell(reads=watcher.reads)

    work.check()


@pytest.mark.own("redis")
def test_without_redis_everything_is_still_answered(private_verdict, private_work):
    work = private_work.start()
    server = private_verdict.servers.redis
    watcher = Watcher(private_verdict, work.promised.values())
    client = work.client(count=60, gap_s=0.5)

    watcher.start()
    client.start()
    server.signal(signal.SIGSTOP)
    before = watcher.reads
    client.join(30)  # the outage itself is the input of this test
    answered = watcher.reads - before
    server.signal(signal.SIGCONT)
    client.join(0.5)
    server.kill()
    client.finish(60)
    work.wait_all_final()
    server.start()
    server.wait_ready()
    watcher.finish()
    assert answered > 100

    work.check()
