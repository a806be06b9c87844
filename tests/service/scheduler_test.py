# SPDX-License-Identifier: Apache-2.0
"""The scheduler on real Kafka and Postgres, with api-ingest and result-collector as they are. The
tests stand in for the workers: they enrol, heartbeat, read their lane and stream results, and
misbehave."""

import collections
import hashlib
import hmac
import json
import signal
import subprocess
import threading
import time
import uuid
import zlib

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from parts.process import wait_until
from support.database import refuse
from support.size import WHOLE, size
from support.worker import uuid_v7

FINAL = ("passed", "failed", "errored", "cancelled", "timed_out")
PARTITIONS = 4


def partition_of(text, count):
    return zlib.crc32(text.encode()) % count


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


@pytest.fixture
def pool(verdict):
    made = Pool(verdict)
    try:
        yield made
    finally:
        made.close()


def declared(*names):
    suite = {"framework": "pytest", "cases": [f"t.py::{name}" for name in names]}
    return {**suite, "max_tasks": 1}


def test_a_run_goes_to_a_free_slot_at_once_and_is_told_in_order(pool):
    worker = pool.ready_worker()

    run = pool.trigger(build_version="1.2", branch="main")
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    pool.reaches(run, "running")
    worker.finish(dispatch, ["a", "b"])
    state = pool.final(run)

    assert (state["state"], state["reason"], state["version"]) == ("passed", None, 3)
    assert dispatch["build_version"] == "1.2"
    assert dispatch["run_url"].endswith(run)
    totals = pool.totals(run)
    assert (totals["planned"], totals["passed"], totals["closed"]) == (2, 2, True)
    events = pool.db.query(
        "SELECT version, type, data FROM scheduling.run_event WHERE run_id = %s ORDER BY version",
        run,
    )
    assert [(e["version"], e["type"]) for e in events] == [
        (1, "run.queued"),
        (2, "run.started"),
        (3, "run.finished"),
    ]
    assert events[-1]["data"]["totals"]["not_run"] == 0

    def told():
        found = [m for m in pool.verdict.bus.read_json("events") if m.get("run_id") == run]
        names = [m["event"] for m in found if m["event"] != "run.progress"]
        return names if len(names) >= 3 else None

    names = wait_until(told, 15, "what the world is told")
    assert names == ["run.queued", "run.started", "run.finished"]
    wait_until(lambda: not worker.held, 15, "the spool to be settled")


def test_a_dispatch_that_nobody_acknowledges_is_sent_three_times_then_anew(pool):
    worker = pool.ready_worker(accepts=False)

    pool.trigger()
    fourth = worker.next_dispatch(3, 30)

    same = [d["dispatch_id"] for d in worker.received[:3]]
    assert len(set(same)) == 1
    assert fourth["dispatch_id"] not in same
    assert fourth["attempt"] == 2
    assert [d["seq"] for d in worker.received] == sorted({d["seq"] for d in worker.received})


def test_a_slot_is_given_once(pool):
    worker = pool.ready_worker()
    worker.accepts = False  # says nothing of what it was sent, so its announced slot is old news

    first, second = pool.trigger(), pool.trigger()
    dispatch = worker.next_dispatch()
    with worker.lock:
        worker.beats = False
        worker.start(dispatch)
    pool.reaches(first, "running")
    worker.heartbeat()
    text = pool.waits_for(second, "busy")

    assert "busy" in text
    assert len({d["dispatch_id"] for d in worker.received}) == 1
    worker.beats = True


def test_a_lost_worker_s_remaining_cases_go_to_another_and_its_late_ones_do_not_count(pool):
    first = pool.ready_worker("first")
    run = pool.trigger(suite=declared("test_a", "test_b", "test_c"))
    dispatch = first.next_dispatch()
    first.start(dispatch)
    keys = {c["selector"].split("::")[1]: c["key"] for c in dispatch["cases"]}
    item = result("test_a")
    item["body"]["key"] = keys["test_a"]
    first.stream(dispatch, [item])
    wait_until(lambda: pool.totals(run)["passed"] == 1, 15, "the first result to be recorded")

    first.beats = False
    second = pool.ready_worker("second")
    again = second.next_dispatch(0, 30)
    left = [c["selector"].split("::")[1] for c in again["cases"]]
    second.start(again)
    late = result("test_b", "failed")
    late["body"]["key"] = keys["test_b"]
    first.stream(dispatch, [late], 2)
    items = [result(name) for name in left]
    for one in items:
        one["body"]["key"] = keys[one["body"]["name"]]
    second.stream(again, [*items, finished(passed=2)])
    state = pool.final(run)

    assert left == ["test_b", "test_c"]
    assert again["attempt"] == 2
    assert state["state"] == "passed"
    totals = pool.totals(run)
    assert (totals["planned"], totals["passed"], totals["failed"]) == (3, 3, 0)
    ended = pool.db.query(
        "SELECT ended, started FROM scheduling.dispatch WHERE run_id = %s ORDER BY attempt", run
    )
    assert [(d["ended"], d["started"]) for d in ended] == [("lost", True), ("recorded", True)]


def test_cases_are_cut_by_how_long_they_took_the_longest_first(pool):
    """One of six takes as long as all others: the next run gives it a task of its own."""
    took_ms = {**dict.fromkeys((f"test_{n}" for n in "abcdef"), 600), "test_c": 3000}
    worker = pool.ready_worker(slots=2)
    run = pool.trigger(suite=declared(*took_ms))
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    items = [result(name, duration_ms=ms) for name, ms in took_ms.items()]
    for one, case in zip(items, dispatch["cases"], strict=True):
        one["body"]["key"] = case["key"]
    worker.stream(dispatch, [*items, finished(passed=6)])
    pool.final(run)
    known = "SELECT count(*) FROM results.known_case"
    wait_until(lambda: pool.db.value(known) == 6, 15, "the durations to be counted")

    pool.trigger(suite={**declared(*took_ms), "max_tasks": 2})
    longest, rest = worker.next_dispatch(1), worker.next_dispatch(2)

    names = [[c["selector"].split("::")[1] for c in d["cases"]] for d in (longest, rest)]
    assert names == [["test_c"], ["test_a", "test_b", "test_d", "test_e", "test_f"]]
    assert (longest["task_index"], rest["task_index"]) == (0, 1)


def test_a_case_that_was_only_skipped_counts_like_a_new_one(pool):
    """Two of ten have run: the others are as long as they are, not of no length."""
    names = [f"test_{n}" for n in "abcdefghij"]
    worker = pool.ready_worker(slots=2)
    run = pool.trigger(suite=declared(*names))
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    ran = [result(name, duration_ms=1000) for name in names[:2]]
    items = ran + [result(name, "skipped", duration_ms=0) for name in names[2:]]
    for one, case in zip(items, dispatch["cases"], strict=True):
        one["body"]["key"] = case["key"]
    worker.stream(dispatch, [*items, finished(passed=2, skipped=8)])
    pool.final(run)
    known = "SELECT count(*) FROM results.known_case"
    wait_until(lambda: pool.db.value(known) == 10, 15, "the durations to be counted")

    pool.trigger(suite={**declared(*names), "max_tasks": 2})
    pieces = [worker.next_dispatch(1), worker.next_dispatch(2)]

    assert [len(piece["cases"]) for piece in pieces] == [5, 5]


def test_a_task_that_two_workers_were_lost_with_is_poison(pool):
    workers = [pool.ready_worker("first")]
    run = pool.trigger()
    for name in ("second", "third"):
        dispatch = workers[-1].next_dispatch(0, 30)
        workers[-1].start(dispatch)
        wait_until(lambda: pool.tasks(run)[0]["state"] == "running", 15, "the task to run")
        workers[-1].beats = False
        workers.append(pool.ready_worker(name))

    state = pool.final(run)

    assert (state["state"], state["reason"]) == ("errored", "worker_lost")


def test_losses_without_end_are_results_lost(pool):
    worker = pool.ready_worker()
    run = pool.trigger(policy={"attempts": 1})
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    pool.reaches(run, "running")

    with worker.lock:
        worker.held.clear()
    state = pool.final(run)

    assert (state["state"], state["reason"]) == ("errored", "results_lost")
    assert pool.totals(run)["closed"]


def test_what_a_worker_does_not_list_any_more_is_given_out_anew(pool):
    worker = pool.ready_worker()
    pool.trigger()
    dispatch = worker.next_dispatch()
    worker.start(dispatch)

    with worker.lock:
        worker.held.clear()
    again = worker.next_dispatch(1)

    assert again["attempt"] == 2
    assert again["dispatch_id"] != dispatch["dispatch_id"]


def test_a_worker_started_anew_has_lost_what_it_does_not_list(pool):
    worker = pool.ready_worker()
    run = pool.trigger()
    worker.next_dispatch()
    worker.close()

    reborn = pool.worker("one", saved=worker)
    dispatch = reborn.next_dispatch()

    assert dispatch["attempt"] == 2
    assert dispatch["incarnation"] == 2
    assert pool.tasks(run)[0]["losses_started"] == 0


def test_a_hand_back_is_no_loss(pool):
    worker = pool.ready_worker()
    run = pool.trigger(policy={"attempts": 1})
    dispatch = worker.next_dispatch()

    worker.finish(dispatch, [], ending="handed_back", report="none_expected")
    again = worker.next_dispatch(1)
    worker.start(again)
    worker.finish(again)

    assert pool.final(run)["state"] == "passed"
    assert pool.tasks(run)[0]["losses_started"] == 0


def test_a_dispatch_that_its_worker_killed_unasked_is_not_a_cancelled_run(pool):
    worker = pool.ready_worker()
    run = pool.trigger()
    dispatch = worker.next_dispatch()
    worker.start(dispatch)

    worker.finish(dispatch, [], ending="cancelled", report="missing")
    again = worker.next_dispatch(1)
    worker.start(again)
    worker.finish(again)

    assert pool.final(run)["state"] == "passed"


@pytest.mark.parametrize("state", ["queued", "dispatched", "running"])
def test_a_cancel_is_final_at_once_in_every_state(pool, state):
    worker = pool.ready_worker() if state != "queued" else None
    run = pool.trigger()
    dispatch = worker.next_dispatch() if worker else None
    if state == "running":
        worker.start(dispatch)
        pool.reaches(run, "running")
    else:
        pool.reaches(run, "queued")

    pool.cancel(run)
    final = pool.final(run)

    assert (final["state"], final["reason"]) == ("cancelled", "cancelled")
    assert final["actor"] is not None
    assert pool.totals(run)["closed"]
    assert all(t["outcome"] == "cancelled" for t in pool.tasks(run))
    if dispatch:
        wait_until(lambda: dispatch["dispatch_id"] in worker.cancelled, 15, "the worker to be told")
        wait_until(
            lambda: worker.syncs and dispatch["dispatch_id"] not in worker.syncs[-1]["running"],
            15,
            "the full set to be without it",
        )
        worker.finish(dispatch, [])
        wait_until(lambda: not worker.held, 15, "the spool to be settled")
    assert pool.final(run)["state"] == "cancelled"


def test_a_cancel_and_a_trigger_without_any_message_are_found(pool):
    pool.verdict.stop("scheduler")
    run, other = pool.trigger(), pool.trigger()
    pool.db.query("DELETE FROM api.outbox")
    pool.db.query(
        """INSERT INTO api.run (id, project_id, pool_id, suite_version_id, suite_slug, title,
                                priority, policy, created_by)
           SELECT %s, project_id, pool_id, suite_version_id, suite_slug, title, priority, policy,
                  created_by FROM api.run WHERE id = %s""",
        silent := other[:-12] + uuid.uuid4().hex[:12],
        other,
    )
    pool.db.query(
        """INSERT INTO api.run_request (id, run_id, kind, created_by)
           SELECT %s, id, 'cancel', created_by FROM api.run WHERE id = %s""",
        str(uuid.uuid4()),
        run,
    )

    pool.verdict.start("scheduler")
    worker = pool.ready_worker(slots=2)

    assert pool.final(run)["state"] == "cancelled"
    wait_until(
        lambda: {silent, other} <= {d["run_id"] for d in worker.received}, 15, "both to be sent"
    )


def test_a_record_without_any_message_ends_the_task(pool):
    worker = pool.ready_worker()
    run = pool.trigger()
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    pool.reaches(run, "running")

    pool.verdict.stop("result-collector")
    pool.db.query(
        """INSERT INTO results.task_record (dispatch_id, run_id, task_id, attempt, received,
                                            finished, ending, exit_status, report)
           VALUES (%s, %s, %s, 1, 1, true, 'exited', 0, 'complete')""",
        dispatch["dispatch_id"],
        run,
        dispatch["task_id"],
    )

    assert pool.final(run)["reason"] == "no_tests"


def test_of_a_finish_and_a_cancel_at_once_one_wins(pool, tell):
    worker = pool.ready_worker(slots=16)
    won = collections.Counter()
    for _ in range(size(1, 63)):
        won += race_finishes_against_cancels(pool, worker)
    tell(races=won.total(), cancelled=won["cancelled"])
    if WHOLE:  # else they were no races
        assert 0 < won["cancelled"] < won.total()


def race_finishes_against_cancels(pool, worker):
    """16 races at once; what won."""
    won = collections.Counter()
    runs = [pool.trigger() for _ in range(16)]
    sent = lambda: {d["run_id"]: d for d in worker.received if d["run_id"] in runs}  # noqa: E731
    wait_until(lambda: len(sent()) == len(runs), 30, "all of them to be dispatched")
    dispatches = list(sent().values())
    for dispatch in dispatches:
        worker.start(dispatch)

    cancels = [threading.Thread(target=pool.cancel, args=(d["run_id"],)) for d in dispatches]
    for cancel, dispatch in zip(cancels, dispatches, strict=True):
        cancel.start()
        worker.finish(dispatch)
    for cancel in cancels:
        cancel.join()

    for run in runs:
        state = pool.final(run)
        finals = pool.db.value(
            "SELECT count(*) FROM scheduling.run_event WHERE run_id = %s AND type = 'run.finished'",
            run,
        )
        told = pool.verdict.api.get(f"/v1/runs/{run}")
        assert state["state"] in ("passed", "cancelled")
        assert finals == 1
        assert told["state"] == state["state"]
        won[state["state"]] += 1
    return won


def test_when_most_of_a_pool_falls_silent_at_once_nobody_is_lost(pool):
    workers = [pool.ready_worker(f"worker-{i}") for i in range(4)]
    runs = [pool.trigger() for _ in workers]
    for worker in workers:
        worker.start(worker.next_dispatch())
    for run in runs:
        pool.reaches(run, "running")

    for worker in workers:
        worker.beats = False
    waiting = pool.trigger()
    pool.waits_for(waiting, "workers_silent")
    lost = "SELECT min(s.silent) > interval '6 seconds' FROM (SELECT now() - last_heartbeat_at AS "
    lost += "silent FROM scheduling.worker) s"
    wait_until(lambda: pool.db.value(lost), 30, "the time after which workers are lost")
    for worker in workers:
        worker.beats = True
        worker.finish(worker.received[0])

    for run in runs:
        assert pool.final(run)["state"] == "passed"
        assert pool.tasks(run)[0]["attempt"] == 1


def test_a_graceful_stop_is_prompt_and_loses_nothing(pool):
    worker = pool.ready_worker()
    run = pool.trigger()
    dispatch = worker.next_dispatch()
    worker.start(dispatch)

    assert pool.verdict.stop("scheduler") == 0
    worker.finish(dispatch)
    pool.verdict.start("scheduler")

    assert pool.final(run)["state"] == "passed"
    assert pool.tasks(run)[0]["attempt"] == 1


def test_the_scheduling_topic_made_again_loses_no_run(pool):
    worker = pool.ready_worker()
    running = pool.trigger()
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    pool.reaches(running, "running")
    queued = pool.trigger()
    pool.waits_for(queued, "busy")

    pool.verdict.bus.delete("scheduling")
    pool.verdict.bus.create("scheduling", PARTITIONS)
    worker.finish(dispatch)
    again = worker.next_dispatch(1, 60)
    worker.start(again)
    worker.finish(again)

    assert pool.final(running)["state"] == "passed"
    assert pool.final(queued, 60)["state"] == "passed"
    assert pool.tasks(running)[0]["attempt"] == 1


def test_texts_are_cut_between_characters(pool):
    """Half a character would be refused by Postgres, again and again, and hold up the partition."""
    worker = pool.ready_worker()
    run = pool.trigger()
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    worker.finish(dispatch, names=(), ending="source_failed", detail="x" + "ü" * 198)
    waiting = [
        pool.trigger(requirements=["l" * length + "=" + "ü" * 127], suite={"slug": f"long{length}"})
        for length in (50, 51)
    ]

    final = pool.final(run)
    texts = [pool.waits_for(one, "no_capable_worker") for one in waiting]

    assert (final["state"], final["reason"]) == ("errored", "source_failed")
    assert final["reason_detail"].startswith("xüü")
    assert all("ü" in text for text in texts)
    assert pool.db.value("SELECT count(*) FROM scheduling.dead_letter") == 0


def test_an_exit_status_counts_though_nothing_ran_and_that_is_allowed(pool):
    worker = pool.ready_worker()
    run = pool.trigger(policy={"allow_empty": True})
    dispatch = worker.next_dispatch()
    worker.start(dispatch)

    worker.finish(dispatch, names=(), exit_status=2)

    assert pool.final(run)["reason"] == "exit_contradicts_report"


def test_blocked_cases_are_an_error_that_says_so(pool):
    worker = pool.ready_worker()
    run = pool.trigger()
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    pool.waits_for(run, "tests")

    items = [result("a"), result("b", "blocked"), finished(passed=1, blocked=1)]
    worker.stream(dispatch, items)
    state = pool.final(run)

    assert (state["state"], state["reason"]) == ("errored", "cases_blocked")
    answer = pool.verdict.api.get(f"/v1/runs/{run}")
    assert (answer["exit_code"], answer["totals"]["blocked"]) == (3, 1)
    told = subprocess.run(**pool.verdict.cli("wait", run), capture_output=True, check=False)
    assert told.returncode == 3
    assert b"blocked" in told.stderr


def test_a_resync_is_known_to_the_next_owner(pool):
    """A worker that was away while it was asked for is asked by whoever owns the partition then."""
    token = str(uuid.uuid4())
    resync = {"version": 1, "type": "resync", "topic": "results", "token": token}
    worker = pool.ready_worker()
    partition = worker.identity["scheduling_partition"]
    pool.verdict.bus.produce("scheduling", json.dumps(resync), partition)
    wait_until(
        lambda: worker.syncs and worker.syncs[-1].get("resync_token") == token, 15, "the token"
    )

    pool.verdict.kill("scheduler")
    worker.syncs.clear()
    pool.verdict.start("scheduler")

    wait_until(
        lambda: worker.syncs and worker.syncs[-1].get("resync_token") == token,
        15,
        "the token from the next owner",
    )


def test_a_task_that_its_worker_has_finished_is_not_overdue(pool):
    pool.verdict.start("scheduler", VERDICT_TASK_SLACK="1s")
    worker = pool.ready_worker()
    run = pool.trigger(policy={"task_timeout_ms": 1000, "grace_ms": 1000})
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    pool.reaches(run, "running")

    pool.verdict.stop("result-collector")
    worker.finish(dispatch)
    overdue = "SELECT bool_and(deadline < now() - interval '2 seconds') FROM scheduling.task"
    wait_until(lambda: pool.db.value(overdue), 30, "the task's deadline")
    pool.verdict.start("result-collector")

    assert pool.final(run)["state"] == "passed"


def test_why_says_what_a_run_waits_for(pool):
    policy = {"queue_timeout_ms": 600000}
    run = pool.trigger(policy=policy, requirements=["gpu=cuda"])
    alone = pool.waits_for(run, "no_worker")
    worker = pool.ready_worker(labels={"gpu": "none"})
    incapable = pool.waits_for(run, "no_capable_worker")
    busy = pool.trigger(policy=policy)
    worker.start(worker.next_dispatch())
    behind = pool.trigger(policy=policy)
    full = pool.waits_for(behind, "busy")
    running = pool.waits_for(busy, "tests")

    assert "no worker" in alone
    assert "gpu=cuda" in incapable
    assert "busy" in full
    assert "running" in running


def test_a_run_that_nobody_can_run_is_errored_at_its_queue_time_out(pool):
    pool.ready_worker(labels={"os": "linux"})

    run = pool.trigger(policy={"queue_timeout_ms": 2000}, requirements=["os=plan9"])
    state = pool.final(run)

    assert (state["state"], state["reason"]) == ("errored", "no_capable_worker")
    assert "os=plan9" in state["reason_detail"]


def test_a_run_that_found_no_free_slot_is_timed_out_at_its_queue_time_out(pool):
    worker = pool.ready_worker()
    pool.trigger()
    worker.start(worker.next_dispatch())

    run = pool.trigger(policy={"queue_timeout_ms": 2000})
    state = pool.final(run)

    assert (state["state"], state["reason"]) == ("timed_out", "queue_timeout")


def test_a_run_is_timed_out_at_its_deadline_whatever_it_does(pool):
    worker = pool.ready_worker()

    run = pool.trigger(policy={"run_timeout_ms": 3000, "queue_timeout_ms": 2000})
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    state = pool.final(run)

    assert (state["state"], state["reason"]) == ("timed_out", "run_timeout")
    wait_until(lambda: dispatch["dispatch_id"] in worker.cancelled, 15, "the worker to be told")


def test_a_newer_run_of_the_branch_supersedes(pool):
    policy = {"cancel_superseded": True}
    older = pool.trigger(policy=policy, branch="main")
    pool.reaches(older, "queued")

    newer = pool.trigger(policy=policy, branch="main")
    state = pool.final(older)

    assert (state["state"], state["reason"]) == ("cancelled", "superseded")
    assert pool.state(newer)["state"] == "queued"


def test_priority_goes_first_then_the_project_that_has_less(pool):
    pool.verdict.api.put("/v1/projects/other", {"title": "Other"})
    worker = pool.ready_worker()
    first = pool.trigger()
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    same = pool.trigger()
    second_slot = pool.trigger(project="other")
    urgent = pool.trigger(priority=90)
    for run in (same, second_slot, urgent):
        pool.waits_for(run, "busy")

    worker.slots = 3
    worker.heartbeat()
    order = [worker.next_dispatch(i)["run_id"] for i in range(3)]

    assert order == [first, urgent, second_slot]


def test_a_take_over_goes_on_where_the_other_was(pool):
    worker = pool.ready_worker()
    run = pool.trigger()
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    pool.reaches(run, "running")

    pool.verdict.kill("scheduler")
    pool.verdict.start("scheduler")
    wait_until(lambda: worker.hellos, 15, "the new owner's hello")
    worker.finish(dispatch)

    assert pool.final(run)["state"] == "passed"
    assert pool.tasks(run)[0]["attempt"] == 1
    assert len(worker.received) == 1


def test_a_zombie_is_fenced(pool):
    worker = pool.ready_worker()
    pool.verdict.pause("scheduler")
    pool.verdict.start("scheduler-2")
    epochs = """SELECT max(epoch) AS epoch FROM scheduling.partition_owner WHERE partition = %s"""
    partition = worker.identity["scheduling_partition"]
    wait_until(
        lambda: (
            pool.db.value(
                "SELECT instance FROM scheduling.partition_owner WHERE partition = %s", partition
            )
            == "scheduler-2"
        ),
        30,
        "the second to take over",
    )
    epoch = pool.db.value(epochs, partition)

    run = pool.trigger()
    dispatch = worker.next_dispatch(0, 30)
    pool.verdict.resume("scheduler")
    worker.start(dispatch)
    worker.finish(dispatch)

    assert pool.final(run)["state"] == "passed"
    assert dispatch["epoch"] == epoch
    assert pool.tasks(run)[0]["attempt"] == 1
    final = pool.trigger()
    again = worker.next_dispatch(1, 30)
    worker.start(again)
    worker.finish(again)
    assert pool.final(final)["state"] == "passed"


@pytest.mark.parametrize("epoch", [2**62, 2**53 - 1, 10_000_000])
def test_an_epoch_that_no_scheduler_can_have_had_is_refused(pool, epoch):
    worker = pool.ready_worker()
    before = pool.db.value("SELECT max(epoch) FROM scheduling.inbox_offset")

    worker.heartbeat(epoch=epoch)

    letters = lambda: pool.db.query("SELECT error FROM scheduling.dead_letter")  # noqa: E731
    wait_until(letters, 15, "the heartbeat to be refused")
    assert "epoch" in letters()[0]["error"]
    assert work_off(pool, worker, pool.trigger()) == "passed"
    assert pool.db.value("SELECT max(epoch) FROM scheduling.inbox_offset") == before


def test_a_worker_that_has_seen_a_higher_epoch_raises_ours(pool):
    worker = pool.ready_worker()

    with worker.lock:
        worker.epoch = 1000
    wait_until(
        lambda: pool.db.value("SELECT max(epoch) FROM scheduling.inbox_offset") == 1001,
        15,
        "the epoch to be above what the worker has seen",
    )
    run = pool.trigger()
    dispatch = worker.next_dispatch()

    assert dispatch["run_id"] == run
    assert dispatch["epoch"] >= 1001


def test_a_worker_speaks_for_itself_and_its_pool_alone(pool):
    worker = pool.ready_worker()
    count = "SELECT count(*) FROM scheduling.dead_letter"

    worker.heartbeat(mac=b"0" * 32)
    worker.heartbeat(pool_id=str(uuid.uuid4()))
    worker.heartbeat(worker_id=str(uuid.uuid4()))

    wait_until(lambda: pool.db.value(count) == 3, 15, "three dead letters")
    run = pool.trigger()
    assert worker.next_dispatch()["run_id"] == run


# A fault of ours, as Postgres would show it: a statement about one run is refused as data.
def work_off(pool, worker, run):
    """The worker runs it, however often its dispatch (and that of others) was sent."""

    def sent():
        with worker.lock:
            return next((d for d in worker.received if d["run_id"] == run), None)

    dispatch = wait_until(sent, 30, "the run's dispatch")
    worker.start(dispatch)
    worker.finish(dispatch)
    return pool.final(run)["state"]


def others_pass(pool, worker):
    assert work_off(pool, worker, pool.trigger()) == "passed"


def test_a_run_whose_dispatch_is_refused_as_data_ends_and_stops_nobody(pool):
    run = pool.trigger()
    pool.waits_for(run, "no_worker")
    refuse(pool.db, "scheduling.task", "INSERT", run)

    worker = pool.ready_worker()
    state = pool.final(run)

    assert (state["state"], state["reason"]) == ("errored", "internal_error")
    assert "22021" in state["reason_detail"]
    events = pool.db.query(
        "SELECT type, data FROM scheduling.run_event WHERE run_id = %s ORDER BY version", run
    )
    assert [event["type"] for event in events] == ["run.queued", "run.finished"]
    assert events[-1]["data"]["reason"] == "internal_error"
    assert pool.totals(run)["closed"]
    others_pass(pool, worker)
    assert pool.db.value("SELECT count(*) FROM scheduling.dead_letter") == 0


def test_a_run_of_the_past_that_is_refused_hides_none_behind_it(pool):
    pool.verdict.stop("scheduler")
    runs = [uuid_v7(time.time() - 1200 + i) for i in range(3)]  # hints for these were never sent
    for run in runs:
        pool.db.query("UPDATE api.run SET id = %s WHERE id = %s", run, pool.trigger())
    refuse(pool.db, "scheduling.run_state", "INSERT", runs[0])

    pool.verdict.start("scheduler")

    for run in runs[1:]:
        pool.waits_for(run, "no_worker")


def test_a_run_is_cut_into_no_more_tasks_than_it_may_have(pool):
    pool.verdict.stop("scheduler")
    workers = [pool.worker(f"wide-{i}", slots=256) for i in range(4)]
    patient = {"VERDICT_WORKER_SUSPECT": "100s", "VERDICT_WORKER_LOST": "200s"}
    pool.verdict.start("scheduler", **patient)
    # Answered, so heard of by whoever plans; the row of an earlier owner would not say that.
    wait_until(lambda: all(worker.syncs for worker in workers), 30, "all workers to be heard")

    run = pool.trigger(suite={"framework": "pytest", "cases": [f"t.py::t{i}" for i in range(1100)]})

    wait_until(lambda: pool.tasks(run), 30, "the run to be planned")
    assert len(pool.tasks(run)) == 1000


def test_a_run_that_is_refused_when_it_starts_ends_and_its_worker_is_told(pool):
    worker = pool.ready_worker()
    run = pool.trigger()
    dispatch = worker.next_dispatch()
    refuse(pool.db, "scheduling.run_state", "UPDATE", run, "AND NEW.state = 'running'")

    worker.start(dispatch)
    state = pool.final(run)

    assert (state["state"], state["reason"]) == ("errored", "internal_error")
    assert pool.tasks(run)[0]["state"] == "done"
    wait_until(
        lambda: worker.syncs and dispatch["dispatch_id"] not in worker.syncs[-1]["running"],
        15,
        "the worker to be told that it should not run it",
    )
    with worker.lock:
        worker.held.clear()
    worker.heartbeat()
    others_pass(pool, worker)


def test_a_run_that_cannot_be_read_ends_and_stops_nobody(pool):
    run = pool.trigger()
    pool.waits_for(run, "no_worker")
    pool.verdict.stop("scheduler")
    pool.db.query(
        """UPDATE api.run SET policy = jsonb_set(policy, '{attempts}', '-7') WHERE id = %s""", run
    )
    pool.verdict.start("scheduler")
    worker = pool.ready_worker()

    state = pool.final(run)

    assert (state["state"], state["reason"]) == ("errored", "internal_error")
    assert "attempts" in state["reason_detail"]
    others_pass(pool, worker)


def test_a_run_that_cannot_be_adopted_stops_nobody_and_is_ended_when_it_can_be(pool):
    worker = pool.ready_worker()
    pool.verdict.stop("scheduler")
    runs = [pool.trigger() for _ in range(3)]
    refuse(pool.db, "scheduling.run_state", "INSERT", runs[1])

    pool.verdict.start("scheduler")

    assert work_off(pool, worker, runs[0]) == "passed"
    assert work_off(pool, worker, runs[2]) == "passed"
    assert pool.state(runs[1]) is None
    others_pass(pool, worker)
    pool.db.query("DROP TRIGGER refuse ON scheduling.run_state")
    pool.verdict.restart("scheduler")
    assert work_off(pool, worker, runs[1]) == "passed"


def pile_up(worker, count):
    """So many messages of before, which a scheduler that comes back has to read first."""
    topic, partition = (
        worker.identity["topics"]["scheduling"],
        worker.identity["scheduling_partition"],
    )
    probe = {"version": 1, "type": "scheduler.probe", "instance": "x", "epoch": 1, "seq": 1}
    with worker.lock:
        for _ in range(count):
            payload = json.dumps(probe).encode()
            while True:
                try:
                    worker.producer.produce(topic, payload, partition=partition)
                    break
                except BufferError:
                    worker.producer.poll(0.1)
        assert worker.producer.flush(60) == 0


@pytest.mark.parametrize(
    "policy, deadline",
    [
        ({"task_timeout_ms": 4000, "grace_ms": 1000}, "t.deadline"),
        ({"run_timeout_ms": 6000, "queue_timeout_ms": 5000}, "s.run_deadline"),
    ],
    ids=["of the task", "of the run"],
)
def test_what_ended_in_time_is_not_overdue_after_a_long_absence(pool, policy, deadline):
    """The scheduler is away while a task ends, until its deadline is over; then it has a long log
    to read before it hears of the end, which stands in the ledger."""
    pool.verdict.start("scheduler", VERDICT_TASK_SLACK="1s")
    worker = pool.ready_worker()
    run = pool.trigger(policy=policy)
    dispatch = worker.next_dispatch()
    worker.start(dispatch)
    pool.reaches(run, "running")
    pool.verdict.kill("scheduler")
    pile_up(worker, 20000)
    worker.finish(dispatch)
    recorded = "SELECT bool_and(finished) FROM results.task_record"
    wait_until(lambda: pool.db.value(recorded), 20, "the record")
    over = f"""SELECT bool_and({deadline} < now()) FROM scheduling.task t
               JOIN scheduling.run_state s ON s.run_id = t.run_id"""
    wait_until(lambda: pool.db.value(over), 30, "the deadline to be over")

    pool.verdict.start("scheduler")

    assert pool.final(run)["state"] == "passed"


def test_a_failure_of_a_case_that_an_earlier_attempt_passed_is_not_green(pool):
    """Attempt 1 records a as passed and is lost; attempt 2 runs all again, and a fails."""
    one = pool.ready_worker()
    run = pool.trigger(suite={"report": {"format": "junit", "path": "r.xml"}})
    dispatch = one.next_dispatch()
    one.start(dispatch)
    one.stream(dispatch, [result("a")])
    results = "SELECT count(*) FROM results.result"
    wait_until(lambda: pool.db.value(results) == 1, 15, "the first result")
    with one.lock:
        one.held.clear()
        one.incarnation += 1
    one.heartbeat()
    again = one.next_dispatch(1)
    one.start(again)
    end = finished("exited", passed=1, failed=1, exit_status=1)
    one.stream(again, [result("a", "failed"), result("b"), end])

    state = pool.final(run)

    assert (state["state"], state["reason"]) == ("errored", "exit_contradicts_report")
    assert state["reason_detail"] == "a failed, and passed in an earlier attempt"


FOUR = ["api-ingest", "scheduler", "result-collector", "notifier"]


def say_twice(services):
    for service in services:
        service.signal(signal.SIGTERM)
    for service in services:
        stopping = lambda s=service: '"stopping"' in s.log_tail(50)  # noqa: E731
        wait_until(stopping, 15, f"{service.name} to begin to stop")
        service.signal(signal.SIGTERM)


AWAY = [pytest.param(kind, marks=pytest.mark.own(kind)) for kind in ("kafka", "postgres")]


@pytest.mark.parametrize("away", AWAY)
def test_a_second_signal_ends_a_service_whatever_it_waits_for(private_verdict, away):
    services = [private_verdict.start(name) for name in FOUR]
    server = getattr(private_verdict.servers, away)
    server.signal(signal.SIGSTOP)
    try:
        say_twice(services)
        gone = lambda: not any(service.is_running() for service in services)  # noqa: E731
        wait_until(gone, 2, "them to end at once")
    finally:
        server.signal(signal.SIGCONT)


@pytest.mark.own("kafka")
def test_a_stop_ends_within_its_grace_without_kafka(private_verdict):
    services = [private_verdict.start(name, VERDICT_STOP_GRACE="2s") for name in FOUR]
    private_verdict.servers.kafka.signal(signal.SIGSTOP)
    try:
        for service in services:
            service.signal(signal.SIGTERM)
        gone = lambda: not any(service.is_running() for service in services)  # noqa: E731
        wait_until(gone, 8, "them to end")
    finally:
        private_verdict.servers.kafka.signal(signal.SIGCONT)


def test_a_graceful_stop_is_a_visible_list(pool):
    service = pool.verdict.services["scheduler"]

    assert pool.verdict.stop("scheduler") == 0

    log = service.log_tail(50)
    assert log.index("decide nothing more") < log.index("deliver what was decided")


def test_cases_without_the_end_of_their_process_are_run_again(pool):
    """All declared cases are recorded as passed, then the worker dies: how its process ended nobody
    has seen, so that is no green run yet."""
    worker = pool.ready_worker()
    run = pool.trigger(suite=declared("a", "b"))
    dispatch = worker.next_dispatch()
    worker.start(dispatch)

    def passed(one):
        body = {"key": one["key"], "name": one["selector"], "status": "passed", "duration_ms": 1}
        return {"kind": "result", "body": body}

    worker.stream(dispatch, [passed(one) for one in dispatch["cases"]])
    results = "SELECT count(*) FROM results.result"
    wait_until(lambda: pool.db.value(results) == 2, 15, "both results")
    with worker.lock:
        worker.held.clear()
        worker.incarnation += 1
    worker.heartbeat()

    again = worker.next_dispatch(1)
    assert [one["key"] for one in again["cases"]] == [one["key"] for one in dispatch["cases"]]
    worker.start(again)
    end = finished("exited", passed=2, exit_status=3)
    worker.stream(again, [*[passed(one) for one in again["cases"]], end])

    state = pool.final(run)
    assert (state["state"], state["reason"]) == ("errored", "exit_contradicts_report")
    assert pool.totals(run)["passed"] == 2


def test_an_epoch_that_comes_again_is_heard_by_workers(pool):
    """A copy of one take-over ago is put back while the scheduler is away: the next take-over makes
    the epoch that workers have seen already."""
    worker = pool.ready_worker()
    for count in range(10):
        run = pool.trigger()
        dispatch = worker.next_dispatch(count)
        worker.start(dispatch)
        worker.finish(dispatch)
        pool.final(run)
    seen = max(dispatch["seq"] for dispatch in worker.received)
    pool.verdict.stop("scheduler")
    pool.db.query("UPDATE scheduling.inbox_offset SET epoch = epoch - 1")

    pool.verdict.start("scheduler")
    run = pool.trigger()
    again = worker.next_dispatch(10)

    assert again["epoch"] == dispatch["epoch"]
    assert again["seq"] > seen, "a worker drops what is numbered below"
    worker.start(again)
    worker.finish(again)
    assert pool.final(run)["state"] == "passed"
    assert pool.tasks(run)[0]["attempt"] == 1
