# SPDX-License-Identifier: Apache-2.0
"""No-op tasks through a queue of Python's, by two workers: prints tasks a second, from the first
that is enqueued to the last that is done. Runs in the peers' own environment.

queue_peer.py celery|rq REDIS-URL COUNT
"""

import os
import pathlib
import signal
import subprocess
import sys
import time

import redis

HERE = pathlib.Path(__file__).resolve().parent
DONE = "bench-done"
URL = os.environ.get("BENCH_REDIS_URL", "redis://127.0.0.1/0")

try:
    import celery

    app = celery.Celery("queue_peer", broker=URL)
    app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=64)
    _counter = redis.Redis.from_url(URL)

    @app.task(name="noop")
    def noop_task():
        _counter.incr(DONE)
except ImportError:
    pass


def noop_job():
    redis.Redis.from_url(URL).incr(DONE)


def start(kind, url):
    environment = {
        **os.environ,
        "BENCH_REDIS_URL": url,
        "PYTHONPATH": str(HERE),
        "C_FORCE_ROOT": "1",
    }
    binary = pathlib.Path(sys.executable).parent
    words = {
        "celery": [binary / "celery", "-A", "queue_peer", "worker", "-c", "2", "--loglevel=ERROR"],
        "rq": [binary / "rq", "worker", "--url", url, "--quiet", "bench"],
    }[kind]
    return [
        subprocess.Popen(
            [str(word) for word in words],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(1 if kind == "celery" else 2)
    ]


def enqueue(kind, url, count):
    if kind == "celery":
        for _ in range(count):
            noop_task.delay()
        return
    import rq

    sys.path.insert(0, str(HERE))
    queue = rq.Queue("bench", connection=redis.Redis.from_url(url))
    for _ in range(count):
        queue.enqueue("queue_peer.noop_job", result_ttl=0)


def wait(server, count, deadline_s=120):
    end = time.monotonic() + deadline_s
    while int(server.get(DONE) or 0) < count:
        if time.monotonic() > end:
            raise SystemExit(f"{server.get(DONE)} of {count} were done after {deadline_s} s")
        time.sleep(0.01)


def main():
    kind, url, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    server = redis.Redis.from_url(url)
    server.flushdb()
    workers = start(kind, url)
    try:
        enqueue(kind, url, 10)
        wait(server, 10)
        server.delete(DONE)
        began = time.monotonic()
        enqueue(kind, url, count)
        wait(server, count)
        print(count / (time.monotonic() - began))
    finally:
        for worker in workers:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
        server.flushdb()


if __name__ == "__main__":
    if os.environ.get("BENCH_REDIS_URL") != sys.argv[2]:
        os.environ["BENCH_REDIS_URL"] = sys.argv[2]
        os.execv(sys.executable, [sys.executable, *sys.argv])
    main()
