# SPDX-License-Identifier: Apache-2.0
"""A load for the storms: suites whose test processes write down what they did, and a client that
triggers runs and writes down what it was promised."""

import pathlib
import stat
import threading
import time
import uuid

import requests
from parts.process import wait_until

from .checker import Checker

# The suite: each case is written to the journal before anybody else can hear of it, and the process
# says at its end that the report is whole. Appends of a line are atomic. What the worker calls the
# attempt is in its environment.
SCRIPT = """\
#!/bin/sh
# suite.sh <cases> <ms between cases>
set -eu
journal=$JOURNAL_DIR/$VERDICT_RUN_ID
me="$VERDICT_TASK_ID $VERDICT_ATTEMPT"
echo "start $me" >>"$journal"
{
    echo "<testsuite name='storm' tests='$1'>"
    i=1
    while [ "$i" -le "$1" ]; do
        echo "case $me case-$i" >>"$journal"
        echo "<testcase classname='storm' name='case-$i' time='0.001'/>"
        [ "$2" -eq 0 ] || sleep "0.$(printf %03d "$2")"
        i=$((i + 1))
    done
    echo "</testsuite>"
} >"$VERDICT_REPORT_DIR/report.xml"
echo "end $me" >>"$journal"
"""


class Suite:
    """A directory that workers can see, and the body that triggers it."""

    def __init__(self, folder, cases=50, pause_ms=0):
        self.folder = pathlib.Path(folder)
        self.cases = cases
        self.journal = self.folder / "journal"
        self.source = self.folder / "suite"
        self.journal.mkdir(parents=True, exist_ok=True)
        self.source.mkdir(exist_ok=True)
        script = self.source / "suite.sh"
        script.write_text(SCRIPT)
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        self.spec = {
            "slug": "storm",
            "framework": "command",
            "source": {"kind": "path", "path": str(self.source)},
            "command": ["./suite.sh", str(cases), str(pause_ms)],
            "report": {"format": "junit"},
            "environment": {"JOURNAL_DIR": str(self.journal)},
        }

    def attempts(self, run_id):
        """(task, attempt) → {"cases": [names in order], "ended": bool} as the processes saw it."""
        seen = {}
        try:
            lines = (self.journal / run_id).read_text().splitlines()
        except FileNotFoundError:
            return seen
        for line in lines:
            kind, task, attempt, *name = line.split()
            entry = seen.setdefault((task, int(attempt)), {"cases": [], "ended": False})
            if kind == "case":
                entry["cases"] += name
            elif kind == "end":
                entry["ended"] = True
        return seen


class Client(threading.Thread):
    """Triggers `count` runs, each with a key of its own, and repeats until each is acknowledged."""

    def __init__(self, api, body, count, gap_s=0.0):
        super().__init__(daemon=True, name="client")
        self.api = api
        self.body = body
        self.count = count
        self.gap_s = gap_s
        self.promised = {}  # idempotency key → run id
        self.retries = 0
        self.failure = None
        self._stopped = threading.Event()

    def run(self):
        try:
            for _ in range(self.count):
                self._trigger(uuid.uuid4().hex)
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
        assert not self.is_alive(), f"only {len(self.promised)} of {self.count} were acknowledged"

    def _trigger(self, key):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                answer = self.api.request(
                    "POST",
                    "/v1/runs",
                    json=self.body,
                    headers={"Idempotency-Key": key},
                    timeout=10,
                )
            except requests.RequestException:
                answer = None
            if answer is not None and answer.ok:
                self.promised[key] = answer.json()["id"]
                return
            if answer is not None and 400 <= answer.status_code < 500 and answer.status_code != 429:
                raise AssertionError(f"refused: {answer.status_code} {answer.text}")
            self.retries += 1
            self._stopped.wait(0.05)
        raise AssertionError(f"key {key} was not acknowledged within 120 s")


class Work:
    """A project with one suite on a running installation, and what was promised for it."""

    def __init__(self, verdict, folder, cases=20, pause_ms=20, project="work"):
        self.verdict = verdict
        self.suite = Suite(folder, cases, pause_ms)
        self.project = project
        self.promised = {}
        verdict.source_roots.append(self.suite.folder)

    def start(self, executors=1, **settings):
        """Starts the whole installation and makes the project."""
        self.verdict.start_all(executors, **settings)
        self.verdict.api.post("/v1/projects", {"slug": self.project, "title": "Work"})
        return self

    def body(self, **more):
        policy = {"attempts": 10, **more.pop("policy", {})}
        return {"project": self.project, "suite": self.suite.spec, "policy": policy, **more}

    def trigger(self, **more):
        key = uuid.uuid4().hex
        headers = {"Idempotency-Key": key}
        run = self.verdict.api.post("/v1/runs", self.body(**more), expect=201, headers=headers)
        self.promised[key] = run["id"]
        return run["id"]

    def client(self, count, gap_s=0.0):
        """A client in a thread of its own, whose promises are this work's."""
        client = Client(self.verdict.api, self.body(), count, gap_s)
        client.promised = self.promised
        return client

    def started(self, run_id):
        """The attempts whose test process has begun."""
        return self.suite.attempts(run_id)

    def wait_started(self, run_id, timeout_s=30):
        wait_until(lambda: self.started(run_id), timeout_s, f"run {run_id} to start a test")

    def wait_all_final(self, timeout_s=60):
        wait_until(lambda: not self.verdict.open_runs(), timeout_s, "all runs to be final")

    def check(self):
        """Every invariant, and that each run passed. For work whose workers were not killed."""
        checker = Checker(self.verdict, self.suite, self.promised)
        checker.check()
        assert set(checker.verdicts()) == {("passed", "")}, checker.verdicts()
