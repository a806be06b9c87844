# SPDX-License-Identifier: Apache-2.0
"""Who may do what, asked of every route of the table: without a token, with one that is void, with
another scope, and with the ids of another project."""

import re
import uuid

import pytest
import support
from support import TOP

TABLE = TOP / "docs" / "generated" / "routes.md"
SUITE = {**support.SUITE, "slug": "smoke"}


def routes():
    """(method, pattern, scope); the scope is "everybody" or "any token" where none is needed."""
    rows = re.findall(r"^\| ([A-Z]+) \| `(\S+)` \| ([^|(]+?) [(|]", TABLE.read_text(), re.M)
    assert len(rows) > 70
    return rows


@pytest.fixture(scope="module")
def api(shared_verdict):
    shared_verdict.start("api-ingest")
    return shared_verdict.api


@pytest.fixture(scope="module")
def ids(api):
    """Things of the project shop, and what is nobody's."""
    shop = "/v1/projects/shop"
    api.put(shop, {})
    api.post(f"{shop}/environments", {"slug": "test"})
    suite = api.post(f"{shop}/suites", SUITE, expect=201)
    template = {"slug": "nightly", "suite": "smoke"}
    api.post("/v1/pools", {"slug": "gpu"}, expect=201)
    return {
        "project": "shop",
        "environment": "test",
        "suite": suite["slug"],
        "template": api.post(f"{shop}/templates", template, expect=201)["slug"],
        "webhook": api.post(f"{shop}/webhooks", {"url": "https://example.com"})["id"],
        "run": api.post("/v1/runs", {"project": "shop", "suite": "smoke"}, expect=201)["id"],
        "token": api.post("/v1/tokens", {"name": "t", "scopes": ["admin"]})["id"],
        "pool": "gpu",
        **{name: str(uuid.uuid4()) for name in ("worker", "delivery", "artifact", "dispatch")},
        "key": "0" * 64,
    }


def ask(api, method, pattern, ids):
    path = pattern.format_map({**ids, "link": "none"})
    query = {"project": ids["project"]} if "{key}" in pattern else None
    body = {} if method in ("POST", "PUT", "PATCH") else None
    return api.request(method, path, params=query, json=body)


def make_token(api, scopes, **more):
    return api.post("/v1/tokens", {"name": "t", "scopes": scopes, **more}, expect=201)


def void_tokens(verdict):
    """Each with what is said of it."""
    api = verdict.api
    revoked, expired, unknown = (
        make_token(api, ["admin"], expires_in=time) for time in ("1h", "1h", "1h")
    )
    api.delete(f"/v1/tokens/{revoked['id']}")
    expire = "UPDATE api.token SET expires_at = now() WHERE id = %s"
    verdict.db.query(expire, expired["id"])
    verdict.db.query("DELETE FROM api.token WHERE id = %s", unknown["id"])
    return [
        (None, "a token is needed"),
        (revoked["token"][:-1], "not whole"),
        (revoked["token"], "revoked"),
        (expired["token"], "expired"),
        (unknown["token"], "unknown"),
    ]


def test_no_route_takes_a_void_token(api, ids, shared_verdict):
    for token, said in void_tokens(shared_verdict):
        stranger = api.with_token(token)
        for method, pattern, scope in routes():
            if scope == "everybody":
                continue
            answer = ask(stranger, method, pattern, ids)
            assert answer.status_code == 401, (method, pattern)
            assert said in answer.json()["message"], (method, pattern)


def test_no_route_takes_a_token_without_its_scope(api, ids):
    for given in ("runs:write", "runs:read", "config:write", "config:read", "workers:read"):
        other = api.with_token(make_token(api, [given])["token"])
        scopes = other.get("/v1/me")["scopes"]
        for method, pattern, scope in routes():
            if scope in ("everybody", "any token", *scopes):
                continue
            answer = ask(other, method, pattern, ids)
            assert answer.status_code == 403, (given, method, pattern)
            assert scope in answer.json()["message"], (given, method, pattern)


def test_no_route_takes_ids_of_another_project(api, ids, shared_verdict):
    api.put("/v1/projects/bank", {})
    bound = api.with_token(make_token(api, ["admin"], project="bank")["token"])
    changes = "SELECT count(*) FROM api.audit"
    before = shared_verdict.db.value(changes)

    for method, pattern, scope in routes():
        if scope == "everybody" or "{" not in pattern:
            continue
        answer = ask(bound, method, pattern, ids)
        assert answer.status_code in (403, 404), (method, pattern, answer.text)

    assert shared_verdict.db.value(changes) == before
    for name in ("run", "pool", "token"):  # they are there for whoever may see them
        api.get(f"/v1/{name}s/{ids[name]}", expect=200)
    for name in ("environment", "suite", "template", "webhook"):
        api.get(f"/v1/projects/shop/{name}s/{ids[name]}", expect=200)
