# SPDX-License-Identifier: Apache-2.0
"""Results of tests that ran elsewhere."""

import uuid

import pytest
from parts.process import wait_until

FINAL = ("passed", "failed", "errored", "cancelled", "timed_out")


class Shop:
    def __init__(self, verdict):
        self.verdict = verdict
        self.db = verdict.db
        for name in ("api-ingest", "scheduler", "result-collector"):
            verdict.start(name, wait=False)
        for service in verdict.services.values():
            service.wait_ready()
        verdict.api.put("/v1/projects/shop", {"title": "Shop"})

    def trigger(self, policy=None, **suite):
        suite = {"slug": "unit", "framework": "pytest", "source": {"kind": "upload"}, **suite}
        body = {"project": "shop", "suite": suite, "policy": policy or {}}
        return self.verdict.api.post("/v1/runs", body, expect=201)["id"]

    def state(self, run):
        rows = self.db.query("SELECT * FROM scheduling.run_state WHERE run_id = %s", run)
        return rows[0] if rows else {"state": None}

    def final(self, run):
        wait_until(lambda: self.state(run)["state"] in FINAL, 60, f"run {run} to be final")
        state = self.state(run)
        return state["state"], state["reason"]

    def complete(self, run):
        self.db.query(
            "INSERT INTO api.run_request (id, run_id, kind, created_by)"
            " VALUES (%s, %s, 'complete', %s)",
            str(uuid.uuid4()),
            run,
            str(uuid.uuid4()),
        )


@pytest.fixture(scope="module")
def shop(shared_verdict):
    return Shop(shared_verdict)


def test_a_run_of_uploads_waits_in_no_queue_and_is_never_green_without_one(shop):
    run = shop.trigger({"queue_timeout_ms": 100, "allow_empty": True})
    wait_until(lambda: shop.state(run)["state"], 60, "the run to be seen")
    state = shop.state(run)
    assert (state["state"], state["wait_class"]) == ("queued", "uploads")
    assert state["queue_deadline"] == state["run_deadline"]
    why = shop.verdict.api.get(f"/v1/runs/{run}/why", expect=200)
    assert [reason["class"] for reason in why["reasons"]] == ["uploads"], why

    shop.complete(run)

    assert shop.final(run) == ("errored", "no_report")
    assert shop.state(run)["reason_detail"] == "nothing was uploaded"


def test_a_run_of_uploads_ends_by_its_deadline(shop):
    run = shop.trigger({"run_timeout_ms": 300})

    assert shop.final(run) == ("timed_out", "run_timeout")
