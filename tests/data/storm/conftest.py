# SPDX-License-Identifier: Apache-2.0
"""What suite.py does, with pytest: each case is in the journal before the plugin tells of it."""

import os
import pathlib

import pytest

RUN, TASK, ATTEMPT = (os.environ[f"VERDICT_{name}"] for name in ("RUN_ID", "TASK_ID", "ATTEMPT"))


def journal(*words):
    with (pathlib.Path(os.environ["JOURNAL_DIR"]) / RUN).open("a") as file:
        file.write(" ".join((words[0], TASK, ATTEMPT, *words[1:])) + "\n")


def pytest_sessionstart():
    journal("start")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report):
    if report.when == "call":
        journal("case", report.nodeid.partition("::")[2], report.outcome)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(exitstatus):
    journal("end", str(int(exitstatus)))
