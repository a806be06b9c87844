# SPDX-License-Identifier: Apache-2.0
"""api-ingest alone on a real Postgres and Kafka: triggers, and reading runs back."""

import concurrent.futures
import time
import uuid

import pytest
from parts.process import wait_until

SUITE = {
    "slug": "smoke",
    "framework": "command",
    "source": {"kind": "path", "path": "/srv/shop"},
    "command": ["true"],
    "report": {"format": "none"},
    "requirements": ["os=linux"],
}
PYTEST_SUITE = {
    "framework": "pytest",
    "source": {"kind": "path", "path": "/srv/shop"},
    "cases": ["tests/test_a.py::test_one", "tests/test_a.py::test_two"],
    "requirements": ["os=linux"],
}


@pytest.fixture
def api(verdict):
    verdict.start("api-ingest")
    verdict.api.put("/v1/projects/shop", {"title": "Shop"}, expect=201)
    return verdict.api


def body(**more):
    return {"project": "shop", "suite": SUITE, **more}


def trigger(api, key=None, expect=201, **more):
    headers = {"Idempotency-Key": key} if key else {}
    return api.post("/v1/runs", body(**more), expect=expect, headers=headers)


def token_for(api, scopes, **more):
    made = api.post("/v1/tokens", {"name": "t", "scopes": scopes, **more}, expect=201)
    return api.with_token(made["token"])


def metric(verdict, name):
    service = verdict.services["api-ingest"]
    text = service.health("/metrics")[1]
    return sum(
        float(line.split()[-1])
        for line in text.splitlines()
        if line.split("{")[0].split()[0:1] == [name]
    )


# triggers ---------------------------------------------------------------------------------------


def test_a_trigger_is_stored_answered_and_told_to_the_scheduler(api, verdict):
    run = trigger(api, branch="main", commit="abc", build_version="1.2", parameters={"a": 1})

    row = verdict.db.query("SELECT * FROM api.run WHERE id = %s", run["id"])[0]
    assert (run["state"], run["planned"]) == ("queued", None)
    assert run["links"]["self"] == f"{verdict.api_url}/v1/runs/{run['id']}"
    assert (row["number"], row["branch"], row["commit_sha"]) == (run["number"], "main", "abc")
    assert row["requirements"] == ["os=linux"]
    assert row["policy"]["attempts"] == 3
    assert row["parameters"] == {"a": 1}
    message = wait_until(
        lambda: next(
            (m for m in verdict.bus.read_json("scheduling") if m["type"] == "run.submitted"), None
        ),
        10,
        "the message to the scheduler",
    )
    assert message["run_id"] == run["id"]
    wait_until(lambda: not verdict.db.value("SELECT count(*) FROM api.outbox"), 10, "the outbox")


def test_a_run_that_no_scheduler_has_seen_is_queued_with_deadlines_and_a_reason(api):
    run = trigger(api, policy={"queue_timeout_ms": 60000})

    read = api.get(f"/v1/runs/{run['id']}")

    assert (read["state"], read["version"], read["exit_code"]) == ("queued", 0, None)
    assert read["wait"]["class"] in ("not_seen", "no_scheduler") and read["wait"]["text"]
    assert read["queue_deadline"] > read["created_at"]
    assert read["totals"]["planned"] is None and read["totals"]["not_run"] is None
    assert read == api.get(f"/v1/runs/{run['number']}")


def test_a_stored_suite_a_template_and_the_run_are_joined(api):
    api.put("/v1/projects/shop/environments/prod", {"title": "Prod"})
    api.put("/v1/projects/shop/suites/unit", {"title": "Unit", **PYTEST_SUITE}, expect=201)
    template = {
        "title": "Nightly",
        "suite": "unit",
        "environment": "prod",
        "requirements": ["gpu"],
        "parameters": {"a": "1", "b": "2"},
        "policy": {"attempts": 1, "grace_ms": 5},
        "priority": 70,
    }
    api.put("/v1/projects/shop/templates/nightly", template, expect=201)
    more = {
        "parameters": {"b": "3"},
        "policy": {"attempts": 2},
        "requirements": ["os=linux", "ram>=2"],
    }

    made = api.post("/v1/runs", {"project": "shop", "template": "nightly", **more}, expect=201)
    run = api.get(f"/v1/runs/{made['id']}")

    assert made["planned"] == 2 and run["totals"]["planned"] == 2
    assert (run["suite"]["slug"], run["environment"], run["template"]) == (
        "unit",
        "prod",
        "nightly",
    )
    assert run["requirements"] == ["os=linux", "gpu", "ram>=2"]
    assert run["parameters"] == {"a": "1", "b": "3"}
    assert (run["policy"]["attempts"], run["policy"]["grace_ms"]) == (2, 5)
    assert (run["priority"], run["title"], run["pool"]) == (70, "Unit", "default")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"suite": None}, "suite"),
        ({"suite": "nothing"}, "suite"),
        ({"suite": 7}, "suite"),
        ({"suite": {**SUITE, "framework": "nose"}}, "suite.framework"),
        ({"suite": {**SUITE, "slug": "No"}}, "suite.slug"),
        ({"suite": {**SUITE, "requirements": ["=="]}}, "suite.requirements[0]"),
        ({"template": "x"}, "template"),
        ({"environment": "nowhere"}, "environment"),
        ({"pool": "nowhere"}, "pool"),
        ({"priority": 101}, "priority"),
        ({"policy": {"attempts": 0}}, "policy.attempts"),
        ({"requirements": ["os=linux", "=="]}, "requirements[1]"),
        ({"parameters": {"a": []}}, "parameters"),
        ({"trigger": {"a b": 1}}, "trigger"),
        ({"title": "x" * 201}, "title"),
        ({"relation": "rerun"}, "parent_run"),
        ({"parent_run": "12345", "relation": "rerun"}, "parent_run"),
        ({"branch": 7}, "branch"),
    ],
)
def test_a_bad_trigger_names_its_field(api, change, field):
    answer = trigger(api, expect=400, **change)
    assert answer["errors"][0]["field"] == field, answer


def test_a_rerun_knows_its_parent(api):
    first = trigger(api)
    second = trigger(api, parent_run=str(first["number"]), relation="rerun")

    run = api.get(f"/v1/runs/{second['id']}")
    assert (run["parent_run"], run["relation"]) == (first["id"], "rerun")


# idempotency ------------------------------------------------------------------------------------


def test_a_repeated_key_replays_the_answer_and_another_body_is_refused(api, verdict):
    answers = [
        api.request("POST", "/v1/runs", json=body(branch=b), headers={"Idempotency-Key": "k"})
        for b in ("main", "main", "other")
    ]

    assert [a.status_code for a in answers] == [201, 201, 422]
    assert answers[0].json() == answers[1].json()
    assert "Idempotency-Replayed" not in answers[0].headers
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert verdict.db.value("SELECT count(*) FROM api.run") == 1


def test_equal_keys_in_flight_get_the_same_run(api, verdict):
    def send(number):
        key = f"key-{number % 5}"
        return api.request("POST", "/v1/runs", json=body(), headers={"Idempotency-Key": key})

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(send, range(200)))

    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["id"] for a in answers}) == 5
    assert len({a.text for a in answers}) == 5
    assert verdict.db.value("SELECT count(*) FROM api.run") == 5


def test_the_key_of_another_project_is_another_key(api):
    api.put("/v1/projects/bank", {"title": "Bank"}, expect=201)
    one = trigger(api, key="k")
    other = trigger(api, key="k", project="bank")
    assert one["id"] != other["id"]


# group commit -----------------------------------------------------------------------------------


def test_many_connections_share_commits(api, verdict):
    def send(_):
        mine = api.with_token(verdict.admin_token.read_text().strip())
        return [trigger(mine, key=uuid.uuid4().hex)["id"] for _ in range(25)]

    trigger(api)
    began = (
        metric(verdict, "verdict_triggers_total"),
        metric(verdict, "verdict_trigger_commits_total"),
    )
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        ids = [i for some in pool.map(send, range(64)) for i in some]
    seconds = time.monotonic() - start
    triggers = metric(verdict, "verdict_triggers_total") - began[0]
    commits = metric(verdict, "verdict_trigger_commits_total") - began[1]

    print(f"{triggers:.0f} triggers, {commits:.0f} commits, {triggers / seconds:.0f}/s")
    assert triggers == len(set(ids)) == 1600
    assert commits <= 0.3 * triggers
