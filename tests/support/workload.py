# SPDX-License-Identifier: Apache-2.0
"""A load for the storms: suites whose test processes write down what they did, and a client that
triggers runs and writes down what it was promised."""

import dataclasses
import itertools
import pathlib
import shutil
import threading
import time
import uuid

import requests
from parts.process import wait_until

from . import TOP
from .checker import Checker

STORM = TOP / "tests" / "data" / "storm"

# Kind of suite → what of its specification is its own.
KINDS = {
    "junit": {"command": ["./suite.py", "junit"], "report": {"format": "junit"}},
    "tap": {"command": ["./suite.py", "tap"], "report": {"format": "tap"}},
    "cmocka": {"command": ["./suite.py", "cmocka"], "framework": "cmocka"},
    "pytest": {"framework": "pytest"},
    "declared": {"framework": "pytest", "max_tasks": 2},
    "failing": {"command": ["./suite.py", "junit"], "report": {"format": "junit"}},
    "flaky": {"command": ["./suite.py", "tap"], "report": {"format": "tap"}},
    "slow": {"command": ["./suite.py", "tap"], "report": {"format": "tap"}},
}
ENVIRONMENT = {"failing": {"FAILS": "2"}, "flaky": {"FLAKY": "1"}}
SLOW = 4  # times the pause, so that who cancels it meets it running


@dataclasses.dataclass
class Attempt:
    """What one test process has written down."""

    cases: dict  # name → status, in order
    exit: int | None = None  # None: it has not come to its end

    @property
    def ended(self):
        return self.exit is not None


class Journal:
    """A file per run, to which its test processes append."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def attempts(self, run_id):
        """(task, attempt) → Attempt."""
        seen = {}
        try:
            lines = (self.folder / run_id).read_text().splitlines()
        except FileNotFoundError:
            return seen
        for line in lines:
            kind, task, attempt, *words = line.split()
            entry = seen.setdefault((task, int(attempt)), Attempt({}))
            if kind == "case":
                name, status = words
                entry.cases[name] = status
            elif kind == "end":
                entry.exit = int(words[0])
        return seen


class Suite:
    """A directory that workers can see, and the specification that runs there."""

    def __init__(self, folder, journal, kind="junit", cases=50, pause_ms=0):
        source = pathlib.Path(folder) / "suite"
        if not source.exists():
            shutil.copytree(STORM, source, ignore=shutil.ignore_patterns("__pycache__"))
        self.spec = {
            "slug": f"storm-{kind}",
            "framework": "command",
            "source": {"kind": "path", "path": str(source)},
            "environment": {"JOURNAL_DIR": str(journal.folder), **ENVIRONMENT.get(kind, {})},
            **KINDS[kind],
        }
        self.resize(cases, pause_ms * (SLOW if kind == "slow" else 1))

    def resize(self, cases, pause_ms):
        self.cases = cases
        self.spec["environment"] |= {"CASES": str(cases), "PAUSE_MS": str(pause_ms)}
        if "max_tasks" in self.spec:
            self.spec["cases"] = [f"test_storm.py::test_{n + 1}" for n in range(cases)]


@dataclasses.dataclass(frozen=True)
class Promise:
    """Of one run that was acknowledged: how many cases it reports when its tests end it, and how
    else it may end."""

    cases: int
    may_also: frozenset = frozenset()  # of (state, reason)


class Client(threading.Thread):
    """Does `orders` of a work, one after the other; each request is repeated until it is
    acknowledged."""

    def __init__(self, work, orders, gap_s=0.0):
        super().__init__(daemon=True, name="client")
        self.work = work
        self.orders = orders
        self.gap_s = gap_s
        self.retries = 0
        self.failure = None
        self._stopped = threading.Event()

    def run(self):
        try:
            for order in self.orders:
                self._do(order)
                if self._stopped.wait(self.gap_s):
                    return
        except Exception as error:  # noqa: BLE001  (the test's thread raises it again)
            self.failure = error

    def stop(self):
        self._stopped.set()

    def finish(self, timeout_s):
        self.join(timeout_s)
        if self.failure:
            raise self.failure
        done = f"only {len(self.work.promised)} of {len(self.orders)} were acknowledged"
        assert not self.is_alive(), done

    def _do(self, order):
        if order == "cancelled":
            run = self._trigger("slow", {("cancelled", "cancelled")})
            self._stopped.wait(self.gap_s)
            self._insist(f"/v1/runs/{run}/cancel")
        elif order == "superseded":
            body = {"branch": uuid.uuid4().hex, "policy": {"cancel_superseded": True}}
            self._trigger("slow", {("cancelled", "superseded")}, **body)
            self._stopped.wait(self.gap_s)
            self._trigger("slow", **body)
        else:
            self._trigger(order)

    def _trigger(self, kind, may_also=(), **more):
        key = uuid.uuid4().hex
        body = self.work.body(kind, **more)
        run = self._insist("/v1/runs", json=body, headers={"Idempotency-Key": key})["id"]
        self.work.promise(key, run, kind, may_also)
        return run

    def _insist(self, path, **request):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                answer = self.work.verdict.api.request("POST", path, timeout=10, **request)
            except requests.RequestException:
                answer = None
            if answer is not None and answer.ok:
                return answer.json()
            if answer is not None and 400 <= answer.status_code < 500 and answer.status_code != 429:
                raise AssertionError(f"refused: {answer.status_code} {answer.text}")
            self.retries += 1
            self._stopped.wait(0.05)
        raise AssertionError(f"{path} was not acknowledged within 120 s: {request}")


class Work:
    """A project with its suites on a running installation, and what was promised for it."""

    def __init__(self, verdict, folder, cases=20, pause_ms=20, project="work"):
        self.verdict = verdict
        self.folder = pathlib.Path(folder)
        self.journal = Journal(self.folder / "journal")
        self.project = project
        self.promised = {}  # idempotency key → run id
        self.promises = {}  # run id → Promise
        self.suites = {
            kind: Suite(self.folder, self.journal, kind, cases, pause_ms) for kind in KINDS
        }
        self.suite = self.suites["junit"]
        verdict.source_roots.append(self.folder)

    def start(self, executors=1, **settings):
        """Starts the whole installation and makes the project."""
        self.verdict.start_all(executors, **settings)
        self.verdict.api.post("/v1/projects", {"slug": self.project, "title": "Work"})
        return self

    def body(self, kind="junit", **more):
        policy = {"attempts": 10, **more.pop("policy", {})}
        suite = self.suites[kind].spec
        return {"project": self.project, "suite": suite, "policy": policy, **more}

    def promise(self, key, run_id, kind="junit", may_also=()):
        self.promises[run_id] = Promise(self.suites[kind].cases, frozenset(may_also))
        self.promised[key] = run_id

    def trigger(self, kind="junit", **more):
        key = uuid.uuid4().hex
        headers = {"Idempotency-Key": key}
        body = self.body(kind, **more)
        run = self.verdict.api.post("/v1/runs", body, expect=201, headers=headers)
        self.promise(key, run["id"], kind)
        return run["id"]

    def client(self, count, gap_s=0.0):
        """A client in a thread of its own, whose promises are this work's."""
        return Client(self, list(itertools.repeat("junit", count)), gap_s)

    def started(self, run_id):
        """The attempts whose test process has begun."""
        return self.journal.attempts(run_id)

    def wait_started(self, run_id, timeout_s=30):
        wait_until(lambda: self.started(run_id), timeout_s, f"run {run_id} to start a test")

    def wait_all_final(self, timeout_s=60):
        wait_until(lambda: not self.verdict.open_runs(), timeout_s, "all runs to be final")

    def checker(self):
        return Checker(self.verdict.db, self.journal, self.promised, self.promises)

    def check(self):
        """Every invariant, and that each run passed. For work whose workers were not killed."""
        evidence = self.checker().check()
        assert set(evidence.endings) == {("passed", "")}, evidence
