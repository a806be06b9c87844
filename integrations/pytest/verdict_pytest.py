# SPDX-License-Identifier: Apache-2.0
"""Tells each case as it finishes: one JSON object a line into the file that VERDICT_STREAM names.

The executor loads it with `-p verdict_pytest`. Set-up, call and teardown of a test become one case, by the
rules of pytest's own JUnit file: what fails in the call has failed, what fails around it is an error.
"""

import json
import os

import pytest

TRACE_BYTES = 60_000
MESSAGE_BYTES = 4_000


def _cut(text, limit):
    raw = text.encode("utf-8", "replace")
    return raw[:limit].decode("utf-8", "ignore") if len(raw) > limit else raw.decode("utf-8")


class Stream:
    """What the tests' process says to the executor. Only the process that collects says anything."""

    def __init__(self, path):
        self._file = open(path, "a", encoding="utf-8", buffering=1)  # noqa: SIM115 (until the end)
        self._cases = {}

    def say(self, **line):
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session):
        self.say(kind="planned", count=len(session.items))

    def pytest_collectreport(self, report):
        """A module that cannot be imported is a case that errors: no test of it can be named."""
        if report.failed:
            self._finish(report.nodeid, "errored", report, 0, 0)

    def pytest_runtest_logreport(self, report):
        case = self._cases.setdefault(report.nodeid, {"status": None, "report": None, "ms": 0, "at": 0})
        case["ms"] += report.duration * 1000
        case["at"] = case["at"] or int(getattr(report, "start", 0) * 1000)
        status = _status(report)
        if status and _RANK[status] > _RANK[case["status"]]:
            case["status"], case["report"] = status, report
        if report.when == "teardown":
            del self._cases[report.nodeid]
            self._finish(report.nodeid, case["status"] or "passed", case["report"], case["ms"], case["at"])

    def pytest_sessionfinish(self, exitstatus):
        for nodeid, case in self._cases.items():  # cut off in the middle, as by -x in a set-up
            if case["status"]:
                self._finish(nodeid, case["status"], case["report"], case["ms"], case["at"])
        self.say(kind="end", exit=int(exitstatus))

    def _finish(self, nodeid, status, report, duration_ms, started_at):
        line = {"kind": "case", "id": nodeid, "status": status, "duration_ms": int(duration_ms)}
        if started_at:
            line["started_at"] = started_at
        message, trace = _words(report) if report is not None and status != "passed" else (None, None)
        if message:
            line["message"] = _cut(message, MESSAGE_BYTES)
        if trace:
            line["trace"] = _cut(trace, TRACE_BYTES)
        self.say(**line)


_RANK = {None: 0, "passed": 1, "skipped": 2, "failed": 3, "errored": 4}


def _status(report):
    if report.skipped:  # skipped, or failed as it was expected to
        return "skipped"
    if report.failed:
        return "failed" if report.when == "call" else "errored"
    return "passed" if report.when == "call" else None


def _words(report):
    if report.skipped:
        reason = getattr(report, "wasxfail", None)
        if reason is None and isinstance(report.longrepr, tuple):
            reason = report.longrepr[2]
        return str(reason or ""), None
    trace = getattr(report, "longreprtext", "") or str(report.longrepr)
    crash = getattr(getattr(report, "longrepr", None), "reprcrash", None)
    message = getattr(crash, "message", None) or trace.strip().splitlines()[-1] if trace.strip() else ""
    return message, trace


def pytest_configure(config):
    path = os.environ.get("VERDICT_STREAM")
    if path and not hasattr(config, "workerinput"):  # workers of xdist report to the one that collects
        config.pluginmanager.register(Stream(path), "verdict-stream")
