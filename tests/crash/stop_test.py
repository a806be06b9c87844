# SPDX-License-Identifier: Apache-2.0
"""P11: a graceful stop costs nothing: whichever service is asked to end while there is work ends
within its grace, and nothing is lost, done twice or left untold."""

import time

import pytest
from parts.process import wait_until
from support.receiver import Receiver
from support.storm import TARGETS
from support.workload import Client, Work

GRACE_S = 8  # below what the harness waits for before it kills


class Load:
    """An installation with a client, and whom the ends of its runs are told to."""

    def __init__(self, verdict, folder, receiver):
        self.verdict = verdict
        self.receiver = receiver
        self.work = Work(verdict, folder, cases=10, pause_ms=10)
        self.work.start(VERDICT_STOP_GRACE=f"{GRACE_S}s")
        self.endpoint = verdict.api.post(
            f"/v1/projects/{self.work.project}/webhooks",
            {"url": receiver.url, "events": ["run.finished"]},
            expect=201,
        )["id"]

    def is_worked_on(self):
        """A test process has begun and has not ended."""
        runs = list(self.work.promised.values())
        attempts = [entry for run in runs for entry in self.work.started(run).values()]
        return any(not entry.ended for entry in attempts)


@pytest.fixture(scope="module")
def load(shared_verdict, tmp_path_factory):
    with Receiver() as receiver:
        yield Load(shared_verdict, tmp_path_factory.mktemp("work"), receiver)


@pytest.mark.parametrize("name", TARGETS)
def test_a_graceful_stop_costs_nothing(load, name):
    verdict, work = load.verdict, load.work
    client = Client(work, ["junit", "tap"] * 6, gap_s=0.05)

    client.start()
    wait_until(load.is_worked_on, 30, "tests to run")
    began = time.monotonic()
    status = verdict.stop(name)
    took = time.monotonic() - began
    verdict.start(name)
    client.finish(60)
    work.wait_all_final()

    assert status == 0
    assert took < GRACE_S
    assert all(len(work.started(run)) == 1 for run in work.promised.values()), "run twice"
    checker = work.checker()
    checker.check()
    checker.ends_are_delivered(load.receiver, load.endpoint)
