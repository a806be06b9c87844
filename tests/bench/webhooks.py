# SPDX-License-Identifier: Apache-2.0
"""Webhook deliveries, every attempt a row: events that are in the topic, ten endpoints, nginx as
the receiver (204). And the time of a first attempt, at 200 events a second: from the event's own
time to that of its attempt. Beside it libcurl's multi interface alone, as many requests at once to
the same receiver."""

import json
import subprocess
import time
import zlib

from bench.rig import BUILT, Row, fits, has_nginx, make_suite, nginx, percentile
from confluent_kafka import Producer
from parts.process import wait_until
from support.worker import uuid_v7

ENDPOINTS = 10
AT_ONCE = 64
BODY_BYTES = 600


class Events:
    def __init__(self, verdict):
        self._producer = Producer({"bootstrap.servers": verdict.bus.brokers, "linger.ms": 0})
        self._topic = verdict.bus.topic("events")
        self.project = verdict.api.get("/v1/projects/bench")["id"]
        self._partition = zlib.crc32(self.project.encode()) % verdict.bus.partitions("events")

    def write(self, count, rate=None):
        due = time.monotonic()
        for _ in range(count):
            body = {"version": 1, "type": "event", "id": uuid_v7(), "event": "run.finished"}
            body |= {"project_id": self.project, "run_id": uuid_v7(), "run_version": 3}
            body |= {"at": int(time.time() * 1000), "data": {"text": "x" * (BODY_BYTES - 200)}}
            self._producer.produce(self._topic, json.dumps(body), partition=self._partition)
            self._producer.poll(0)
            if rate is not None:
                due += 1 / rate
                time.sleep(max(0, due - time.monotonic()))
        if self._producer.flush(60) != 0:
            raise RuntimeError("the events were not acknowledged")


def delivered(verdict, wanted):
    count = "SELECT count(*) FROM notify.delivery_attempt WHERE status_code = 204"
    return wait_until(lambda: verdict.db.value(count) >= wanted, 300, f"{wanted} deliveries")


def drain(bench, url, events_count):
    """Deliveries a second of what is in the topic when the notifier starts."""
    with bench.verdict("api-ingest") as verdict:
        make_suite(verdict)
        events = Events(verdict)
        for number in range(ENDPOINTS):
            body = {"url": f"{url}/{number}", "events": ["*"]}
            verdict.api.post("/v1/projects/bench/webhooks", body)
        events.write(events_count)
        verdict.start("notifier", VERDICT_WEBHOOK_PER_HOST=AT_ONCE)
        delivered(verdict, events_count * ENDPOINTS)
        row = verdict.db.query(
            """SELECT count(*) AS count, extract(epoch FROM max(at) - min(at))::float AS seconds
               FROM notify.delivery_attempt"""
        )[0]
        return row["count"] / row["seconds"]


def first_attempts(bench, verdict, events):
    """p99 in ms."""
    count = 200 if bench.quick else 1000
    before = verdict.db.value("SELECT count(*) FROM notify.delivery_attempt")
    events.write(count, rate=200)
    delivered(verdict, before + count)
    rows = verdict.db.query(
        """SELECT extract(epoch FROM a.at - e.at)::float * 1000 AS ms
           FROM notify.delivery_attempt a JOIN notify.delivery d ON d.id = a.delivery_id
           JOIN notify.event e ON e.id = d.event_id WHERE a.attempt = 1
           ORDER BY a.at DESC LIMIT %s""",
        count,
    )
    return percentile([row["ms"] for row in rows], 0.99)


def measure(bench):
    if not has_nginx():
        raise RuntimeError("nginx is missing: it is the receiver")
    count = 200 if bench.quick else 2000
    with nginx(bench.folder / "receiver", 204) as url:
        rates = bench.repeat(lambda: drain(bench, url, count))
        with bench.verdict("api-ingest", "notifier") as verdict:
            make_suite(verdict)
            verdict.api.post("/v1/projects/bench/webhooks", {"url": url, "events": ["*"]})
            events = Events(verdict)
            slow = bench.repeat(lambda: first_attempts(bench, verdict, events))
        argv = [BUILT / "peers" / "curl_multi", url, BODY_BYTES, count * ENDPOINTS * 5, AT_ONCE]
        words = [str(word) for word in argv]

        def alone():
            return float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)

        peer = bench.repeat(alone)
    row = Row("webhook deliveries, every attempt logged", "/s", rates)
    row.peer, row.peer_values, row.aim = f"libcurl multi alone, {AT_ONCE} at once", peer, "≥ 5 k/s"
    worst = Row("… p99 of a first attempt, 200 events/s", "ms", slow, aim="< 100 ms")
    return [fits(row, least=5000), fits(worst, most=100)]
