# SPDX-License-Identifier: Apache-2.0
"""The table of endings as the tests know it, and a suite whose runs are walked to a row of it."""

import contextlib
import itertools
import pathlib
import re
import subprocess
import textwrap

from parts.process import wait_until

from . import TOP

# Reason → state and exit code; compared with what the code prints, docs/generated/endings.md.
ENDINGS = {
    "": ("passed", 0),
    "cases_failed": ("failed", 1),
    "cases_errored": ("errored", 3),
    "cases_blocked": ("errored", 3),
    "cases_not_run": ("errored", 3),
    "exit_contradicts_report": ("errored", 3),
    "no_report": ("errored", 3),
    "report_truncated": ("errored", 3),
    "no_tests": ("errored", 5),
    "task_timeout": ("timed_out", 3),
    "no_capable_worker": ("errored", 3),
    "queue_timeout": ("timed_out", 3),
    "source_failed": ("errored", 3),
    "exec_failed": ("errored", 3),
    "limit_exceeded": ("errored", 3),
    "results_lost": ("errored", 3),
    "worker_lost": ("errored", 3),
    "cancelled": ("cancelled", 4),
    "superseded": ("cancelled", 4),
    "run_timeout": ("timed_out", 3),
    "internal_error": ("errored", 3),
}

# What the command says when there is no ending: usage, unreachable, the wait is over, interrupted.
EXITS_WITHOUT_ENDING = {2, 6, 124, 130}

FAST = {
    "queue_timeout_ms": 60000,
    "task_timeout_ms": 30000,
    "run_timeout_ms": 60000,
    "grace_ms": 500,
}
PARTS = ("passed", "failed", "errored", "skipped", "blocked", "not_run")


def printed_endings():
    """The same from the page that is printed from the code."""
    rows = re.findall(r"^\| (\w*) +\| (\w+) \| (\d+) \| \d+ \|", printed_page(), re.MULTILINE)
    return {reason: (state, int(code)) for reason, state, code in rows}


def printed_exits():
    sentence = printed_page().partition("Without an ending")[2].partition(" Only ")[0]
    return set(map(int, re.findall(r"\b\d+\b", sentence)))


def printed_page():
    return (TOP / "docs" / "generated" / "endings.md").read_text()


def walks(*rows):
    """Marks a test that walks runs to these rows: reasons, or exit codes that have no ending."""

    def mark(function):
        function.walks = frozenset(rows)
        return function

    return mark


class EndingSuite:
    """A folder that a worker can see, with files in it, and the suite that runs there.

    No run is over before `why` has said what it waits for. Each run of shell() stands at a gate
    until then, which ends() opens; for one of trigger() the test itself asks, with why_says().
    """

    def __init__(self, verdict, folder, rows):
        self.verdict = verdict
        self.rows = set(rows)
        self.walked = set()
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self._gates = {}  # run → the file that lets it go on
        self._said = {}  # run → what `why` said meanwhile
        self._numbers = itertools.count(1)

    # what is run -----------------------------------------------------------------------------

    def write(self, name, text):
        path = self.folder / name
        path.write_text(textwrap.dedent(text))
        return path

    def trigger(self, suite, policy=None, **body):
        base = {
            "slug": "suite",
            "framework": "command",
            "source": {"kind": "path", "path": str(self.folder)},
            "report": {"format": "junit", "path": "report.xml"},
        }
        request = {
            "project": "shop",
            "suite": {**base, **suite},
            "policy": {**FAST, **(policy or {})},
            **body,
        }
        return self.verdict.api.post("/v1/runs", request, expect=201)["id"]

    def shell(self, script, report=None, policy=None, body=None, **suite):
        """Runs a shell script behind a gate; `report` is what it leaves as report.xml first."""
        gate = self.folder / f"gate-{next(self._numbers)}"
        lines = [f"while [ ! -e {gate.name} ]; do sleep 0.02; done", "rm -f report.xml"]
        if report is not None:
            self.write("made.xml", report)
            lines.append("cp made.xml report.xml")
        command = ["sh", "-c", "\n".join([*lines, script])]
        run = self.trigger({"command": command, **suite}, policy, **(body or {}))
        self._gates[run] = gate
        return run

    def held(self, suite, policy=None, then=None):
        """Runs it when `why` has said that its worker, which is stopped, has not answered yet;
        then(run) comes before the worker goes on."""
        with self.paused("executor-1"):
            run = self.trigger(suite, policy)
            self.why_says(run, "acknowledgement", "executor-1")
            if then is not None:
                then(run)
        return run

    @contextlib.contextmanager
    def paused(self, name):
        self.verdict.pause(name)
        try:
            yield
        finally:
            self.verdict.resume(name)

    # how it ends -----------------------------------------------------------------------------

    def why(self, run):
        answer = self.verdict.api.get(f"/v1/runs/{run}/why")
        assert answer["reasons"] and all(r["class"] and r["text"] for r in answer["reasons"])
        assert answer["text"] == answer["reasons"][0]["text"]
        return answer

    def why_says(self, run, wait_class, words, timeout_s=20):
        """Waits until `why` gives this class of waiting in these words; the run says the same."""

        def says():
            answer = self.why(run)
            assert answer["state"] in ("draft", "queued", "running"), answer
            found = (r for r in answer["reasons"] if r["class"] == wait_class)
            return next((r for r in found if words in r["text"]), None)

        said = wait_until(says, timeout_s, f"why of run {run} to say {wait_class}: {words}")
        self._said.setdefault(run, []).append(said)
        return said

    def forget_gate(self, run):
        """It will never come to its tests."""
        del self._gates[run]

    def runs(self, run):
        """Its tests are running, `why` says so, and they may go on."""
        self.why_says(run, "tests", "running")
        self._gates.pop(run).write_text("")

    def ends(self, run, reason, timeout_s=60):
        """Waits for the end of the run, and holds it against its row of the table."""
        state, code = ENDINGS[reason]
        if run in self._gates:
            self.runs(run)
        assert self._said.get(run), "nobody has asked why before it was over"
        is_over = lambda: self.why(run)["state"] not in ("draft", "queued", "running")  # noqa: E731
        wait_until(is_over, timeout_s, f"the end of run {run}")
        over = self.why(run)["reasons"]
        assert [r["class"] for r in over] == [reason or "passed"] and "over" in over[0]["text"]

        final = self.verdict.api.get(f"/v1/runs/{run}")
        assert (final["state"], final["reason"] or "") == (state, reason), final
        totals = final["totals"]
        assert totals["planned"] == sum(totals[part] for part in PARTS), totals
        assert final["exit_code"] == code
        done = self.cli("wait", run)
        assert done.returncode == code, done.stderr
        assert reason in self.rows, f"this test does not say that it walks {reason}"
        self.walked.add(reason)
        return final

    def cli(self, *words, **settings):
        return run_cli(self.verdict, *words, **settings)


def run_cli(verdict, *words, **settings):
    command = verdict.cli(*words, **settings)
    return subprocess.run(**command, capture_output=True, text=True, timeout=60, check=False)
