# SPDX-License-Identifier: Apache-2.0
"""Results of tests that ran elsewhere: recorded once, and never green without evidence."""

import concurrent.futures
import pathlib
import threading

import psycopg
import pytest
from parts.process import wait_until

FINAL = ("passed", "failed", "errored", "cancelled", "timed_out")
WAITING = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
             AND wait_event_type = 'Lock' AND (query LIKE '{}%')"""
DATA = pathlib.Path(__file__).parents[1] / "data"
TAP = "TAP version 13\n1..3\nok 1 - adds\nok 2 - takes away\nnot ok 3 - divides\n"


def junit(*names, failed=(), padding=""):
    cases = "".join(
        f'<testcase classname="tests.test_shop" name="{name}" time="0.01">'
        + ('<failure message="no">trace</failure>' if name in failed else "")
        + (f"<system-out>{padding}</system-out>" if padding else "")
        + "</testcase>"
        for name in names
    )
    return f'<testsuites><testsuite name="shop">{cases}</testsuite></testsuites>'


class Shop:
    def __init__(self, verdict):
        self.verdict = verdict
        self.db = verdict.db
        for name in ("api-ingest", "scheduler", "result-collector"):
            verdict.start(name, wait=False)
        for service in verdict.services.values():
            service.wait_ready()
        verdict.api.put("/v1/projects/shop", {"title": "Shop"})

    def trigger(self, policy=None, project="shop", **suite):
        suite = {"slug": "unit", "framework": "pytest", "source": {"kind": "upload"}, **suite}
        body = {"project": project, "suite": suite, "policy": policy or {}}
        return self.verdict.api.post("/v1/runs", body, expect=201)["id"]

    def state(self, run):
        rows = self.db.query("SELECT * FROM scheduling.run_state WHERE run_id = %s", run)
        return rows[0] if rows else {"state": None}

    def final(self, run):
        wait_until(lambda: self.state(run)["state"] in FINAL, 60, f"run {run} to be final")
        state = self.state(run)
        return state["state"], state["reason"]

    def post(self, run, body="", **query):
        words = "&".join(f"{name}={value}" for name, value in query.items())
        data = body.encode() if isinstance(body, str) else body
        return self.verdict.api.request("POST", f"/v1/runs/{run}/results?{words}", data=data)

    def upload(self, run, body="", **query):
        answer = self.post(run, body, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def totals(self, run):
        row = self.db.query("SELECT * FROM results.run_totals WHERE run_id = %s", run)[0]
        names = ("planned", "passed", "failed", "errored", "skipped")
        return {name: row[name] for name in names if row[name]}

    def keys(self, run):
        rows = self.db.query(
            "SELECT encode(case_key, 'hex') AS key FROM results.result WHERE run_id = %s", run
        )
        return {row["key"] for row in rows}


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

    assert shop.upload(run, complete="true") == {"run_id": run, "complete": True, "upload": None}

    assert shop.final(run) == ("errored", "no_report")
    assert shop.state(run)["reason_detail"] == "nothing was uploaded"


def test_a_run_of_uploads_ends_by_its_deadline(shop):
    run = shop.trigger({"run_timeout_ms": 300})

    assert shop.final(run) == ("timed_out", "run_timeout")
    assert shop.post(run, junit("a")).status_code == 409


def test_uploads_are_recorded_and_the_run_ends_when_it_is_said_to_be_complete(shop):
    run = shop.trigger()

    first = shop.upload(run, junit("a", "b"))
    second = shop.upload(run, junit("b", "c"), format="junit")

    assert (first["upload"]["cases"], first["upload"]["counted"]) == (2, 2)
    assert (second["upload"]["cases"], second["upload"]["counted"]) == (2, 1)
    assert shop.state(run)["state"] == "running"
    last = shop.upload(run, junit("d", failed=["d"]), complete="true")
    assert last["complete"] and last["upload"]["failed"] == 1
    assert shop.final(run) == ("failed", "cases_failed")
    assert shop.totals(run) == {"planned": 4, "passed": 3, "failed": 1}
    tasks = shop.verdict.api.get(f"/v1/runs/{run}/tasks", expect=200)["items"]
    assert [task["state"] for task in tasks] == ["done"] * 3
    assert shop.post(run, junit("e")).status_code == 409
    for cases in ("not_passed", "all"):
        again = shop.verdict.api.request("POST", f"/v1/runs/{run}/rerun", json={"cases": cases})
        assert again.status_code == 409 and "ran elsewhere" in again.json()["message"], again.text


def test_the_same_upload_again_changes_nothing_also_when_the_run_is_over(shop):
    run = shop.trigger()
    text = junit("a", "b")
    answers = [None] * 3

    def send(place):
        answers[place] = shop.upload(run, text)["upload"]

    threads = [threading.Thread(target=send, args=(place,)) for place in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    again = shop.upload(run, text, complete="true")["upload"]
    assert shop.final(run) == ("passed", None)
    late = shop.upload(run, text, complete="true")["upload"]

    assert answers == [again] * 3 and late == again
    assert shop.totals(run) == {"planned": 2, "passed": 2}
    count = "SELECT count(*) FROM {} WHERE run_id = %s"
    assert shop.db.value(count.format("api.upload"), run) == 1
    assert shop.db.value(count.format("scheduling.task"), run) == 1
    assert shop.db.value(count.format("results.stale_result"), run) == 0
    assert shop.db.value(count.format("results.late_result"), run) == 0


def test_uploads_that_contradict_each_other_name_the_case(shop):
    run = shop.trigger()
    shop.upload(run, junit("a", "b"))

    second = shop.upload(run, junit("a", "b", failed=["b"]), complete="true")["upload"]

    assert (second["cases"], second["counted"], second["failed"]) == (2, 0, 1)
    assert shop.final(run) == ("errored", "exit_contradicts_report")
    assert shop.totals(run) == {"planned": 2, "passed": 2}
    kept = shop.db.query("SELECT * FROM results.stale_result WHERE run_id = %s", run)
    assert [(row["name"], row["status"]) for row in kept] == [("b", "failed")]
    assert str(kept[0]["task_id"]) == second["id"]
    for format_ in ("html", "junit", "markdown", "ctrf"):
        path = f"/v1/runs/{run}/report?format={format_}"
        report = shop.verdict.api.request("GET", path).text
        assert "b failed, and passed in another upload" in report, report


def test_a_contradiction_is_named_beside_what_fails(shop):
    run = shop.trigger()
    shop.upload(run, junit("a", "b", failed=["a"]))
    shop.upload(run, junit("b", failed=["b"]), complete="true")

    assert shop.final(run) == ("failed", "cases_failed")
    detail = shop.state(run)["reason_detail"]
    assert detail.startswith("1 of 2; ") and "b failed, and passed in another upload" in detail


def test_what_was_declared_and_not_uploaded_did_not_run(shop):
    cases = [f"tests/test_shop.py::{name}" for name in ("a", "b", "c")]
    run = shop.trigger(cases=cases)

    shop.upload(run, junit("a", "c"), complete="true")

    assert shop.final(run) == ("errored", "cases_not_run")
    assert shop.totals(run) == {"planned": 3, "passed": 2}


def test_variants_of_a_suite_have_each_case_once_each(shop):
    run = shop.trigger()
    text = junit("mixed", "b")
    for variant in ("linux-arm64", "os=windows,arch=x86", "linux-arm64"):
        told = shop.upload(run, text, variant=variant)["upload"]
        assert (told["variant"], told["counted"]) == (variant, 2)
    shop.upload(run, junit("mixed", failed=["mixed"]), complete="true")

    assert shop.final(run) == ("failed", "cases_failed")
    assert shop.totals(run) == {"planned": 5, "passed": 4, "failed": 1}
    results = shop.verdict.api.get(f"/v1/runs/{run}/results", expect=200)["items"]
    assert sorted(row["variant"] for row in results if row["name"] == "mixed") == [
        "",
        "linux-arm64",
        "os=windows,arch=x86",
    ]
    known = "SELECT last_status FROM results.known_case WHERE name = 'mixed'"
    wait_until(lambda: shop.db.value(known) == "failed", 60, "what is known of the case")


def test_each_variant_has_all_cases_that_are_declared(shop):
    cases = [f"tests/test_shop.py::{name}" for name in ("a", "b", "c")]
    run = shop.trigger(cases=cases)

    shop.upload(run, junit("a", "b", "c"), variant="linux")
    shop.upload(run, junit("a", "x"), variant="windows", complete="true")

    assert shop.final(run) == ("errored", "cases_not_run")
    assert shop.totals(run) == {"planned": 7, "passed": 5}


@pytest.mark.parametrize(
    ("body", "query", "says"),
    [
        (junit("a", "b")[:-40], {}, "not whole"),
        (TAP.replace("1..3", "1..4"), {}, "not whole"),
        ("hello", {}, "format cannot be told"),
        ("hello", {"format": "junit"}, "not whole"),
        ("", {}, "the body is empty"),
        (TAP, {"format": "xunit"}, "format"),
        (TAP, {"complete": "perhaps"}, "complete"),
        (TAP, {"variant": "a%0Ab"}, "control characters"),
        (TAP, {"variant": "a" * 101}, "at most 100 bytes"),
    ],
    ids=[
        *("truncated", "short-plan", "unknown", "no-xml", "empty", "no-format", "no-truth"),
        *("two-lines", "long-variant"),
    ],
)
def test_what_cannot_be_read_says_so_and_counts_nothing(shop, body, query, says):
    run = shop.trigger()

    answer = shop.post(run, body, **query)

    assert answer.status_code == 400 and says in answer.json()["message"], answer.text
    assert answer.json()["errors"][0]["field"] in ("body", "format", "complete", "variant")
    assert shop.db.value("SELECT count(*) FROM api.upload WHERE run_id = %s", run) == 0


def test_all_uploads_of_a_run_have_as_many_cases_as_a_run(shop):
    run = shop.trigger()
    first = junit("a", "b")
    shop.upload(run, first)
    shop.db.query("UPDATE api.upload SET cases = 99999 WHERE run_id = %s RETURNING id", run)

    answer = shop.post(run, junit("c", "d"))

    assert answer.status_code == 409 and "100000 cases" in answer.json()["message"], answer.text
    shop.upload(run, first, complete="true")
    assert shop.final(run) == ("passed", None)


def test_uploads_at_once_have_no_more_cases_than_a_run(shop):
    run = shop.trigger()
    shop.upload(run, junit("a"))
    shop.db.query("UPDATE api.upload SET cases = 99999 WHERE run_id = %s RETURNING id", run)
    waiting = WAITING.format("INSERT INTO api.outbox%' OR query LIKE '%api.run WHERE id = $1 FOR")
    with (
        psycopg.connect(shop.verdict.urls["VERDICT_POSTGRES_URL"]) as other,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        other.execute("LOCK TABLE api.outbox IN SHARE MODE")  # they are added, and not committed
        both = [pool.submit(shop.post, run, junit(name)) for name in ("b", "c")]
        wait_until(lambda: shop.db.value(waiting) == 2, 60, "both to wait")
        other.commit()
        answers = sorted((each.result() for each in both), key=lambda one: one.status_code)

    assert [one.status_code for one in answers] == [200, 409]
    assert "100000 cases" in answers[1].json()["message"], answers[1].text
    shop.upload(run, complete="true")
    assert shop.final(run) == ("passed", None)
    assert shop.totals(run) == {"planned": 2, "passed": 2}


def test_nothing_is_added_to_a_run_that_is_being_removed(shop):
    run = shop.trigger()
    with (
        psycopg.connect(shop.verdict.urls["VERDICT_POSTGRES_URL"]) as other,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        other.execute("DELETE FROM api.run WHERE id = %s", (run,))
        other.execute("INSERT INTO api.removed_run (run_id) VALUES (%s)", (run,))
        answer = pool.submit(shop.post, run, junit("a"))
        waiting = WAITING.format("%api.run WHERE id = $1 FOR")
        wait_until(lambda: shop.db.value(waiting) == 1, 60, "the upload to wait")
        other.commit()
        assert answer.result().status_code == 404

    assert shop.db.value("SELECT count(*) FROM api.upload WHERE run_id = %s", run) == 0


def test_that_a_run_is_complete_waits_for_no_upload(shop):
    runs = [shop.trigger() for _ in range(4)]
    shop.verdict.pause("result-collector")
    try:
        threads = [threading.Thread(target=shop.post, args=(run, junit(run))) for run in runs]
        for thread in threads:
            thread.start()
        count = "SELECT count(*) FROM api.upload WHERE run_id = ANY(%s::uuid[])"
        wait_until(lambda: shop.db.value(count, runs) == 4, 30, "the uploads to be under way")

        assert shop.upload(shop.trigger(), complete="true")["complete"]

        assert all(thread.is_alive() for thread in threads)
    finally:
        shop.verdict.resume("result-collector")
    for thread in threads:
        thread.join()


def test_uploads_that_are_stuck_hold_up_no_other(shop):
    projects = [f"stuck-{number}" for number in range(4)]
    for project in projects:
        shop.verdict.api.put(f"/v1/projects/{project}", {})
    runs = [shop.trigger(project=project) for project in projects * 4]
    adopted = "SELECT count(*) FROM scheduling.run_state WHERE run_id = ANY(%s::uuid[])"
    wait_until(lambda: shop.db.value(adopted, runs) == len(runs), 60, "the runs to be seen")
    move = "UPDATE scheduling.run_state SET partition = %s - partition"
    move += " WHERE run_id = ANY(%s::uuid[]) RETURNING run_id"
    shop.db.query(move, 9999, runs)  # no scheduler's
    answers = []
    post = [lambda run=run: answers.append(shop.post(run, junit(run)).status_code) for run in runs]
    threads = [threading.Thread(target=each) for each in post]
    try:
        for thread in threads:
            thread.start()
        count = "SELECT count(*) FROM api.upload WHERE run_id = ANY(%s::uuid[])"
        wait_until(lambda: shop.db.value(count, runs) == len(runs), 60, "all to be under way")

        assert shop.upload(shop.trigger(), junit("a"))["upload"]["counted"] == 1

        assert not answers
    finally:
        shop.db.query(move, 9999, runs)
    for thread in threads:
        thread.join()
    assert answers == [200] * len(runs)


def test_nothing_is_uploaded_to_runs_of_workers_or_without_the_right(shop):
    body = {"framework": "pytest", "source": {"kind": "path", "path": "/srv"}}
    run = shop.trigger(**body)
    assert shop.post(run, TAP).status_code == 409
    assert shop.post("0190a0a0-0000-7000-8000-000000000000", TAP).status_code == 404

    reader = shop.verdict.api.post(
        "/v1/tokens", {"name": "reader", "scopes": ["runs:read"]}, expect=201
    )["token"]
    path = f"/v1/runs/{shop.trigger()}/results"
    answer = shop.verdict.api.with_token(reader).request("POST", path, data=TAP.encode())
    assert answer.status_code == 403


def test_one_suite_has_the_same_cases_in_whatever_format_it_is_uploaded(shop):
    run = shop.trigger()
    names = ("xunit2.xml", "xunit1.xml", "ctrf.json", "allure.json")

    told = [shop.upload(run, (DATA / "identity" / name).read_bytes())["upload"] for name in names]

    assert [upload["format"] for upload in told] == ["junit", "junit", "ctrf", "allure"]
    assert [upload["cases"] for upload in told] == [12] * 4
    assert [upload["counted"] for upload in told] == [12, 0, 0, 0]


def test_formats_are_told_by_what_is_in_the_file(shop):
    run = shop.trigger(framework="command")
    files = {"tap": TAP.encode()}
    for format_, name in (("trx", "*.trx"), ("go-json", "packages.jsonl")):
        files[format_] = next((DATA / format_ / "valid").glob(name)).read_bytes()

    told = {name: shop.upload(run, body)["upload"] for name, body in files.items()}

    assert {name: upload["format"] for name, upload in told.items()} == {n: n for n in files}
    assert all(upload["cases"] > 0 for upload in told.values())
    assert shop.post(run, files["trx"] + b" ", format="junit").status_code == 400
