# SPDX-License-Identifier: Apache-2.0
"""Who may do what, asked of every route of the table: without a token, with one that is void, with
another scope, with the ids of another project, and with what is forged: names, cursors, filters."""

import base64
import re
import uuid

import pytest
import support
from support import TOP, contract

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


def delivered(db, webhook):
    """A delivery that the webhook was sent."""
    delivery = str(uuid.uuid4())
    db.query(
        """INSERT INTO notify.delivery (id, event_id, endpoint_id, project_id, event_type, state,
                                        attempts, finished_at)
           SELECT %s, gen_random_uuid(), id, project_id, 'run.finished', 'delivered', 1, now()
           FROM api.webhook_endpoint WHERE id = %s""",
        delivery,
        webhook,
    )
    return delivery


@pytest.fixture(scope="module")
def ids(api, shared_verdict):
    """Things of the project shop, and what is nobody's."""
    shop = "/v1/projects/shop"
    api.put(shop, {})
    api.post(f"{shop}/environments", {"slug": "test"})
    suite = api.post(f"{shop}/suites", SUITE, expect=201)
    template = {"slug": "nightly", "suite": "smoke"}
    api.post("/v1/pools", {"slug": "gpu"}, expect=201)
    webhook = api.post(f"{shop}/webhooks", {"url": "https://example.com"})["id"]
    return {
        "project": "shop",
        "environment": "test",
        "suite": suite["slug"],
        "template": api.post(f"{shop}/templates", template, expect=201)["slug"],
        "webhook": webhook,
        "delivery": delivered(shared_verdict.db, webhook),
        "run": api.post("/v1/runs", {"project": "shop", "suite": "smoke"}, expect=201)["id"],
        "token": api.post("/v1/tokens", {"name": "t", "scopes": ["admin"]})["id"],
        "pool": "gpu",
        **{name: str(uuid.uuid4()) for name in ("worker", "artifact", "dispatch")},
        "key": "0" * 64,
        "bundle": "0" * 64,
    }


def ask(api, method, pattern, ids):
    path = pattern.format_map({**ids, "link": "none"})
    query = {"project": ids["project"]} if re.search("/cases|{bundle}", pattern) else None
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
    body = {"project": "shop", "suite": "smoke"}
    assert bound.request("POST", "/v1/runs", json=body).status_code in (403, 404)
    query = {"project": "shop"}
    for path in ("/v1/runs", f"/v1/cases/{ids['key']}"):
        assert bound.request("GET", path, params=query).status_code in (403, 404), path

    assert shared_verdict.db.value(changes) == before
    for name in ("run", "pool", "token"):  # they are there for whoever may see them
        api.get(f"/v1/{name}s/{ids[name]}", expect=200)
    api.get(f"/v1/deliveries/{ids['delivery']}", expect=200)
    api.get("/v1/runs", params=query, expect=200)
    for name in ("environment", "suite", "template", "webhook"):
        api.get(f"/v1/projects/shop/{name}s/{ids[name]}", expect=200)


# Escaped as they stand in a path. None can be the name of anything.
FORGED_NAMES = [
    str(uuid.UUID(int=0)),
    "-1",
    "9" * 30 + "-",
    "%25s%25n",
    "%27%20OR%20%271%27=%271",
    "%F0%9F%A7%AA%E2%80%AE",
    "..%5C..%5Cadmin",
    "AAAA.AAAA",
    "x" * 1500,
]
FORGED_CURSORS = [
    b"",
    b"-1",
    b"99999999999999999999",
    b"2147483648",
    str(uuid.UUID(int=0)).encode(),
    b"0" * 32 + b".1.",
    b"0" * 32 + b".99999999999.",
    b"0" * 32 + b".99999999999999999999.x",
    b"0" * 32 + b".1.\xff\xfe",
    b"1.1.99999999999999999999",
    b"99999999999.1.1",
    b"1.1.-9",
    b"1.1",
]
FORGED_VALUES = [
    "",
    "-1",
    "9" * 30,
    "%s%n",
    "' OR '1'='1",
    "\U0001f9ea\u202e",
    "2026-02-31T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "2026-01-01T00:00:61+99:99",
    "2026-01-01T00:00:00." + "9" * 400 + "Z",
    "x" * 1500,
]


def check_refusal(answer, *what):
    assert 400 <= answer.status_code < 500, (*what, answer.status_code, answer.text[:500])
    assert answer.headers["Content-Type"] == "application/problem+json", what
    assert answer.json()["message"], what


def test_a_name_that_is_forged_is_refused_by_every_route(api, ids):
    names = {**ids, "link": "none"}
    for method, pattern, _ in routes():
        for parameter in re.findall(r"{(\w+)}", pattern):
            for forged in FORGED_NAMES:
                answer = ask(api, method, pattern, {**names, parameter: forged})
                check_refusal(answer, method, pattern, parameter, forged)


def queries():
    """(pattern, the parameter's name) of each thing that can be read."""
    document = contract.document()
    for pattern, path in document["paths"].items():
        for parameter in path.get("get", {}).get("parameters", []):
            reference = parameter.get("$ref", "").rpartition("/")[2]
            parameter = document["components"]["parameters"][reference] if reference else parameter
            if parameter["in"] == "query":
                yield pattern, parameter["name"]


def ask_one(api, pattern, ids, query):
    """Streams begin, and are left."""
    path = pattern.format_map({**ids, "link": "none"})
    needed = {"project": ids["project"]} if re.search("/cases|{bundle}", pattern) else {}
    with api.request("GET", path, params={**needed, **query}, stream=True) as answer:
        assert answer.status_code < 500, (path, query, answer.text[:500])
        if answer.status_code >= 400:
            check_refusal(answer, path, query)
        return answer.status_code


def test_a_cursor_that_is_forged_is_refused_or_harmless(api, ids):
    for pattern in (pattern for pattern, name in queries() if name == "cursor"):
        for forged in FORGED_CURSORS:
            cursor = base64.urlsafe_b64encode(forged).decode().rstrip("=")
            ask_one(api, pattern, ids, {"cursor": cursor})
        for forged in FORGED_VALUES:
            assert ask_one(api, pattern, ids, {"cursor": forged}) in (400, 404), (pattern, forged)


def test_a_filter_that_is_forged_is_refused_or_finds_nothing(api, ids):
    for pattern, name in queries():
        for forged in FORGED_VALUES:
            ask_one(api, pattern, ids, {name: forged})


def test_a_trace_that_is_none_changes_nothing(api, ids):
    path = f"/v1/projects/shop/webhooks/{ids['webhook']}/test"
    for given in ("\xff\xfe", "-" * 55, f"00-{'1' * 32}-{'2' * 16}-01"):
        answer = api.request("POST", path, headers={"traceparent": given})

        assert answer.status_code == 202, (given, answer.text)
