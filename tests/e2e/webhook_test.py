# SPDX-License-Identifier: Apache-2.0
"""From a trigger to the webhook that tells whoever asked: all five services and an executor."""

from parts.process import wait_until
from standardwebhooks.webhooks import Webhook


def test_a_run_is_told_from_queue_to_verdict(work, receiver):
    verdict = work.start().verdict
    endpoint = verdict.api.post(
        f"/v1/projects/{work.project}/webhooks",
        {"url": receiver.url, "events": ["run.*"]},
        expect=201,
    )

    run = verdict.api.post("/v1/runs", work.body(branch="main"), expect=201)
    final = verdict.wait_final(run["id"])
    wait_until(lambda: len(receiver.requests) >= 3, 20, "the three events of the run")

    told = {}
    for request in receiver.requests:
        body = Webhook(endpoint["secret"]).verify(request.body, request.headers)
        assert body["data"]["run_id"] == run["id"]
        told[body["type"]] = body
    assert set(told) == {"run.queued", "run.started", "run.finished"}
    assert told["run.queued"]["version"] < told["run.started"]["version"]
    assert told["run.started"]["version"] < told["run.finished"]["version"] == final["version"]
    data = told["run.finished"]["data"]
    assert data["state"] == final["state"] == "passed"
    assert data["number"] == run["number"]
    assert data["branch"] == "main"
    assert data["totals"]["planned"] == work.suite.cases == data["totals"]["passed"]
    deliveries = verdict.api.get(f"/v1/projects/{work.project}/deliveries?state=delivered")
    assert len(deliveries["items"]) == 3
