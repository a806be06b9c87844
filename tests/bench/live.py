# SPDX-License-Identifier: Apache-2.0
"""Live events to 1,000 clients of one run, who all hear each of its events: written to the topic as
the collector would, no more than 32 ahead of what a client of ours has heard. Beside it
libmicrohttpd alone, with as many clients and the same bytes, told as fast as it takes them."""

import contextlib
import json
import subprocess
import threading
import time
import zlib

import requests
from bench.rig import BUILT, Row, fits, make_suite, port, running
from confluent_kafka import Producer
from parts.process import wait_until
from support.worker import uuid_v7

CLIENTS = 1000
AHEAD = 32
DATA = {"run": {"state": "running"}, "totals": {"passed": 17, "failed": 0}, "mark": "~"}


class Listeners:
    def __init__(self, number, path, token, clients, events):
        argv = [BUILT / "load" / "listeners", number, path, token, clients, events]
        self._child = subprocess.Popen(
            [str(word) for word in argv], stdout=subprocess.PIPE, text=True
        )
        if self._child.stdout.readline() != "ready\n":
            raise RuntimeError("the listeners were not answered")

    def rate(self):
        seen = json.loads(self._child.stdout.readline())
        self._child.wait()
        if seen["events"] != seen["wanted"]:
            raise RuntimeError(f"{seen['events']} of {seen['wanted']} events came")
        return seen["events"] / seen["seconds"]


class Writer:
    """Writes progress of a run to the topic of events."""

    def __init__(self, verdict, run):
        self._verdict, self._run = verdict, run
        settings = {"bootstrap.servers": verdict.bus.brokers, "linger.ms": 0}
        self._producer = Producer(settings)
        count = verdict.bus.partitions("events")
        self._partition = zlib.crc32(run["project_id"].encode()) % count

    def write(self):
        body = {"version": 1, "type": "event", "id": uuid_v7(), "event": "run.progress"}
        body |= {"project_id": self._run["project_id"], "run_id": self._run["id"]}
        body |= {"run_version": 0, "at": int(time.time() * 1000), "data": DATA}
        topic = self._verdict.bus.topic("events")
        self._producer.produce(topic, json.dumps(body), partition=self._partition)
        self._producer.poll(0)

    def flush(self):
        if self._producer.flush(30) != 0:
            raise RuntimeError("the events were not acknowledged")


class Ear:
    """A client of ours, which counts what it hears."""

    def __init__(self, answer):
        self.heard = 0
        self._answer = answer
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        """Until the answer is closed, which breaks off what reads it."""
        with contextlib.suppress(AttributeError, requests.RequestException):
            for part in self._answer.iter_content(chunk_size=None):
                self.heard += part.count(b"~")

    def wait(self, count):
        wait_until(lambda: self.heard >= count, 60, f"{count} events to be heard")


def write_all(writer, ear, count):
    before = ear.heard
    for number in range(1, count + 1):
        writer.write()
        if number % AHEAD == 0:
            ear.wait(before + number - AHEAD)
    writer.flush()


def is_heard(writer, ear):
    """Whether the service reads the topic already: what was written before it did is not told."""
    writer.write()
    writer.flush()
    time.sleep(0.1)
    return ear.heard > 0


def measure(bench):
    count = 200 if bench.quick else 1000
    with bench.verdict("api-ingest") as verdict:
        make_suite(verdict)
        made = verdict.api.post("/v1/runs", {"project": "bench", "suite": "noop"})
        project = verdict.db.value("SELECT project_id FROM api.run WHERE id = %s", made["id"])
        writer = Writer(verdict, {"id": made["id"], "project_id": str(project)})
        token = verdict.admin_token.read_text().strip()
        path = f"/v1/runs/{made['id']}/events"

        def once():
            with verdict.api.request("GET", path, stream=True) as answer:
                ear = Ear(answer)
                wait_until(lambda: is_heard(writer, ear), 60, "an event to be heard")
                listeners = Listeners(verdict.api_port, path, token, CLIENTS, count)
                write_all(writer, ear, count)
                return listeners.rate()

        values = bench.repeat(once)
    event = bench.folder / "event"
    event.write_text(f"event: run.progress\ndata: {json.dumps(DATA)}\n\n")

    def alone():
        with port() as number, running([BUILT / "peers" / "web", number, event], number):
            listeners = Listeners(number, "/events", "x", CLIENTS, count)
            tell = ["curl", "-s", "-o", "/dev/null", f"http://127.0.0.1:{number}/tell/{count}"]
            subprocess.run(tell, check=True)
            return listeners.rate()

    peer = bench.repeat(alone)
    row = Row(f"live events to {CLIENTS:,} SSE clients", "/s", values)
    row.peer, row.peer_values, row.aim = "libmicrohttpd alone", peer, "≥ 100 k/s"
    return [fits(row, least=100_000)]
