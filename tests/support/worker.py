# SPDX-License-Identifier: Apache-2.0
"""A worker and the scheduler's part of its tasks, for tests and benches of the collector alone: the
rows are there as the scheduler would have made them, and the messages are signed by a key."""

import base64
import hashlib
import hmac
import json
import os
import time
import uuid
import zlib

from parts.process import wait_until

POOL = "00000000-0000-7000-8000-000000000002"


def uuid_v7(at=None):
    """An id of now, or of a time in seconds."""
    ms = int((time.time() if at is None else at) * 1000)
    tail = uuid.uuid4().int & ((1 << 80) - 1)
    number = ms << 80 | tail
    number = number & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62
    return str(uuid.UUID(int=number))


def case_key(name):
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


def result(name, status="passed", **more):
    body = {"key": case_key(name), "name": name, "status": status, "duration_ms": 3, **more}
    return {"kind": "result", "body": body}


def log(text, stream="stdout"):
    return {"kind": "log", "body": {"stream": stream, "text": text, "at": 1793491200000}}


def planned(count):
    return {"kind": "planned", "body": {"count": count}}


def finished(ending="exited", **more):
    body = {"ending": ending, "exit_status": 0, "report": "complete", "finished_at": 1793491200000}
    return {"kind": "finished", "body": {**body, **more}}


class Worker:
    """An enrolled worker, which signs what it sends."""

    def __init__(self, verdict):
        self.verdict = verdict
        self.id = uuid_v7()
        self.key = os.urandom(32)
        verdict.db.query(
            """INSERT INTO api.enrolment (worker_id, pool_id, name, key, lane)
               VALUES (%s, %s, %s, %s, 0)""",
            self.id,
            POOL,
            self.id,
            self.key,
        )

    def sign(self, payload):
        # libsodium's crypto_auth: HMAC-SHA-512, cut to 256 bits.
        return hmac.new(self.key, payload, hashlib.sha512).digest()[:32]

    def send_bytes(self, payload, partition, mac=None):
        headers = {"worker": self.id.encode(), "mac": mac or self.sign(payload)}
        self.verdict.bus.produce("results", payload, partition, "stream", headers)


class Task:
    """A run with one task that was given out once; `stream` is what its worker sends."""

    def __init__(self, verdict, worker, planned=None, run_id=None, declared=()):
        self.db = verdict.db
        self.worker = worker
        self.project = str(uuid.uuid4())
        self.run = run_id or uuid_v7()
        self.id = uuid_v7()
        self.attempt = 0
        self.insert_run(declared)
        self.db.query(
            "INSERT INTO results.run_totals (run_id, project_id, planned) VALUES (%s, %s, %s)",
            self.run,
            self.project,
            planned,
        )
        self.db.query(
            """INSERT INTO scheduling.task
                   (id, run_id, pool_id, partition, ordinal, kind, state, deadline)
               VALUES (%s, %s, %s, 1, 0, 'automated', 'queued', now() + interval '1 hour')""",
            self.id,
            self.run,
            POOL,
        )
        self.give_out()

    def insert_run(self, declared):
        version = uuid_v7()
        self.db.query(
            """INSERT INTO api.suite_version (id, project_id, suite_slug, digest, spec, cases)
               VALUES (%s, %s, 'suite', %s, '{}', %s)""",
            version,
            self.project,
            os.urandom(32),
            len(declared),
        )
        for ordinal, name in enumerate(declared):
            self.db.query(
                """INSERT INTO api.declared_case
                       (suite_version_id, ordinal, case_key, selector, name)
                   VALUES (%s, %s, %s, %s, %s)""",
                version,
                ordinal,
                bytes.fromhex(case_key(name)),
                name,
                name,
            )
        self.db.query(
            """INSERT INTO api.run (id, project_id, pool_id, suite_version_id, suite_slug, title,
                                    priority, policy, created_by)
               VALUES (%s, %s, %s, %s, 'suite', 'a run', 50, '{}', %s)""",
            self.run,
            self.project,
            POOL,
            version,
            POOL,
        )

    def give_out(self, worker=None):
        """The scheduler's next attempt."""
        self.worker = worker or self.worker
        self.attempt += 1
        self.dispatch = str(uuid.uuid4())
        self.partition = zlib.crc32(self.dispatch.encode()) % 4
        self.db.query(
            """WITH made AS (
                   INSERT INTO scheduling.dispatch
                       (id, task_id, run_id, attempt, worker_id, results_partition)
                   VALUES (%s, %s, %s, %s, %s, %s))
               UPDATE scheduling.task SET state = 'dispatched', attempt = %s, dispatch_id = %s,
                      worker_id = %s WHERE id = %s""",
            self.dispatch,
            self.id,
            self.run,
            self.attempt,
            self.worker.id,
            self.partition,
            self.attempt,
            self.dispatch,
            self.worker.id,
            self.id,
        )
        return Stream(self)

    def close(self):
        """The scheduler's verdict."""
        self.db.query(
            """UPDATE results.run_totals SET closed = true, planned = coalesce(planned,
                   passed + failed + errored + skipped + blocked) WHERE run_id = %s""",
            self.run,
        )

    def totals(self):
        row = self.db.query(
            """SELECT planned, passed, failed, errored, skipped, blocked, closed
               FROM results.run_totals WHERE run_id = %s""",
            self.run,
        )[0]
        return {name: value for name, value in row.items() if value}

    def count(self, table="result"):
        return self.db.value(f"SELECT count(*) FROM results.{table} WHERE run_id = %s", self.run)


class Stream:
    """The numbered stream of one dispatch."""

    def __init__(self, task):
        self.task = task
        self.worker = task.worker
        self.dispatch = task.dispatch
        self.partition = task.partition
        self.sent = 0
        self.head = {
            "version": 1,
            "type": "task.stream",
            "worker_id": task.worker.id,
            "run_id": task.run,
            "task_id": task.id,
            "attempt": task.attempt,
            "dispatch_id": task.dispatch,
        }

    def send(self, *items, first_seq=None, **other):
        first_seq = first_seq or self.sent + 1
        body = {**self.head, "first_seq": first_seq, "items": items, **other}
        self.sent = max(self.sent, first_seq + len(items) - 1)
        self.worker.send_bytes(json.dumps(body).encode(), self.partition)

    def record(self):
        rows = self.task.db.query(
            "SELECT * FROM results.task_record WHERE dispatch_id = %s", self.dispatch
        )
        return rows[0] if rows else None

    def wait(self, received=None, timeout_s=20):
        """Until the collector has taken all that was sent."""
        received = received or self.sent

        def taken():
            record = self.record()
            return record if record and record["received"] >= received else None

        return wait_until(taken, timeout_s, f"item {received} to be taken")


def dispatch_token(task, dispatch=None, key=None, seconds=60):
    """What a worker may keep files and fetch its bundle by: see auth/link.c."""
    purpose = b"verdict: signed links, 1\0"
    derived = hashlib.blake2b(purpose, key=key or task.worker.key, digest_size=32).digest()
    signed = uuid.UUID(dispatch or task.dispatch).bytes
    signed += (int(time.time()) + seconds).to_bytes(8, "big", signed=True)
    signed += hmac.new(derived, signed, hashlib.sha512).digest()[:32]
    return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()
