# SPDX-License-Identifier: Apache-2.0
"""Tells each case as it finishes: one JSON object a line into the file that VERDICT_STREAM names;
and runs only the cases that the file named by VERDICT_CASES lists, where there is one.

The executor loads it with `-p verdict_pytest` (pytest 7 or newer). Set-up, call and teardown of a
test become one case, by the rules of pytest's own JUnit file: what fails in the call has failed,
what fails around it is an error, what was expected to fail is skipped.
"""

import json
import os
import pathlib

import pytest

TRACE_BYTES = 60_000
MESSAGE_BYTES = 4_000

# Of a test. Where a worker of xdist has crashed, the report is of none of them.
PARTS = ("setup", "call", "teardown")

# What decides when the parts of a test differ. A rerun (pytest-rerunfailures) takes its try back.
RANK = {"passed": 1, "skipped": 2, "failed": 3, "errored": 4}


class Case:
    """One test while its parts come in."""

    def __init__(self):
        self.status = None
        self.report = None
        self.duration_s = 0.0
        self.started_at = 0
        self.is_rerun = False

    def add(self, report):
        self.duration_s += getattr(report, "duration", 0)
        self.started_at = self.started_at or int(getattr(report, "start", 0) * 1000)
        self.is_rerun = self.is_rerun or report.outcome == "rerun"
        status = status_of(report)
        if status and RANK[status] > RANK.get(self.status, 0):
            self.status, self.report = status, report


class Stream:
    """What the tests' process says to the executor."""

    def __init__(self, path):
        self._file = pathlib.Path(path).open("a", encoding="utf-8")  # noqa: SIM115
        self._pid = os.getpid()
        self._cases = {}
        self._planned = None

    def say(self, **line):
        if os.getpid() != self._pid:  # a test has forked, and its child runs on as pytest
            return
        line = {
            key: clean(value) if isinstance(value, str) else value for key, value in line.items()
        }
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session):
        if not session.config.getoption("numprocesses", None):
            self._say_planned(len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node, ids):
        """With xdist the workers collect, each of them everything."""
        self._say_planned(len(ids))

    def _say_planned(self, count):
        if self._planned is None:
            self._planned = count
            self.say(kind="planned", count=count)

    def pytest_collectreport(self, report):
        """A module that cannot be imported is a case that errors: no test of it can be named. One
        that skips itself as a whole is a case that was skipped."""
        if report.failed or report.skipped:
            status = "errored" if report.failed else "skipped"
            self._finish(report.nodeid, status, report, 0, 0)

    def pytest_runtest_logreport(self, report):
        if report.outcome == "rerun" and report.when not in PARTS:
            # The worker of xdist that tried it has crashed: no teardown will end this try.
            self._cases.pop(report.nodeid, None)
            return
        case = self._cases.setdefault(report.nodeid, Case())
        case.add(report)
        if report.when != "teardown":
            return
        del self._cases[report.nodeid]
        if not case.is_rerun:
            self._finish_case(report.nodeid, case)

    def pytest_sessionfinish(self, exitstatus):
        for nodeid, case in self._cases.items():  # no teardown: a worker of xdist has crashed
            if case.status and not case.is_rerun:
                self._finish_case(nodeid, case)
        self.say(kind="end", exit=int(exitstatus))

    def _finish_case(self, nodeid, case):
        status = case.status or "passed"
        self._finish(nodeid, status, case.report, case.duration_s, case.started_at)

    def _finish(self, nodeid, status, report, duration_s, started_at):
        duration_ms = int(duration_s * 1000)
        line = {"kind": "case", "id": nodeid, "status": status, "duration_ms": duration_ms}
        if started_at:
            line["started_at"] = started_at
        message, trace = words_of(report) if status != "passed" else ("", "")
        if message:
            line["message"] = cut(message, MESSAGE_BYTES)
        if trace:
            line["trace"] = cut(trace, TRACE_BYTES)
        self.say(**line)


class Selection:
    """Exactly the cases of a list; files that hold none of them are not even imported."""

    def __init__(self, path, root):
        self.cases = set(pathlib.Path(path).read_text(encoding="utf-8").splitlines())
        self._files = {root / case.partition("::")[0] for case in self.cases}

    def pytest_ignore_collect(self, collection_path):
        is_test_file = collection_path.suffix == ".py" and collection_path.name not in (
            "__init__.py",
            "conftest.py",
        )
        return True if is_test_file and collection_path not in self._files else None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config, items):
        chosen = [item for item in items if item.nodeid in self.cases]
        others = [item for item in items if item.nodeid not in self.cases]
        if others:
            config.hook.pytest_deselected(items=others)
        items[:] = chosen


def is_subtest(report):
    """Of a part of the call (pytest 9, pytest-subtests); the call's own report comes as well."""
    return hasattr(report, "context")


def status_of(report):
    """None: this part decides nothing."""
    if report.outcome == "rerun" or (report.skipped and is_subtest(report)):
        return None
    if report.skipped:
        return "skipped"
    if report.failed:
        return "failed" if report.when == "call" else "errored"
    return "passed" if report.when == "call" else None


def words_of(report):
    """A line for people, and the trace."""
    if report.skipped:
        reason = getattr(report, "wasxfail", None)
        if reason is None and isinstance(report.longrepr, tuple):
            reason = report.longrepr[2].removeprefix("Skipped: ")
        return str(reason or ""), ""
    trace = getattr(report, "longreprtext", "") or str(report.longrepr or "")
    crash = getattr(report.longrepr, "reprcrash", None)
    lines = trace.strip().splitlines()
    return getattr(crash, "message", None) or (lines[-1] if lines else ""), trace


def clean(text):
    """What JSON readers refuse: NUL, and halves of surrogate pairs."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def cut(text, limit):
    raw = text.encode("utf-8", "replace")
    return (raw[:limit] + b"\n[cut]" if len(raw) > limit else raw).decode("utf-8", "ignore")


def pytest_configure(config):
    stream, cases = os.environ.get("VERDICT_STREAM"), os.environ.get("VERDICT_CASES")
    if cases:
        config.pluginmanager.register(Selection(cases, config.rootpath), "verdict-selection")
    if stream and not hasattr(config, "workerinput"):  # of xdist: it reports to its controller
        config.pluginmanager.register(Stream(stream), "verdict-stream")
