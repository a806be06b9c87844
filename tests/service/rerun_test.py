# SPDX-License-Identifier: Apache-2.0
"""Runs again: which cases of a run that is over go into the new one. The rows are put there by the
test; that the cases are then run is tests/e2e's."""

import concurrent.futures
import json
import uuid

import psycopg
import pytest
from parts.process import wait_until

DECLARED = [f"tests/test_a.py::test_{name}" for name in ("one", "two", "three", "four")]
SUITE = {"slug": "unit", "framework": "pytest", "source": {"kind": "path", "path": "/srv/shop"}}


@pytest.fixture
def shop(verdict):
    return Shop(verdict)


class Shop:
    def __init__(self, verdict):
        self.verdict, self.db, self.api = verdict, verdict.db, verdict.api
        verdict.start("api-ingest")
        self.api.put("/v1/projects/shop", {"title": "Shop"}, expect=201)
        self.db.query(
            "CREATE TABLE results.result_all PARTITION OF results.result DEFAULT;"
            "GRANT SELECT ON results.result_all TO PUBLIC"
        )

    def run(self, suite=None, **more):
        body = {"project": "shop", "suite": {**SUITE, **(suite or {})}, **more}
        return self.api.post("/v1/runs", body, expect=201)

    def results(self, run, **statuses):
        """test_<name>=status, with the key that such a selector has."""
        keys = self.keys(*(f"tests/test_a.py::test_{name}" for name in statuses))
        for name, status in statuses.items():
            self.db.query(
                """INSERT INTO results.result (run_id, case_key, task_id, attempt, dispatch_id,
                     seq, status, file, class, name)
                   VALUES (%s, %s, %s, 1, %s, 1, %s, 'tests/test_a.py', 'tests.test_a', %s)""",
                run["id"],
                keys[f"tests/test_a.py::test_{name}"],
                *(str(uuid.uuid4()), str(uuid.uuid4()), status, f"test_{name}"),
            )

    def keys(self, *selectors):
        """What the service itself makes of the selectors."""
        made = self.run({"cases": list(selectors)})
        return {
            row["selector"]: row["case_key"]
            for row in self.db.query(
                """SELECT selector, case_key FROM api.declared_case d JOIN api.run r
                   USING (suite_version_id) WHERE r.id = %s""",
                made["id"],
            )
        }

    def finish(self, run, planned=None, source="discovered", state="failed", reason="cases_failed"):
        self.db.query(
            """INSERT INTO scheduling.run_state (run_id, project_id, pool_id, partition, state,
                 reason, planned_source, priority, run_deadline, finished_at)
               SELECT id, project_id, pool_id, 0, %s, %s, %s, 50, now(), now()
               FROM api.run WHERE id = %s""",
            state,
            reason,
            source,
            run["id"],
        )
        self.db.query(
            """INSERT INTO results.run_totals (run_id, project_id, planned, passed, failed, closed)
               SELECT r.id, r.project_id, CASE WHEN %s <> 'reported' THEN coalesce(%s, n) END, n, 0,
                 true FROM api.run r,
                 (SELECT count(*) AS n FROM results.result WHERE run_id = %s) c WHERE r.id = %s""",
            source,
            planned,
            run["id"],
            run["id"],
        )

    def rerun(self, run, cases=None, expect=201, **options):
        body = None if cases is None else {"cases": cases}
        return self.api.post(f"/v1/runs/{run['id']}/rerun", body, expect=expect, **options)

    def selected(self, run):
        return [
            row["selector"]
            for row in self.db.query(
                """SELECT selector FROM api.declared_case d JOIN api.run r USING (suite_version_id)
                   WHERE r.id = %s ORDER BY ordinal""",
                run["id"],
            )
        ]


def test_what_did_not_pass_of_declared_cases_is_a_new_run_that_is_linked(shop):
    more = {"branch": "main", "commit": "abc", "parameters": {"a": 1}, "priority": 70}
    first = shop.run({"cases": DECLARED}, **more)
    shop.results(first, one="passed", two="failed", three="skipped")
    shop.finish(first, planned=4, source="declared")

    again = shop.rerun(first)
    failed = shop.rerun(first, "failed")
    every = shop.rerun(first, "all")

    run = shop.api.get(f"/v1/runs/{again['id']}")
    assert shop.selected(again) == [DECLARED[1], DECLARED[3]] and again["planned"] == 2
    assert shop.selected(failed) == [DECLARED[1]]
    assert shop.selected(every) == DECLARED
    about = {"of": first["id"], "cases": "not_passed", "whole_suite": False, "why": None}
    assert again["rerun"] == run["rerun"] == about
    assert (run["parent_run"], run["relation"]) == (first["id"], "rerun")
    assert {name: run[name] for name in more} == more
    assert run["suite"]["slug"] == "unit"
    for named in (first["id"], first["number"]):
        listed = shop.api.get(f"/v1/runs?parent_run={named}")["items"]
        assert [r["id"] for r in listed] == [every["id"], failed["id"], again["id"]]
    assert shop.api.get(f"/v1/runs/{first['id']}")["links"]["reruns"].endswith(first["id"])


def test_what_did_not_run_is_known_from_an_earlier_run_or_it_is_the_whole_suite(shop):
    earlier = shop.run()
    shop.results(earlier, one="passed", two="passed", three="passed")
    shop.finish(earlier, state="passed", reason=None)
    first = shop.run()
    shop.results(first, one="passed", two="errored")
    shop.finish(first, planned=3, state="errored", reason="cases_not_run")
    more = shop.run()
    shop.results(more, one="failed")
    shop.finish(more, planned=4, state="errored", reason="cases_not_run")

    known, unknown = shop.rerun(first), shop.rerun(more)

    assert shop.selected(known) == ["tests/test_a.py::test_two", "tests/test_a.py::test_three"]
    assert known["rerun"]["whole_suite"] is False
    assert shop.selected(unknown) == [] and unknown["planned"] is None
    assert unknown["rerun"]["whole_suite"] is True
    assert "not known from an earlier run" in unknown["rerun"]["why"]
    assert shop.selected(shop.rerun(more, "failed")) == ["tests/test_a.py::test_one"]


def test_what_a_tool_without_a_plan_did_not_begin_is_run_again_too(shop):
    def run_of(state="failed", reason="cases_failed", **statuses):
        run = shop.run()
        shop.results(run, **statuses)
        shop.finish(run, source="reported", state=state, reason=reason)
        return run

    first = run_of(one="failed", two="passed")
    run_of("passed", None, one="passed", two="passed", three="passed")
    all_told = run_of(one="failed", two="passed", three="passed")
    cut = run_of(one="failed", two="passed")

    alone = shop.rerun(all_told)
    assert shop.selected(alone) == ["tests/test_a.py::test_one"]
    assert alone["rerun"]["whole_suite"] is False
    for run in (first, cut):
        again = shop.rerun(run)
        assert again["rerun"]["whole_suite"] is True
        assert "no earlier run says" in again["rerun"]["why"]
        assert shop.selected(shop.rerun(run, "failed")) == ["tests/test_a.py::test_one"]


def test_it_is_the_whole_suite_where_cases_cannot_be_named(shop):
    command = shop.run({"framework": "command", "command": ["true"], "report": {"format": "none"}})
    shop.finish(command, source="reported", state="errored", reason="exec_failed")
    fetched = shop.run()
    shop.finish(fetched, source="reported", state="errored", reason="source_failed")

    for run, why in ((command, "cannot select"), (fetched, "did not come so far")):
        again = shop.rerun(run)
        assert again["rerun"]["whole_suite"] is True and why in again["rerun"]["why"]
        versions = [shop.api.get(f"/v1/runs/{r['id']}")["suite"] for r in (run, again)]
        assert versions[0] == versions[1]


def test_a_rerun_is_made_once_per_key_and_only_of_what_is_over(shop):
    first = shop.run({"cases": DECLARED})
    shop.results(first, one="failed")
    key = {"headers": {"Idempotency-Key": "again-1"}}

    assert shop.rerun(first, expect=409)["code"] == "conflict"
    shop.finish(first, planned=4, source="declared")
    again = shop.rerun(first, **key)

    assert shop.rerun(first, **key) == again
    assert shop.rerun(first, "failed", expect=422, **key)["code"] == "unprocessable"
    assert shop.rerun(first, "some", expect=400)["errors"][0]["field"] == "cases"
    count = "SELECT count(*) FROM api.run WHERE parent_run = %s"
    assert shop.db.value(count, first["id"]) == 1
    passed = shop.run({"cases": DECLARED[:1]})
    shop.results(passed, one="passed")
    shop.finish(passed, state="passed", reason=None)
    assert "no such case" in shop.rerun(passed, expect=422)["message"]


def test_equal_keys_in_flight_get_the_same_answer(shop):
    first = shop.run({"cases": DECLARED})
    shop.results(first, one="failed")
    shop.finish(first, planned=4, source="declared")
    waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'api.run'::regclass AND NOT granted"

    def parked():
        metrics = shop.verdict.services["api-ingest"].health("/metrics")[1]
        return "\nverdict_http_parked_requests 3\n" in metrics

    with (
        psycopg.connect(shop.verdict.urls["VERDICT_POSTGRES_URL"]) as held,
        concurrent.futures.ThreadPoolExecutor() as threads,
    ):
        held.execute("LOCK TABLE api.run IN SHARE MODE")
        threads.submit(shop.run)
        wait_until(lambda: shop.db.value(waiting) > 0, 30, "a trigger to wait")
        key = {"headers": {"Idempotency-Key": "again-1"}}
        again = [threads.submit(shop.rerun, first, **key) for _ in range(2)]
        wait_until(parked, 30, "both to be in line behind it")
        held.commit()
        answers = [answer.result() for answer in again]

    assert answers[0] == answers[1]
    assert answers[0]["rerun"]["of"] == first["id"]


def test_another_projects_run_is_not_there_and_a_reader_may_not(shop):
    first = shop.run({"cases": DECLARED})
    shop.finish(first, planned=4, source="declared")
    shop.api.put("/v1/projects/other", {"title": "Other"}, expect=201)

    def ask(scopes, project):
        token = {"name": "t", "scopes": scopes, "project": project}
        made = shop.api.post("/v1/tokens", token, expect=201)
        api = shop.api.with_token(made["token"])
        return api.request("POST", f"/v1/runs/{first['id']}/rerun", data=json.dumps({})).status_code

    assert ask(["runs:write"], "other") == 404
    assert ask(["runs:read"], "shop") == 403
