# SPDX-License-Identifier: Apache-2.0
"""Projects and pools that are removed, and what stands in the way. Runs: retention_test.py."""

import concurrent.futures
import re
import urllib.parse

import psycopg
import pytest
from parts.process import wait_until
from support import SUITE
from support.relay import Relay

SHOP = "/v1/projects/shop"
WAITING = """SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'"""


@pytest.fixture
def api(verdict):
    verdict.start("scheduler", wait=False)
    verdict.start("api-ingest")
    verdict.api.put(SHOP, {})
    verdict.api.post(f"{SHOP}/suites", SUITE, expect=201)
    return verdict.api


def metric(verdict, name):
    text = verdict.services["api-ingest"].health("/metrics")[1]
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)
    return int(float(found.group(1))) if found else 0


def trigger(api, **more):
    body = {"project": "shop", "suite": SUITE["slug"], **more}
    return api.post("/v1/runs", body, expect=201)["id"]


def test_a_project_goes_with_all_that_was_set_up_in_it(verdict, api):
    api.post(f"{SHOP}/environments", {"slug": "test"})
    api.post(f"{SHOP}/templates", {"slug": "t", "suite": SUITE["slug"], "environment": "test"})
    api.post(f"{SHOP}/webhooks", {"url": "https://example.com"})
    api.post("/v1/pools", {"slug": "gpu"}, expect=201)
    api.put("/v1/pools/gpu/projects/shop")
    cases = {"framework": "pytest", "source": SUITE["source"], "cases": ["a.py::a", "a.py::b"]}
    api.put(f"{SHOP}/suites/cases", cases)
    bound = api.post("/v1/tokens", {"name": "t", "scopes": ["admin"], "project": "shop"})
    bound = api.with_token(bound["token"])
    run = trigger(api)

    refused = api.delete(SHOP, expect=409)
    assert f"{SHOP}/runs" in refused["message"]
    assert api.delete(f"{SHOP}/runs") == {"removed": 0, "more": False}  # it goes on
    api.post(f"/v1/runs/{run}/cancel")
    verdict.wait_final(run)
    bound.delete(SHOP, expect=403)
    assert bound.delete(f"{SHOP}/runs") == {"removed": 1, "more": False}
    api.get(f"/v1/runs/{run}", expect=404)
    api.delete(SHOP, expect=204)

    api.get(SHOP, expect=404)
    bound.get("/v1/me", expect=401)
    assert api.get("/v1/pools/gpu")["projects"] == []
    api.put(SHOP, {}, expect=201)
    assert api.get(f"{SHOP}/suites")["items"] == []
    verdict.restart("api-ingest")  # a pass of what is kept and removed begins
    left = """SELECT (SELECT count(*) FROM api.declared_case)
                   + (SELECT count(*) FROM api.suite_version)
                   + (SELECT count(*) FROM api.removed_project)"""
    wait_until(lambda: verdict.db.value(left) == 0, 30, "the rest to be gone")


def test_a_pool_stays_while_something_names_it(verdict, api):
    api.post("/v1/pools", {"slug": "gpu", "all_projects": True}, expect=201)
    api.post("/v1/pools", {"slug": "old", "all_projects": True}, expect=201)
    template = {"slug": "t", "suite": SUITE["slug"], "pool": "gpu"}
    api.post(f"{SHOP}/templates", template, expect=201)

    assert "runs that name none" in api.delete("/v1/pools/default", expect=409)["message"]
    assert "template" in api.delete("/v1/pools/gpu", expect=409)["message"]
    api.delete(f"{SHOP}/templates/t", expect=204)
    trigger(api, pool="gpu")
    assert "runs name this pool" in api.delete("/v1/pools/gpu", expect=409)["message"]

    api.delete("/v1/pools/old", expect=204)
    api.get("/v1/pools/old", expect=404)
    api.post("/v1/runs", {"project": "shop", "suite": SUITE["slug"], "pool": "old"}, expect=400)


def test_a_run_is_not_made_in_a_project_that_is_removed_meanwhile(verdict, api):
    with (
        psycopg.connect(verdict.urls["VERDICT_POSTGRES_URL"]) as removal,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        removal.execute("SELECT FROM api.project FOR UPDATE")
        removal.execute("DELETE FROM api.suite")
        removal.execute("DELETE FROM api.project")
        body = {"project": "shop", "suite": SUITE["slug"]}
        answer = pool.submit(api.request, "POST", "/v1/runs", json=body)
        wait_until(lambda: verdict.db.value(WAITING) > 0, 30, "the trigger to wait")
        removal.commit()

        assert answer.result().status_code == 404
    assert verdict.db.value("SELECT count(*) FROM api.run") == 0


def test_a_removal_waits_for_nobody_and_keeps_nobody_waiting(verdict, api):
    """Others write runs, and VACUUM holds its table, while a project and a pool go."""
    api.put("/v1/projects/other", {}, expect=201)
    api.put("/v1/projects/other/suites/unit", SUITE)
    api.post("/v1/pools", {"slug": "gpu", "all_projects": True}, expect=201)
    with psycopg.connect(verdict.urls["VERDICT_POSTGRES_URL"]) as held:
        held.execute("LOCK TABLE api.run IN ROW EXCLUSIVE MODE")
        api.delete(SHOP, expect=204)
        api.delete("/v1/pools/gpu", expect=204)
        api.post("/v1/runs", {"project": "other", "suite": SUITE["slug"]}, expect=201)


def race(api, remove, at, body):
    """Triggers with keys, and a removal amid them. Returns their statuses, and the removal's."""
    with concurrent.futures.ThreadPoolExecutor(9) as threads:
        made = []
        for i in range(16):
            if i == at:
                removed = threads.submit(api.request, "DELETE", remove)
            key = {"Idempotency-Key": f"{remove} {i}"}
            made.append(threads.submit(api.request, "POST", "/v1/runs", json=body, headers=key))
        return {one.result().status_code for one in made}, removed.result().status_code


def test_triggers_that_race_a_removal_leave_a_run_or_nothing(verdict, api):
    lost = """SELECT count(*) FROM api.run WHERE project_id NOT IN (SELECT id FROM api.project)
                                              OR pool_id NOT IN (SELECT id FROM api.pool)"""
    for at in (0, 2, 4, 8):
        project, pool = f"/v1/projects/p{at}", f"/v1/pools/p{at}"
        api.put(project, {}, expect=201)
        api.put(f"{project}/suites/unit", SUITE)
        api.put(pool, {"all_projects": True}, expect=201)
        body = {"project": f"p{at}", "suite": SUITE["slug"], "pool": f"p{at}"}
        statuses, removed = race(api, project if at in (0, 4) else pool, at, body)
        assert removed in (204, 409)
        assert statuses <= ({201} if removed == 409 else {400, 404})
    assert verdict.db.value(lost) == 0
    keys = "SELECT (SELECT count(*) FROM api.idempotency_key) - (SELECT count(*) FROM api.run)"
    assert verdict.db.value(keys) == 0


def test_a_trigger_that_was_refused_leaves_its_key_to_the_next(verdict, api):
    """The pool goes while a batch waits in which another trigger is fine."""
    body = {"project": "shop", "suite": SUITE["slug"]}
    url = verdict.urls["VERDICT_POSTGRES_URL"]
    keyed = {"json": {**body, "pool": "gpu"}, "headers": {"Idempotency-Key": "K"}}
    api.post("/v1/pools", {"slug": "gpu", "all_projects": True}, expect=201)
    with psycopg.connect(url) as removal, concurrent.futures.ThreadPoolExecutor() as threads:
        removal.execute("SELECT FROM api.project FOR UPDATE")
        removal.execute("DELETE FROM api.pool WHERE slug = 'gpu'")
        first = threads.submit(api.request, "POST", "/v1/runs", json=body)
        wait_until(lambda: verdict.db.value(WAITING) > 0, 30, "the first to wait")
        refused = threads.submit(api.request, "POST", "/v1/runs", **keyed)
        fine = threads.submit(api.request, "POST", "/v1/runs", json=body)
        wait_until(
            lambda: metric(verdict, "verdict_http_parked_requests") == 3,
            30,
            "all of them to be in line",
        )
        removal.commit()
        assert refused.result().status_code == 404
        assert [first.result().status_code, fine.result().status_code] == [201, 201]
    assert verdict.db.value("SELECT count(*) FROM api.idempotency_key") == 0


def test_a_key_whose_run_is_not_there_is_taken_over(verdict, api):
    verdict.db.query("""INSERT INTO api.idempotency_key (project_id, key, body_hash, run_id)
        SELECT id, 'K', sha256('other'), gen_random_uuid() FROM api.project""")
    body = {"project": "shop", "suite": SUITE["slug"]}

    made = [
        api.post("/v1/runs", body, expect=201, headers={"Idempotency-Key": "K"})["id"]
        for _ in range(2)
    ]

    assert made[0] == made[1]


def test_a_version_that_goes_meanwhile_is_not_run(verdict, api):
    """As db/retention.c removes one that nothing names. Whoever asks again stores it again."""
    body = {"project": "shop", "suite": {**SUITE, "slug": "inline"}}
    key = {"Idempotency-Key": "K"}
    first = api.post("/v1/runs", body, expect=201)["id"]
    with (
        psycopg.connect(verdict.urls["VERDICT_POSTGRES_URL"]) as removal,
        concurrent.futures.ThreadPoolExecutor() as threads,
    ):
        removal.execute("UPDATE api.suite_version SET project_id = id WHERE suite_slug = 'inline'")
        answer = threads.submit(api.request, "POST", "/v1/runs", json=body, headers=key)
        wait_until(lambda: verdict.db.value(WAITING) > 0, 30, "the trigger to wait")
        removal.commit()
        assert answer.result().status_code == 503
    again = api.post("/v1/runs", body, expect=201, headers=key)["id"]
    version = "SELECT suite_version_id FROM api.run WHERE id = %s"
    assert verdict.db.value(version, again) != verdict.db.value(version, first)


def test_a_version_is_in_use_by_what_was_committed_in_the_middle_of_a_statement(verdict, api):
    """Who removes versions looks again behind its lock."""
    body = {"project": "shop", "suite": {**SUITE, "slug": "inline"}}
    used = """WITH lock AS MATERIALIZED (SELECT pg_advisory_lock(1))
              SELECT api.version_is_used(v.id) FROM lock, api.suite_version v
              WHERE v.suite_slug = 'inline'"""
    url = verdict.urls["VERDICT_POSTGRES_URL"]
    first = api.post("/v1/runs", body, expect=201)["id"]
    verdict.db.query("DELETE FROM api.run WHERE id = %s", first)
    with (
        psycopg.connect(url) as held,
        psycopg.connect(url) as looking,
        concurrent.futures.ThreadPoolExecutor() as threads,
    ):
        held.execute("SELECT pg_advisory_lock(1)")
        answer = threads.submit(lambda: looking.execute(used).fetchone())
        wait_until(lambda: verdict.db.value(WAITING) > 0, 30, "the statement to wait")
        api.post("/v1/runs", body, expect=201)
        held.execute("SELECT pg_advisory_unlock(1)")
        assert answer.result() == (True,)


def test_a_race_with_a_removal_is_told_as_such(verdict, api):
    url = verdict.urls["VERDICT_POSTGRES_URL"]
    add = """INSERT INTO api.environment (id, project_id, slug, title, created_by)
             SELECT gen_random_uuid(), id, 'x', 'x', id FROM api.project"""
    remove = "DELETE FROM api.environment; DELETE FROM api.suite; DELETE FROM api.project"
    requests = (
        (add, "DELETE", SHOP, None, 204),  # it goes with what was added
        (remove, "POST", f"{SHOP}/environments", {"slug": "e"}, 404),
    )
    for other, method, path, body, status in requests:
        api.put(SHOP, {})
        with (
            psycopg.connect(url) as held,
            concurrent.futures.ThreadPoolExecutor() as threads,
        ):
            held.execute(other)
            answer = threads.submit(api.request, method, path, json=body)
            wait_until(lambda: verdict.db.value(WAITING) > 0, 30, "the request to wait")
            held.commit()
            assert answer.result().status_code == status


def test_a_run_that_is_removed_while_redis_is_away_is_not_told_of_afterwards(verdict, api):
    redis = urllib.parse.urlsplit(verdict.urls["VERDICT_REDIS_URL"])
    removed, kept = (trigger(api) for _ in range(2))
    for run in (removed, kept):
        api.post(f"/v1/runs/{run}/cancel")
        verdict.wait_final(run)
    with Relay(redis.port) as relay:
        host = urllib.parse.urlsplit(relay.url).netloc
        verdict.start("api-ingest", VERDICT_REDIS_URL=redis._replace(netloc=host).geturl())
        asked = 'verdict_run_cache_total{outcome="%s"}'

        def answers(outcome, run):
            before = metric(verdict, asked % outcome)
            api.get(f"/v1/runs/{run}")
            return metric(verdict, asked % outcome) > before

        wait_until(lambda: answers("hit", removed), 30, "the run to be in Redis")
        relay.swallows = "\r\n"
        relay.cut("")
        wait_until(lambda: answers("away", kept), 30, "Redis to be away")
        api.delete(f"/v1/runs/{removed}", expect=204)
        relay.swallows = None
        relay.cut("")
        wait_until(lambda: not answers("away", kept), 30, "Redis to be back")
        api.get(f"/v1/runs/{removed}", expect=404)
