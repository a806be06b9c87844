# SPDX-License-Identifier: Apache-2.0
"""A case over its runs, and badges. The rows are put there by the test."""

import uuid
import xml.etree.ElementTree

import pytest
from support import SUITE

KEY = "ab" * 16


class Shop:
    def __init__(self, verdict):
        self.api, self.db, self.url = verdict.api, verdict.db, verdict.api_url
        verdict.start("api-ingest")
        self.api.put("/v1/projects/shop", {"title": "Shop"}, expect=201)
        self.db.query(
            "CREATE TABLE results.result_all PARTITION OF results.result DEFAULT;"
            "GRANT SELECT ON results.result_all TO PUBLIC"
        )

    def run(self, status=None, state="passed", branch="main", tries=1, counts=(1, 0), **more):
        body = {"project": "shop", "suite": SUITE, "branch": branch, **more}
        run = self.api.post("/v1/runs", body, expect=201)
        reason = {"failed": "cases_failed", "errored": "no_report"}.get(state)
        self.db.query(
            """INSERT INTO scheduling.run_state (run_id, project_id, pool_id, partition, state,
                 reason, priority, run_deadline, finished_at)
               SELECT id, project_id, pool_id, 0, %s, %s, 50, now(), now() FROM api.run
               WHERE id = %s""",
            *(state, reason, run["id"]),
        )
        self.db.query(
            """INSERT INTO results.run_totals (run_id, project_id, planned, passed, failed, closed)
               SELECT id, project_id, %s, %s, %s, true FROM api.run WHERE id = %s""",
            *(sum(counts), *counts, run["id"]),
        )
        for number in range(1, tries + 1) if status else ():
            self.db.query(
                """INSERT INTO results.result (run_id, case_key, try, task_id, attempt, dispatch_id,
                     seq, status, name, duration_ms)
                   VALUES (%s, decode(%s, 'hex'), %s, %s, 1, %s, 1, %s, 'test_x', 100)""",
                *(run["id"], KEY, number, str(uuid.uuid4()), str(uuid.uuid4())),
                status if number == tries else "failed",
            )
        return run

    def known(self, run):
        self.db.query(
            """INSERT INTO results.known_case (project_id, case_key, name, runs, duration_ms,
                 last_status, last_run_id)
               SELECT project_id, decode(%s, 'hex'), 'test_x', 7, 99.5, 'passed', id FROM api.run
               WHERE id = %s""",
            *(KEY, run["id"]),
        )


@pytest.fixture
def shop(verdict):
    return Shop(verdict)


def test_a_case_is_told_over_its_runs_page_by_page(shop):
    statuses = ["passed", "failed", None, "passed", "skipped", "errored", "passed"]
    runs = [shop.run(s, tries=2 if i == 6 else 1) for i, s in enumerate(statuses)]
    other = shop.run("failed", branch="topic", suite={**SUITE, "slug": "other"})
    shop.known(runs[-1])

    answer = shop.api.get(f"/v1/cases/{KEY}?project=shop&limit=4")
    rest = shop.api.get(f"/v1/cases/{KEY}?project=shop&limit=4&cursor={answer['next_cursor']}")

    told = [(i["run"]["number"], i["status"]) for i in answer["items"] + rest["items"]]
    there = [(r["number"], s) for r, s in zip(runs, statuses, strict=True) if s]
    assert told == there[::-1] and rest["next_cursor"] is None
    assert other["number"] not in dict(told)
    case = answer["case"]
    assert (case["case_key"], case["suite"], case["expected_ms"]) == (KEY, "unit", 99.5)
    # passed failed passed errored passed(2nd try): each but the first is a change
    assert case["flakiness"] == {"runs": 5, "changes": 4, "retried": 1, "figure": 0.8}
    assert case["durations"] == {"mean_ms": 100.0, "median_ms": 100.0, "max_ms": 100}
    assert answer["items"][0]["try"] == 2
    assert shop.api.get(f"/v1/cases/{KEY}?project=shop&branch=topic")["items"] == []


def test_a_case_that_is_not_known_or_of_another_project_is_not_there(shop):
    shop.known(shop.run("passed"))
    shop.api.put("/v1/projects/bank", {"title": "Bank"}, expect=201)
    made = shop.api.post("/v1/tokens", {"name": "t", "scopes": ["runs:read"], "project": "bank"})
    bank = shop.api.with_token(made["token"])

    bank.get(f"/v1/cases/{KEY}", expect=404)
    bank.get(f"/v1/cases/{KEY}?project=shop", expect=404)
    for key in ("cd" * 16, "x", KEY + "00"):
        shop.api.get(f"/v1/cases/{key}?project=shop", expect=404)
    assert shop.api.get(f"/v1/cases/{KEY}", expect=400)["errors"][0]["field"] == "project"


def test_a_badge_tells_how_the_last_run_ended_to_whoever_holds_it(shop):
    path = "/v1/projects/shop/suites/unit/badge"
    of_main = shop.api.post(path, {"branch": "main"}, expect=201)
    of_any = shop.api.post(path, expect=201)
    nobody = shop.api.with_token(None)

    def shown(badge):
        return nobody.get(badge["shields"].removeprefix(shop.url), expect=200)

    assert shown(of_main)["message"] == "no run yet"
    first = shop.run(counts=(12, 0))
    shop.run(state="failed", branch="topic", counts=(10, 2))
    assert (shown(of_main)["message"], shown(of_main)["color"]) == ("12 passed", "brightgreen")
    assert (shown(of_any)["message"], shown(of_any)["color"]) == ("2 of 12 failed", "red")
    shop.run(state="errored")
    assert shown(of_main)["message"] == "errored"
    answer = nobody.request("GET", of_main["svg"].removeprefix(shop.url))
    svg = xml.etree.ElementTree.fromstring(answer.text)
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert answer.headers["Cache-Control"] == "public, max-age=60"
    assert svg.get("aria-label") == "unit: errored" and "href" not in answer.text
    flipped = of_main["svg"].removeprefix(shop.url)
    flipped = flipped[:40] + ("A" if flipped[40] != "A" else "B") + flipped[41:]
    nobody.get(flipped, expect=404)
    nobody.get(
        first["links"]["html"].removeprefix(shop.url).replace("shared", "badges"), expect=404
    )
    assert shop.db.value("SELECT count(*) FROM api.audit WHERE action = 'badge.create'") == 2


def test_a_case_outlives_its_last_run(shop):
    older, last = shop.run("failed"), shop.run("passed")
    shop.known(last)
    path = f"/v1/cases/{KEY}"
    assert shop.api.get(path, params={"project": "shop"})["case"]["last_run_id"] == last["id"]

    shop.api.delete(f"/v1/runs/{last['id']}", expect=204)

    told = shop.api.get(path, params={"project": "shop"})
    assert told["case"]["last_run_id"] == older["id"] and told["case"]["suite"] == "unit"
    assert [item["run"]["id"] for item in told["items"]] == [older["id"]]


def test_the_cases_of_a_project_are_listed(shop):
    run = shop.run("passed")
    shop.known(run)
    shop.db.query(
        """INSERT INTO results.known_case (project_id, case_key, file, name, runs, last_status,
             last_run_id)
           SELECT project_id, decode(md5(n::text), 'hex'), 'a.py', 'test_' || n, 1, 'failed', id
           FROM api.run, generate_series(1, 5) n""",
    )

    def listed(**query):
        page = shop.api.get("/v1/cases", params={"project": "shop", **query})
        return [case["case_key"] for case in page["items"]], page["next_cursor"]

    everything, _ = listed()
    assert KEY in everything and everything == sorted(everything) and len(everything) == 6
    first, cursor = listed(limit=4)
    rest, end = listed(limit=4, cursor=cursor)
    assert first + rest == everything and end is None
    assert listed(status="passed")[0] == [KEY]
    assert len(listed(search="A.PY TEST_3")[0]) == 0 and len(listed(search="TEST_3")[0]) == 1
    assert len(listed(suite="unit")[0]) == 6 and listed(suite="none")[0] == []
    assert shop.api.get("/v1/cases?project=shop&status=odd", expect=400)["errors"]
    shop.api.get("/v1/cases?project=none", expect=404)
