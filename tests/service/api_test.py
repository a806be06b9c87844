# SPDX-License-Identifier: Apache-2.0
"""api-ingest alone on a real Postgres and Kafka: everything but runs."""

import concurrent.futures
import re

import psycopg
import pytest
from parts.process import wait_until

PYTEST_SUITE = {
    "framework": "pytest",
    "source": {"kind": "path", "path": "/srv/shop"},
    "cases": ["tests/test_a.py::test_one", "tests/test_a.py::TestB::test_two[1-2]"],
    "requirements": ["os=linux", "memory_mb>=512"],
}


@pytest.fixture
def api(verdict):
    verdict.start("api-ingest")
    return verdict.api


@pytest.fixture
def shop(api):
    api.put("/v1/projects/shop", {"title": "Shop"}, expect=201)
    return "/v1/projects/shop"


def token_for(api, scopes, **more):
    made = api.post("/v1/tokens", {"name": "t", "scopes": scopes, **more}, expect=201)
    return api.with_token(made["token"])


def field_of(answer):
    return answer["errors"][0]["field"]


# tokens -----------------------------------------------------------------------------------------


def test_a_token_is_shown_once_and_knows_its_scopes(api):
    made = api.post("/v1/tokens", {"name": "ci", "scopes": ["runs:write"]}, expect=201)

    me = api.with_token(made["token"]).get("/v1/me")
    assert "token" not in (one := api.get(f"/v1/tokens/{made['id']}")) and one["name"] == "ci"
    listed = api.get("/v1/tokens")["items"]

    assert made["token"].startswith("vd_")
    assert me["name"] == "ci"
    assert me["scopes"] == ["runs:write", "runs:read"]
    assert [t["name"] for t in listed] == ["ci", "admin"]
    assert made["token"] not in str(listed)


def test_a_revoked_token_is_refused_at_once(api):
    made = api.post("/v1/tokens", {"name": "ci", "scopes": ["admin"]}, expect=201)
    other = api.with_token(made["token"])
    other.get("/v1/me")

    revoked = api.delete(f"/v1/tokens/{made['id']}")
    answer = other.get("/v1/me", expect=401)

    assert revoked["state"] == "revoked"
    assert answer["message"] == "the token is revoked"


def test_an_expired_token_is_refused(api, verdict):
    made = api.post("/v1/tokens", {"name": "t", "scopes": ["admin"], "expires_in": "1h"})
    verdict.db.query("UPDATE api.token SET expires_at = now() WHERE id = %s", made["id"])

    answer = api.with_token(made["token"]).get("/v1/me", expect=401)

    assert answer["message"] == "the token is expired"


def test_a_token_that_nobody_made_or_that_is_cut_is_told_apart(api, verdict):
    token = verdict.admin_token.read_text().strip()

    cut = api.with_token(token[:-1]).request("GET", "/v1/me")
    none = api.with_token(None)
    none.session.headers.pop("Authorization", None)
    without = none.request("GET", "/v1/me")

    assert cut.status_code == without.status_code == 401
    assert "checksum" in cut.json()["message"]
    assert without.headers["WWW-Authenticate"].startswith("Bearer")
    assert cut.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scopes": ["admin"]}, "name"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": ["root"]}, "scopes[0]"),
        ({"name": "x", "scopes": ["admin"], "expires_in": "soon"}, "expires_in"),
        ({"name": "x" * 200, "scopes": ["admin"]}, "name"),
    ],
)
def test_a_bad_token_request_names_its_field(api, body, field):
    assert field_of(api.post("/v1/tokens", body, expect=400)) == field


def test_last_use_is_written_down(api, verdict):
    api.get("/v1/me")

    assert api.get("/v1/tokens")["items"][-1]["last_used_at"] is not None


# tenancy ----------------------------------------------------------------------------------------


def test_another_projects_things_are_not_there(api, shop):
    api.put("/v1/projects/bank", {"title": "Bank"}, expect=201)
    api.put("/v1/projects/bank/environments/prod", {"title": "Prod"}, expect=201)
    bound = token_for(api, ["admin"], project="shop")

    for path in ("/v1/projects/bank", "/v1/projects/bank/environments", "/v1/projects/bank/suites"):
        assert bound.get(path, expect=404)["code"] == "not_found"
    bound.put("/v1/projects/bank", {"title": "Mine"}, expect=404)
    bound.put("/v1/projects/new", {"title": "New"}, expect=404)
    assert [p["slug"] for p in bound.get("/v1/projects")["items"]] == ["shop"]
    assert [t["name"] for t in bound.get("/v1/tokens")["items"]] == ["t"]
    bound.post("/v1/tokens", {"name": "x", "scopes": ["admin"], "project": "bank"}, expect=404)


def test_a_bound_token_makes_bound_tokens_and_nothing_for_the_installation(api, shop):
    bound = token_for(api, ["admin"], project="shop")

    made = bound.post("/v1/tokens", {"name": "inner", "scopes": ["admin"]}, expect=201)

    assert made["project"]["slug"] == "shop"
    bound.post("/v1/pools", {"slug": "gpu"}, expect=403)
    bound.post("/v1/projects", {"slug": "more"}, expect=403)


def test_a_scope_that_is_missing_is_named(api, shop):
    reader = token_for(api, ["config:read"])

    reader.get(f"{shop}/suites")
    answer = reader.put(f"{shop}/environments/x", {}, expect=403)

    assert "config:write" in answer["message"]


# projects and environments ----------------------------------------------------------------------


def test_a_project_is_made_once_and_changed_by_put(api):
    made = api.post("/v1/projects", {"slug": "shop", "title": "Shop"}, expect=201)
    api.post("/v1/projects", {"slug": "shop"}, expect=409)

    changed = api.put("/v1/projects/shop", {"title": "The shop"}, expect=200)

    assert changed["id"] == made["id"]
    assert changed["title"] == "The shop"
    assert api.get(f"/v1/projects/{made['id']}")["slug"] == "shop"


@pytest.mark.parametrize(
    "slug",
    ["", "Shop", "a_b", "-a", "a-", "a--b", "x" * 64, "0198c0de-0000-7000-8000-000000000000"],
)
def test_a_bad_slug_is_refused(api, slug):
    assert field_of(api.post("/v1/projects", {"slug": slug}, expect=400)) == "slug"


def test_an_environment_is_created_or_got(api, shop):
    body = {"slug": "staging", "title": "Staging", "url": "https://staging.example.com"}
    made = api.post(f"{shop}/environments", body, expect=201)
    again = api.post(f"{shop}/environments", {"slug": "staging", "title": "Other"}, expect=200)
    changed = api.put(f"{shop}/environments/staging", {"position": 2}, expect=200)

    assert again == made
    assert (changed["id"], changed["title"], changed["position"]) == (made["id"], "Staging", 2)
    by_id = api.put(f"{shop}/environments/{made['id']}", {"title": "S"}, expect=200)
    assert (by_id["slug"], by_id["title"]) == ("staging", "S")
    api.put(f"{shop}/environments/0198c0de-0000-7000-8000-000000000000", {}, expect=404)
    bad = api.put(f"{shop}/environments/x", {"url": "ftp://x"}, expect=400)
    assert field_of(bad) == "url"


def test_lists_come_in_pages_without_gaps_or_doubles(api, shop):
    for n in range(7):
        api.put(f"{shop}/environments/env-{n}", {}, expect=201)
    seen, cursor = [], None

    while True:
        params = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = api.get(f"{shop}/environments", params=params)
        seen += [e["slug"] for e in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == [f"env-{n}" for n in reversed(range(7))]
    for params in ({"limit": 0}, {"limit": 201}, {"limit": "x"}, {"cursor": "nonsense"}):
        answer = api.get(f"{shop}/environments", expect=400, params=params)
        assert field_of(answer) == next(iter(params))


def test_every_change_is_in_the_audit_log(api, shop):
    api.put(f"{shop}/environments/prod", {})
    api.put(f"{shop}/suites/unit", PYTEST_SUITE)

    actions = [entry["action"] for entry in api.get(f"{shop}/audit")["items"]]

    assert actions == ["suite.create", "environment.create", "project.create"]


def test_the_audit_log_of_the_installation_is_for_those_who_run_it(api, shop):
    api.post("/v1/pools", {"slug": "gpu"}, expect=201)
    bound = token_for(api, ["admin"], project="shop")

    entries = api.get("/v1/audit")["items"]
    pools = api.get("/v1/audit", params={"action": "pool.create"})["items"]

    assert [e["action"] for e in entries][:3] == ["token.create", "pool.create", "project.create"]
    assert [e["action"] for e in pools] == ["pool.create"]
    bound.get("/v1/audit", expect=403)
    assert bound.get(f"{shop}/audit", params={"action": "pool.create"})["items"] == []
    assert api.get("/v1/audit", params={"since": "1h"})["items"] == entries
    for path in ("/v1/audit", f"{shop}/audit", f"{shop}/deliveries"):
        assert api.get(path, params={"until": "1h"})["items"] == []
        api.get(path, params={"since": "odd"}, expect=400)


def test_an_environment_that_nothing_names_can_be_removed(api, shop):
    path = f"{shop}/environments/prod"
    api.put(path, {}, expect=201)
    api.put(f"{shop}/suites/unit", PYTEST_SUITE, expect=201)
    api.put(f"{shop}/templates/t", {"suite": "unit", "environment": "prod"}, expect=201)

    named = api.delete(path, expect=409)
    api.post("/v1/runs", {"project": "shop", "template": "t"}, expect=201)
    api.delete(f"{shop}/templates/t", expect=204)
    used = api.delete(path, expect=409)
    api.put(f"{shop}/environments/typo", {}, expect=201)
    api.delete(f"{shop}/environments/typo", expect=204)

    assert "a template names" in named["message"]
    assert "runs name" in used["message"]
    api.get(path)
    api.delete(f"{shop}/environments/typo", expect=404)


# suites and templates ---------------------------------------------------------------------------


def test_a_suite_has_a_version_named_by_what_it_holds(api, shop):
    first = api.put(f"{shop}/suites/unit", {"title": "Unit", **PYTEST_SUITE}, expect=201)
    same = api.put(f"{shop}/suites/unit", PYTEST_SUITE, expect=200)
    other = api.put(f"{shop}/suites/unit", {**PYTEST_SUITE, "directory": "b"}, expect=200)
    back = api.put(f"{shop}/suites/unit", PYTEST_SUITE, expect=200)

    assert first["cases"] == 2
    assert same["version_id"] == first["version_id"] == back["version_id"]
    assert other["version_id"] != first["version_id"]
    assert back["title"] == "Unit"
    assert "cases" not in first["spec"]


def test_declared_cases_are_rows_with_their_identity(api, shop):
    api.put(f"{shop}/suites/unit", PYTEST_SUITE, expect=201)

    page = api.get(f"{shop}/suites/unit/cases", params={"limit": 1})
    rest = api.get(f"{shop}/suites/unit/cases", params={"cursor": page["next_cursor"]})

    assert page["items"][0]["name"] == "test_one"
    assert rest["next_cursor"] is None
    case = rest["items"][0]
    assert (case["class"], case["name"], case["parameters"]) == (
        "tests.test_a.TestB",
        "test_two",
        "1-2",
    )


def test_a_suite_that_no_template_names_can_be_removed_and_its_runs_stay(api, shop):
    path = f"{shop}/suites/unit"
    api.put(path, PYTEST_SUITE, expect=201)
    api.put(f"{shop}/templates/t", {"suite": "unit"}, expect=201)
    run = api.post("/v1/runs", {"project": "shop", "suite": "unit"}, expect=201)

    named = api.delete(path, expect=409)
    api.delete(f"{shop}/templates/t", expect=204)
    api.delete(path, expect=204)

    assert "a template names" in named["message"]
    api.get(path, expect=404)
    assert api.get(f"/v1/runs/{run['id']}")["suite"]["slug"] == "unit"
    again = api.put(path, PYTEST_SUITE, expect=201)
    assert again["version_id"] == api.get(f"/v1/runs/{run['id']}")["suite"]["version_id"]


def test_many_cases_fit_into_a_suite(api, shop):
    cases = [f"tests/test_{n % 50}.py::test_case_number_{n}" for n in range(50_000)]

    suite = api.put(f"{shop}/suites/large", {**PYTEST_SUITE, "cases": cases}, expect=201)

    assert suite["cases"] == 50_000


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"framework": "nose"}, "framework"),
        ({"source": {"kind": "path"}}, "source.path"),
        ({"requirements": ["memory_mb>=lots and lots"]}, "requirements[0]"),
        ({"cases": ["a.py::b", "a.py::b"]}, "cases[1]"),
        ({"cases": ["a.py::b", 3]}, "cases[1]"),
    ],
)
def test_a_bad_suite_names_its_field(api, shop, change, field):
    answer = api.put(f"{shop}/suites/bad", {**PYTEST_SUITE, **change}, expect=400)

    assert field_of(answer) == field


def test_a_template_names_a_suite_an_environment_and_a_pool(api, shop):
    api.put(f"{shop}/suites/unit", PYTEST_SUITE)
    api.put(f"{shop}/environments/prod", {})
    body = {
        "suite": "unit",
        "environment": "prod",
        "requirements": ["gpu"],
        "policy": {"attempts": 2},
        "parameters": {"browser": "firefox"},
        "priority": 70,
        "run_title": "Nightly",
    }

    made = api.put(f"{shop}/templates/nightly", body, expect=201)

    assert made["suite"]["slug"] == "unit"
    assert made["environment"]["slug"] == "prod"
    assert made["pool"]["slug"] == "default"
    assert {
        k: made[k] for k in ("requirements", "policy", "parameters", "priority", "run_title")
    } == {k: body[k] for k in ("requirements", "policy", "parameters", "priority", "run_title")}
    api.delete(f"{shop}/templates/nightly", expect=204)
    api.get(f"{shop}/templates/nightly", expect=404)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"suite": "none"}, "suite"),
        ({"environment": "none"}, "environment"),
        ({"priority": 101}, "priority"),
        ({"policy": {"attempts": 0}}, "policy.attempts"),
        ({"requirements": ["a b c"]}, "requirements[0]"),
        ({"parameters": {"x": {}}}, "parameters"),
    ],
)
def test_a_bad_template_names_its_field(api, shop, change, field):
    api.put(f"{shop}/suites/unit", PYTEST_SUITE)

    answer = api.put(f"{shop}/templates/t", {"suite": "unit", **change}, expect=400)

    assert field_of(answer) == field


# pools and workers ------------------------------------------------------------------------------


def enrol(api, join_token, name="w1", **more):
    return api.with_token(join_token).post("/v1/workers/enrol", {"name": name, **more})


def test_a_worker_enrols_and_keeps_its_id_and_lane(api, verdict):
    join = verdict.join_token.read_text().strip()

    first = enrol(api, join, labels={"os": "linux"}, slots=4)
    again = enrol(api, join)

    assert first["pool"] == "default"
    assert len(first["key"]) == 64
    assert (again["worker_id"], again["lane"]) == (first["worker_id"], first["lane"])
    assert again["key"] != first["key"]
    prefix = verdict.urls["VERDICT_TOPIC_PREFIX"]
    assert first["topics"] == {
        "lanes": f"{prefix}.lanes.{first['pool_id']}",
        "scheduling": f"{prefix}.scheduling",
        "results": f"{prefix}.results",
    }
    listed = api.get("/v1/workers")["items"]
    assert [(w["name"], w["state"]) for w in listed] == [("w1", "enrolled")]
    assert first["key"] not in str(listed)


def test_a_new_pool_has_lanes_and_a_join_token_of_its_own(api, verdict):
    pool = api.post("/v1/pools", {"slug": "gpu", "title": "GPU"}, expect=201)
    old = api.post("/v1/pools/gpu/join-token", expect=201)["join_token"]
    new = api.post("/v1/pools/gpu/join-token", expect=201)["join_token"]

    worker = enrol(api, new)

    assert worker["pool_id"] == pool["id"]
    api.with_token(old).post("/v1/workers/enrol", {"name": "x"}, expect=401)


def test_a_pool_is_seen_by_the_projects_that_may_use_it(api, shop):
    api.post("/v1/pools", {"slug": "gpu"}, expect=201)
    join = api.post("/v1/pools/gpu/join-token", expect=201)["join_token"]
    worker = enrol(api, join)
    bound = token_for(api, ["workers:read"], project="shop")
    bound.get("/v1/pools/gpu", expect=404)
    bound.get(f"/v1/workers/{worker['worker_id']}", expect=404)

    granted = api.put("/v1/pools/gpu/projects/shop", expect=200)

    assert granted["projects"] == ["shop"]
    assert bound.get("/v1/pools/gpu")["slug"] == "gpu"
    assert bound.get(f"/v1/workers/{worker['worker_id']}")["name"] == "w1"
    assert api.delete("/v1/pools/gpu/projects/shop")["projects"] == []
    bound.get("/v1/pools/gpu", expect=404)


def test_a_workers_key_can_be_taken_away(api, verdict):
    worker = enrol(api, verdict.join_token.read_text().strip())

    revoked = api.delete(f"/v1/workers/{worker['worker_id']}")

    assert revoked["state"] == "revoked"


def test_a_revoked_worker_cannot_enrol_until_it_is_restored(api, shop, verdict):
    join = verdict.join_token.read_text().strip()
    worker = enrol(api, join)
    path = f"/v1/workers/{worker['worker_id']}"
    key = "SELECT encode(key, 'hex') FROM api.enrolment"
    api.delete(path)

    refused = api.with_token(join).post("/v1/workers/enrol", {"name": "w1"}, expect=403)
    state, kept = api.get(path)["state"], verdict.db.value(key)
    token_for(api, ["admin"], project="shop").post(f"{path}/restore", expect=403)
    restored = api.post(f"{path}/restore", expect=200)
    after = verdict.db.value(key)
    again = enrol(api, join)

    assert refused["code"] == "forbidden"
    assert refused["message"].startswith("the worker w1 of this pool was revoked")
    assert (state, kept) == ("revoked", worker["key"])
    assert (restored["state"], restored["revoked_at"]) == ("enrolled", None)
    assert after != worker["key"]  # who has the old key is not let back
    assert again["worker_id"] == worker["worker_id"]
    actions = verdict.db.query("SELECT action FROM api.audit WHERE action LIKE 'worker.%%'")
    assert sorted(row["action"] for row in actions) == [
        *("worker.enrol", "worker.enrol", "worker.restore", "worker.revoke")
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "w", "slots": 0}, "slots"),
        ({"name": "w", "labels": {"a": {}}}, "labels"),
    ],
)
def test_a_bad_enrolment_names_its_field(api, verdict, body, field):
    worker = api.with_token(verdict.join_token.read_text().strip())

    answer = worker.post("/v1/workers/enrol", body, expect=400)

    assert field_of(answer).startswith(field)


# webhooks ---------------------------------------------------------------------------------------


def test_a_webhooks_secret_is_shown_once_and_stored_sealed(api, shop, verdict):
    made = api.post(f"{shop}/webhooks", {"url": "https://example.com/hook"}, expect=201)

    assert made["secret"].startswith("whsec_")
    assert made["events"] == ["run.finished"]
    got = api.get(f"{shop}/webhooks/{made['id']}")
    assert "secret" not in got
    sealed = verdict.db.value("SELECT secret_sealed FROM api.webhook_endpoint")
    assert made["secret"].encode() not in bytes(sealed)


def test_a_webhook_is_changed_and_removed(api, shop):
    made = api.post(f"{shop}/webhooks", {"url": "https://example.com/a"}, expect=201)
    path = f"{shop}/webhooks/{made['id']}"

    body = {"url": "https://example.com/b", "events": ["run.*"], "enabled": False}
    changed = api.put(path, body)

    assert {k: changed[k] for k in body} == body
    api.delete(path, expect=204)
    api.get(path, expect=404)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "example.com"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "http://user:secret@example.com/"}, "url"),
        ({"url": "https://e.com", "events": ["run.exploded"]}, "events[0]"),
        ({"url": "https://e.com", "events": []}, "events"),
    ],
)
def test_a_bad_webhook_names_its_field(api, shop, body, field):
    assert field_of(api.post(f"{shop}/webhooks", body, expect=400)) == field


def test_a_test_delivery_is_written_down_and_the_notifier_is_told(api, shop, verdict):
    made = api.post(f"{shop}/webhooks", {"url": "https://example.com/a"}, expect=201)

    wish = api.post(f"{shop}/webhooks/{made['id']}/test", expect=202)

    rows = verdict.db.query("SELECT id::text, kind, endpoint_id::text FROM api.delivery_request")
    assert rows == [{"id": wish["request_id"], "kind": "test", "endpoint_id": made["id"]}]
    told = wait_until(lambda: verdict.bus.read_json("events"), 10, "the notifier to be told")
    assert [(m["type"], m["request_id"]) for m in told] == [
        ("delivery.request", wish["request_id"])
    ]
    wait_until(lambda: verdict.db.value("SELECT count(*) FROM api.outbox") == 0, 10, "the outbox")


def test_a_webhooks_secret_can_be_changed(api, shop, verdict):
    made = api.post(f"{shop}/webhooks", {"url": "https://example.com/a"}, expect=201)
    before = verdict.db.value("SELECT secret_sealed FROM api.webhook_endpoint")

    new = api.post(f"{shop}/webhooks/{made['id']}/secret", expect=200)

    assert new["secret"].startswith("whsec_")
    assert new["secret"] != made["secret"]
    assert verdict.db.value("SELECT secret_sealed FROM api.webhook_endpoint") != before


# limits -----------------------------------------------------------------------------------------


def test_a_token_that_asks_too_often_is_told_when_to_come_back(verdict):
    verdict.start("api-ingest", VERDICT_API_REQUESTS_PER_SECOND=5)

    answers = [verdict.api.request("GET", "/v1/me") for _ in range(30)]

    refused = [a for a in answers if a.status_code == 429]
    assert 15 <= len(refused) <= 20
    assert refused[0].headers["Retry-After"] == "1"
    first, last = answers[0].headers, refused[-1].headers
    assert (first["RateLimit-Limit"], first["RateLimit-Remaining"]) == ("10", "9")
    assert (last["RateLimit-Remaining"], last["RateLimit-Reset"]) == ("0", "2")


def test_an_address_that_asks_too_often_is_refused_whatever_its_tokens(verdict):
    verdict.start("api-ingest", VERDICT_API_ADDRESS_REQUESTS_PER_SECOND=5)
    nobody = verdict.api.with_token(None)

    answers = [nobody.request("GET", "/v1/version") for _ in range(30)]

    refused = [a for a in answers if a.status_code == 429]
    assert 15 <= len(refused) <= 20
    assert refused[0].json()["message"].startswith("the address may make 5")
    assert verdict.api.request("GET", "/v1/me").status_code == 429


# the page ----------------------------------------------------------------------------------------


def test_the_reference_page_shows_every_operation_and_loads_nothing(api):
    document = api.get("/v1/openapi.json")
    answer = api.with_token(None).request("GET", "/v1/docs")

    ids = [o["operationId"] for path in document["paths"].values() for o in path.values()]
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'; style-src 'sha256-" in answer.headers["Content-Security-Policy"]
    assert [i for i in ids if f'id="{i}"' not in answer.text] == []
    assert not re.search(r"<script|<link|<img|url\(|@import|src=", answer.text)
    anchors = set(re.findall(r'id="([^"]+)"', answer.text))
    assert set(re.findall(r'href="#([^"]+)"', answer.text)) <= anchors


# conditions --------------------------------------------------------------------------------------


def test_what_has_not_changed_is_not_sent_again(api, shop):
    api.put(f"{shop}/environments/prod", {})
    paths = ["/v1/openapi.json", shop, f"{shop}/environments/prod", "/v1/pools/default"]
    for path in paths:
        first = api.request("GET", path)

        again = api.request("GET", path, headers={"If-None-Match": first.headers["ETag"]})
        other = api.request("GET", path, headers={"If-None-Match": '"other"'})

        assert (again.status_code, again.content) == (304, b"")
        assert (other.status_code, other.headers["ETag"]) == (200, first.headers["ETag"])


def test_a_change_of_what_somebody_else_has_changed_is_refused(api, shop):
    path = f"{shop}/environments/prod"
    api.put(path, {"title": "A"}, expect=201)
    old = api.request("GET", path).headers["ETag"]

    changed = api.request("PUT", path, json={"title": "B"}, headers={"If-Match": old})
    late = api.request("PUT", path, json={"title": "C"}, headers={"If-Match": old})
    weak = {"If-Match": "W/" + changed.headers["ETag"]}

    assert (changed.status_code, late.status_code) == (200, 412)
    assert late.json()["code"] == "precondition_failed"
    assert changed.headers["ETag"] == api.request("GET", path).headers["ETag"] != old
    assert api.get(path)["title"] == "B"
    api.put(path, {"title": "D"}, expect=412, headers=weak)
    api.put(path, {"title": "D"}, expect=200, headers={"If-Match": "*"})
    api.put(f"{shop}/environments/none", {}, expect=412, headers={"If-Match": "*"})
    api.get(f"{shop}/environments/none", expect=404)


def test_only_one_of_many_changes_of_the_same_thing_wins(api, shop):
    path = f"{shop}/environments/prod"
    api.put(path, {"title": "A"}, expect=201)
    tag = {"If-Match": api.request("GET", path).headers["ETag"]}

    def change(number):
        mine = api.with_token(api.session.headers["Authorization"].split()[1])
        return mine.request("PUT", path, json={"title": f"T{number}"}, headers=tag).status_code

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(change, range(8)))

    assert sorted(statuses) == [200, *[412] * 7]


@pytest.mark.parametrize("first_asks", [True, False])
def test_a_condition_sees_a_change_that_is_being_made(api, shop, verdict, first_asks):
    made = api.put(f"{shop}/environments/prod", {"title": "A"}, expect=201)
    paths = [f"{shop}/environments/prod", f"{shop}/environments/{made['id']}"]
    tag = {"If-Match": api.request("GET", paths[0]).headers["ETag"]}
    waiting = """SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'"""

    def change(path, headers):
        mine = api.with_token(api.session.headers["Authorization"].split()[1])
        return mine.request("PUT", path, json={"title": path}, headers=headers).status_code

    with (
        psycopg.connect(verdict.urls["VERDICT_POSTGRES_URL"]) as other,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        other.execute("UPDATE api.environment SET position = position")
        first = pool.submit(change, paths[0], tag if first_asks else {})
        wait_until(lambda: verdict.db.value(waiting) >= 1, 30, "the first to wait")
        second = pool.submit(change, paths[1], tag)
        wait_until(lambda: verdict.db.value(waiting) >= 2, 30, "the second to wait")
        other.rollback()
        assert (first.result(), second.result()) == (200, 412)
    assert api.get(paths[0])["title"] == paths[0]


def test_what_must_be_new_is_not_overwritten(api, shop):
    new = {"If-None-Match": "*"}

    api.put("/v1/projects/fresh", {"title": "F"}, expect=201, headers=new)
    api.put("/v1/projects/fresh", {"title": "G"}, expect=412, headers=new)
    api.put("/v1/projects/fresh", {}, expect=412, headers=new)
    api.put(f"{shop}/environments/prod", {}, expect=201, headers=new)
    api.put(f"{shop}/environments/prod", {"title": "B"}, expect=412, headers=new)

    assert api.get("/v1/projects/fresh")["title"] == "F"


def test_what_must_be_new_is_not_overwritten_while_another_makes_it(api, shop, verdict):
    api.put(f"{shop}/suites/unit", PYTEST_SUITE, expect=201)
    bodies = {"suites": PYTEST_SUITE, "environments": {}, "templates": {"suite": "unit"}}
    bodies = {f"{shop}/{kind}": body for kind, body in bodies.items()} | {
        "/v1/pools": {},
        "/v1/projects": {},
    }
    new = {"If-None-Match": "*"}
    waiting = """SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'"""
    for path, body in bodies.items():
        with (
            psycopg.connect(verdict.urls["VERDICT_POSTGRES_URL"]) as other,
            concurrent.futures.ThreadPoolExecutor() as pool,
        ):
            other.execute("LOCK TABLE api.audit IN SHARE MODE")  # it is made, and not committed
            posted = {**body, "slug": "new", "title": "Mine"}
            first = pool.submit(api.request, "POST", path, json=posted)
            wait_until(lambda: verdict.db.value(waiting) >= 1, 60, "the first to wait")
            second = {**body, "title": "Theirs"}
            second = pool.submit(api.request, "PUT", f"{path}/new", json=second, headers=new)
            wait_until(lambda: verdict.db.value(waiting) >= 2, 60, "the second to wait")
            other.commit()
            assert (first.result().status_code, second.result().status_code) == (201, 412), path
        assert api.get(f"{path}/new")["title"] == "Mine"


def test_what_was_changed_is_not_removed_unseen(api, shop):
    made = api.post(f"{shop}/webhooks", {"url": "https://example.com/a"}, expect=201)
    path = f"{shop}/webhooks/{made['id']}"
    tag = {"If-Match": api.request("GET", path).headers["ETag"]}
    api.put(path, {"url": "https://example.com/b"}, expect=200)

    api.delete(path, expect=412, headers=tag)

    api.delete(path, expect=204, headers={"If-Match": api.request("GET", path).headers["ETag"]})


def test_a_suite_that_could_not_travel_to_a_worker_is_refused(api, shop):
    environment = {f"NAME_{n}": "x" * 1000 for n in range(300)}

    answer = api.put(f"{shop}/suites/fat", {**PYTEST_SUITE, "environment": environment}, expect=400)

    assert "262144 bytes" in answer["message"] or "environment" in answer["message"]


def test_a_patch_changes_what_it_names(api, shop):
    api.put(
        f"{shop}/environments/prod", {"title": "Prod", "url": "https://a.example", "position": 3}
    )
    hook = {"url": "https://a.example", "events": ["run.*"], "description": "d"}
    hook = api.post(f"{shop}/webhooks", hook, expect=201)["id"]
    api.post("/v1/pools", {"slug": "gpu", "title": "GPU", "all_projects": True}, expect=201)
    for path, patch, told in (
        (shop, {"title": "Other"}, {"title": "Other"}),
        (f"{shop}/environments/prod", {"position": 4}, {"title": "Prod", "position": 4}),
        (f"{shop}/environments/prod", {"url": None}, {"title": "Prod", "position": 4, "url": None}),
        (f"{shop}/webhooks/{hook}", {"enabled": False}, {"events": ["run.*"], "enabled": False}),
        ("/v1/pools/gpu", {"title": "GPUs"}, {"title": "GPUs", "all_projects": True}),
    ):
        before = api.get(path)
        changed = api.patch(path, patch)
        assert told.items() <= changed.items(), path
        kept = before.keys() - patch.keys() - {"updated_at"}
        assert {name: changed[name] for name in kept} == {name: before[name] for name in kept}

    api.patch(f"{shop}/environments/none", {"position": 4}, expect=404)
    for path in (shop, f"{shop}/environments/prod", "/v1/pools/gpu"):
        refused = api.patch(path, {"title": None}, expect=400)
        assert refused["errors"][0]["field"] == "title"
    for path in (f"{shop}/environments/prod", "/v1/pools/gpu"):
        api.patch(path, {"slug": path.rpartition("/")[2]})
        refused = api.patch(path, {"slug": "other"}, expect=400)
        assert refused["errors"][0]["field"] == "slug"
    api.patch(shop, {}, headers={"If-Match": '"old"'}, expect=412)
    wrong = api.request("PATCH", shop, json={"title": 5})
    assert wrong.status_code == 400 and wrong.json()["errors"][0]["field"] == "title"


def test_a_patch_of_a_suite_makes_a_version_of_what_it_names(api, shop, verdict):
    path = f"{shop}/suites/unit"
    old = {**PYTEST_SUITE, "title": "Unit", "limits": {"memory_mb": 100, "processes": 9}}
    old = api.put(path, {**old, "environment": {"A": "1", "B": "2"}}, expect=201)

    patch = {"limits": {"memory_mb": 200}, "environment": {"A": None}, "artifacts": ["*.png"]}
    new = api.patch(path, patch)
    titled = api.patch(path, {"title": "Units"})
    fewer = api.patch(path, {"cases": PYTEST_SUITE["cases"][:1], "environment": None})
    back = api.patch(path, {"cases": PYTEST_SUITE["cases"], "environment": {"B": "2"}})

    kept = {name: old["spec"][name] for name in ("framework", "source", "requirements")}
    assert kept.items() <= new["spec"].items() and new["cases"] == len(PYTEST_SUITE["cases"])
    assert new["spec"]["limits"]["memory_mb"] == 200 and new["spec"]["limits"]["processes"] == 9
    assert new["spec"]["environment"] == {"B": "2"} and new["spec"]["artifacts"] == ["*.png"]
    assert new["version_id"] != old["version_id"] and new["title"] == "Unit"
    assert (titled["title"], titled["version_id"]) == ("Units", new["version_id"])
    assert fewer["cases"] == 1 and "environment" not in fewer["spec"]
    assert back["version_id"] == new["version_id"]
    selectors = [case["selector"] for case in api.get(f"{path}/cases")["items"]]
    assert selectors == PYTEST_SUITE["cases"]
    for wrong, field in (({"framework": None}, "framework"), ({"title": None}, "title")):
        assert api.patch(path, wrong, expect=400)["errors"][0]["field"] == field
    assert api.patch(path, {"slug": "other"}, expect=400)["errors"][0]["field"] == "slug"
    assert api.patch(path, {"source": {"url": "x"}}, expect=400)["errors"][0]["field"] == "source"
    api.patch(path, {"title": "X"}, headers={"If-Match": '"old"'}, expect=412)
    api.patch(f"{shop}/suites/none", {"title": "X"}, expect=404)
    assert api.get(path)["version_id"] == new["version_id"]


def test_a_put_keeps_the_slug_of_its_path(api, shop):
    suite, template = {**PYTEST_SUITE, "slug": "unit"}, {"suite": "unit", "slug": "nightly"}
    for body, path in ((suite, f"{shop}/suites"), (template, f"{shop}/templates")):
        there = api.put(f"{path}/{body['slug']}", body, expect=201)
        for name in (body["slug"], there["id"]):
            refused = api.put(f"{path}/{name}", {**body, "slug": "other"}, expect=400)
            assert refused["errors"][0]["field"] == "slug"
            api.put(f"{path}/{name}", body, expect=200)
        api.put(f"{path}/other", body, expect=400)
        assert [thing["slug"] for thing in api.get(path)["items"]] == [body["slug"]]


def test_a_project_keeps_the_slug_of_its_path(api, shop):
    for name in ("shop", api.get(shop)["id"]):
        for change in (api.put, api.patch):
            refused = change(f"/v1/projects/{name}", {"slug": "other", "title": "X"}, expect=400)
            assert field_of(refused) == "slug"
            change(f"/v1/projects/{name}", {"slug": "shop", "title": "Shop"}, expect=200)
    api.put("/v1/projects/new", {"slug": "other"}, expect=400)
    assert [(one["slug"], one["title"]) for one in api.get("/v1/projects")["items"]] == [
        ("shop", "Shop")
    ]


def test_a_patch_is_of_what_was_read(api, shop, verdict):
    etag = api.request("GET", shop).headers["ETag"]
    api.patch(shop, {"title": "One"}, headers={"If-Match": etag})
    api.patch(shop, {"title": "Two"}, headers={"If-Match": etag}, expect=412)
    assert api.get(shop)["title"] == "One"

    # Somebody changes the title between the read and the write of a patch of the position.
    path = f"{shop}/environments/prod"
    api.put(path, {"title": "Prod", "position": 1})
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with (
        psycopg.connect(verdict.urls["VERDICT_POSTGRES_URL"]) as other,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        route = "/v1/projects/{project}/environments/{environment}"
        key = f"{route} {api.get(shop)['id']} prod"
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (key,))
        other.execute("UPDATE api.environment SET title = 'Production'")
        answer = pool.submit(api.request, "PATCH", path, json={"position": 9})
        wait_until(lambda: verdict.db.value(waiting) > 0, 30, "the patch to wait")
        other.commit()
        assert answer.result().status_code == 409
    changed = api.patch(path, {"position": 9})
    assert (changed["title"], changed["position"]) == ("Production", 9)
