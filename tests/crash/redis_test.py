# SPDX-License-Identifier: Apache-2.0
"""P7: Redis is disposable: flushed, stopped or gone, it never changes what is answered."""

import signal
import threading

import redis


class Watcher(threading.Thread):
    """Reads runs all the time, and notes answers that fail or take a final state back."""

    def __init__(self, verdict, run_ids):
        super().__init__(daemon=True)
        self.verdict = verdict
        self.run_ids = run_ids
        self.faults = []
        self.reads = 0
        self._final = {}
        self._stopped = threading.Event()

    def run(self):
        while not self._stopped.wait(0.02):
            for run_id in list(self.run_ids):
                self._read(run_id)

    def finish(self):
        self._stopped.set()
        self.join(30)
        assert self.reads > 0
        assert not self.faults, self.faults[:5]

    def _read(self, run_id):
        answer = self.verdict.api.request("GET", f"/v1/runs/{run_id}")
        self.reads += 1
        if answer.status_code != 200:
            self.faults.append((run_id, answer.status_code, answer.text[:200]))
            return
        state = answer.json()["state"]
        before = self._final.get(run_id)
        if before and state != before:
            self.faults.append((run_id, before, state))
        if state not in ("queued", "running"):
            self._final[run_id] = state


def test_flushing_redis_all_the_time_changes_nothing(private_verdict, private_work):
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

    work.check()


def test_without_redis_everything_is_still_answered(private_verdict, private_work):
    work = private_work.start()
    server = private_verdict.servers.redis
    watcher = Watcher(private_verdict, work.promised.values())
    client = work.client(count=20, gap_s=0.2)

    watcher.start()
    client.start()
    server.signal(signal.SIGSTOP)
    client.join(5)
    server.signal(signal.SIGCONT)
    client.join(0.5)
    server.kill()
    client.finish(60)
    work.wait_all_final()
    server.start()
    server.wait_ready()
    watcher.finish()

    work.check()
