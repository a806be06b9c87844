# SPDX-License-Identifier: Apache-2.0
"""A pool whose workers the test stands in for: they enrol, heartbeat, read their lane and stream
results, and misbehave. Kafka, Postgres, api-ingest, scheduler and result-collector are real."""

import hashlib
import hmac
import json
import threading
import time

from confluent_kafka import Consumer, Producer, TopicPartition
from parts.process import wait_until

FINAL = ("passed", "failed", "errored", "cancelled", "timed_out")


def key_of(name):
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


class Worker:
    """An enrolled worker. A thread of its own heartbeats and reads the lane; what is done with a
    dispatch is the test's."""

    def __init__(self, verdict, name, slots=1, labels=None, accepts=True, beats=True, saved=None):
        self.verdict = verdict
        self.name = name
        self.slots = slots
        self.labels = labels or {}
        self.accepts = accepts  # takes up what it is sent
        self.beats = beats
        self.incarnation = saved.incarnation + 1 if saved else 1
        self.seq = 0
        self.epoch = 0
        self.draining = False
        self.held = {}  # dispatch id → state
        self.received = []  # every task.dispatch
        self.cancelled = []
        self.syncs = []
        self.hellos = []
        self.lock = threading.RLock()
        self.stopped = threading.Event()
        self._enrol() if saved is None else self._take(saved.identity)
        self.producer = Producer(
            {"bootstrap.servers": verdict.bus.brokers, "linger.ms": 0, "log_level": 0}
        )
        self._listen()
        self.thread = threading.Thread(target=self._live, daemon=True)
        self.thread.start()

    def _enrol(self):
        body = {"name": self.name, "labels": self.labels, "slots": self.slots}
        token = self.verdict.join_token.read_text().strip()
        self._take(
            self.verdict.api.post(
                "/v1/workers/enrol", body, headers={"Authorization": f"Bearer {token}"}
            )
        )

    def _take(self, identity):
        self.identity = identity
        self.id = identity["worker_id"]
        self.pool = identity["pool_id"]
        self.key = bytes.fromhex(identity["key"])

    def _listen(self):
        self.consumer = Consumer(
            {
                "bootstrap.servers": self.verdict.bus.brokers,
                "group.id": "worker",
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )
        place = TopicPartition(self.identity["topics"]["lanes"], self.identity["lane"])
        _, place.offset = self.consumer.get_watermark_offsets(place, timeout=15)
        self.consumer.assign([place])

    def _live(self):
        due = 0
        while not self.stopped.is_set():
            if self.beats and time.monotonic() >= due:
                self.heartbeat()
                due = time.monotonic() + 0.3
            message = self.consumer.poll(0.05)
            if message is not None and message.error() is None:
                self._hear(json.loads(message.value()))
        self.consumer.close()

    def _hear(self, message):
        with self.lock:
            if message["type"] == "scheduler.hello":
                self.hellos.append(message)
                if self.beats:
                    self.heartbeat()
            if message.get("worker_id") != self.id:
                return
            self.epoch = max(self.epoch, message["epoch"])
            if message["type"] == "task.dispatch":
                self.received.append(message)
                if self.accepts and message["dispatch_id"] not in self.held:
                    self.held[message["dispatch_id"]] = "accepted"
                    self.heartbeat()
            elif message["type"] == "task.cancel":
                self.cancelled.append(message["dispatch_id"])
            elif message["type"] == "worker.sync":
                self.syncs.append({"running": [], **message})
                for dispatch in message.get("settled", []):
                    self.held.pop(dispatch, None)

    def send(self, topic, partition, body, mac=None):
        payload = json.dumps(body).encode()
        mac = mac or hmac.new(self.key, payload, hashlib.sha512).digest()[:32]
        self.producer.produce(
            topic, payload, partition=partition, headers={"worker": self.id.encode(), "mac": mac}
        )
        assert self.producer.flush(15) == 0

    def heartbeat(self, mac=None, **more):
        with self.lock:
            self.seq += 1
            busy = sum(state != "finished" for state in self.held.values())
            body = {
                "version": 1,
                "type": "worker.heartbeat",
                "worker_id": self.id,
                "pool_id": self.pool,
                "name": self.name,
                "incarnation": self.incarnation,
                "seq": self.seq,
                "epoch": self.epoch,
                "lane": self.identity["lane"],
                "slots": self.slots,
                "free_slots": max(0, self.slots - busy),
                "draining": self.draining,
                "software": "test",
                "labels": self.labels,
                "dispatches": [{"dispatch_id": d, "state": s} for d, s in self.held.items()],
                **more,
            }
            self._send_scheduling(body, mac)

    def _send_scheduling(self, body, mac=None):
        topic = self.identity["topics"]["scheduling"]
        self.send(topic, self.identity["scheduling_partition"], body, mac)

    def next_dispatch(self, after=0, timeout_s=15):
        """The dispatch behind the first `after` that were received."""
        return wait_until(
            lambda: self.received[after] if len(self.received) > after else None,
            timeout_s,
            f"dispatch {after + 1} to worker {self.name}",
        )

    def start(self, dispatch):
        with self.lock:
            self.held[dispatch["dispatch_id"]] = "running"
            self._send_scheduling(
                {
                    "version": 1,
                    "type": "task.started",
                    "worker_id": self.id,
                    "pool_id": self.pool,
                    "incarnation": self.incarnation,
                    "run_id": dispatch["run_id"],
                    "task_id": dispatch["task_id"],
                    "dispatch_id": dispatch["dispatch_id"],
                    "attempt": dispatch["attempt"],
                }
            )

    def stream(self, dispatch, items, first_seq=1):
        self.send(
            self.identity["topics"]["results"],
            dispatch["results_partition"],
            {
                "version": 1,
                "type": "task.stream",
                "worker_id": self.id,
                "run_id": dispatch["run_id"],
                "task_id": dispatch["task_id"],
                "attempt": dispatch["attempt"],
                "dispatch_id": dispatch["dispatch_id"],
                "variant": "",
                "first_seq": first_seq,
                "items": items,
            },
        )

    def finish(self, dispatch, names=("a",), first_seq=1, ending="exited", **more):
        items = [result(name) for name in names]
        self.stream(dispatch, [*items, finished(ending, passed=len(names), **more)], first_seq)
        with self.lock:
            self.held[dispatch["dispatch_id"]] = "finished"
            if self.beats:
                self.heartbeat()

    def close(self):
        self.stopped.set()
        self.thread.join()


def result(name, status="passed", duration_ms=1):
    body = {"key": key_of(name), "name": name, "status": status, "duration_ms": duration_ms}
    return {"kind": "result", "body": body}


def finished(ending="exited", **more):
    body = {"ending": ending, "exit_status": 0, "report": "complete", "finished_at": 1793491200000}
    return {"kind": "finished", "body": {**body, **more}}


class Pool:
    """An installation with api-ingest, scheduler and result-collector, and its workers."""

    def __init__(self, verdict):
        self.verdict = verdict
        self.db = verdict.db
        self.workers = []
        for name in ("api-ingest", "scheduler", "result-collector"):
            verdict.start(name, wait=False)
        for service in verdict.services.values():
            service.wait_ready()
        verdict.api.put("/v1/projects/shop", {"title": "Shop"})

    def worker(self, name="one", **more):
        worker = Worker(self.verdict, name, **more)
        self.workers.append(worker)
        return worker

    def ready_worker(self, name="one", **more):
        worker = self.worker(name, **more)
        wait_until(
            lambda: self.db.value("SELECT state FROM scheduling.worker WHERE id = %s", worker.id),
            15,
            "the worker to be known",
        )
        return worker

    def close(self):
        for worker in self.workers:
            worker.close()

    def trigger(self, policy=None, suite=None, **more):
        suite = {
            "slug": "suite",
            "framework": "command",
            "source": {"kind": "path", "path": "/nowhere"},
            "command": ["./none"],
            **(suite or {}),
        }
        body = {"project": "shop", "suite": suite, "policy": policy or {}, **more}
        return self.verdict.api.post("/v1/runs", body, expect=201)["id"]

    def state(self, run):
        rows = self.db.query("SELECT * FROM scheduling.run_state WHERE run_id = %s", run)
        return rows[0] if rows else None

    def final(self, run, timeout_s=30):
        def is_final():
            state = self.state(run)
            return state if state and state["state"] in FINAL else None

        return wait_until(is_final, timeout_s, f"run {run} to be final")

    def reaches(self, run, state, timeout_s=15):
        wait_until(
            lambda: (self.state(run) or {}).get("state") == state, timeout_s, f"run to be {state}"
        )

    def waits_for(self, run, wait_class, timeout_s=15):
        wait_until(
            lambda: (self.state(run) or {}).get("wait_class") == wait_class,
            timeout_s,
            f"run to wait for {wait_class}",
        )
        return self.state(run)["wait_text"]

    def tasks(self, run):
        return self.db.query(
            "SELECT * FROM scheduling.task WHERE run_id = %s ORDER BY ordinal", run
        )

    def totals(self, run):
        return self.db.query("SELECT * FROM results.run_totals WHERE run_id = %s", run)[0]

    def cancel(self, run):
        return self.verdict.api.request("POST", f"/v1/runs/{run}/cancel")


def declared(*names):
    suite = {"framework": "pytest", "cases": [f"t.py::{name}" for name in names]}
    return {**suite, "max_tasks": 1}
