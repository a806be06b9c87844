# SPDX-License-Identifier: Apache-2.0
"""api-ingest alone on a real Postgres and Kafka: triggers, and reading runs back."""

import concurrent.futures
import json
import re
import time
import uuid
import zlib

import pytest
import support
from parts.process import wait_until
from support.crowd import post_json, send_all

SUITE = {**support.SUITE, "slug": "smoke", "requirements": ["os=linux"]}
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


def counted(verdict, name, outcome):
    text = verdict.services["api-ingest"].health("/metrics")[1]
    found = re.search(rf'^{name}\{{outcome="{outcome}"\}} (\d+)', text, re.MULTILINE)
    return int(found[1]) if found else 0


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


def test_a_used_key_is_answered_whatever_became_of_what_its_body_names(api):
    api.put("/v1/projects/shop/suites/unit", {"title": "Unit", **PYTEST_SUITE}, expect=201)
    api.put("/v1/projects/shop/templates/nightly", {"suite": "unit"}, expect=201)
    nightly = {"project": "shop", "template": "nightly"}
    key = {"Idempotency-Key": "k"}
    first = api.post("/v1/runs", nightly, expect=201, headers=key)
    api.delete("/v1/projects/shop/templates/nightly", expect=204)

    again = api.request("POST", "/v1/runs", json=nightly, headers=key)
    other = trigger(api, key="k", expect=422, suite="nothing")
    fresh = api.post("/v1/runs", nightly, expect=400)

    assert (again.status_code, again.json()) == (201, first)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert other["code"] == "unprocessable"
    assert fresh["errors"][0]["field"] == "template"


def test_a_refused_key_stores_no_suite(api, verdict):
    trigger(api, key="k")

    trigger(api, key="k", expect=422, suite={**SUITE, "slug": "other"})

    assert verdict.db.value("SELECT count(*) FROM api.suite_version") == 1


# group commit -----------------------------------------------------------------------------------


def send_triggers(api, verdict, bodies):
    """Each list of bodies over a connection of its own. The answers, and how many triggers and
    commits they were."""
    token = verdict.admin_token.read_text().strip()
    requests = [
        [
            post_json(api.url, "/v1/runs", token, entry, **{"Idempotency-Key": uuid.uuid4().hex})
            for entry in entries
        ]
        for entries in bodies
    ]
    names = ("verdict_triggers_total", "verdict_trigger_commits_total")
    began = [metric(verdict, name) for name in names]
    start = time.monotonic()
    answers = send_all(api.url, requests)
    seconds = time.monotonic() - start
    triggers, commits = (
        metric(verdict, name) - before for name, before in zip(names, began, strict=True)
    )
    print(f"{triggers:.0f} triggers, {commits:.0f} commits, {triggers / seconds:.0f}/s")
    assert {status for status, _ in answers} == {201}
    return [json.loads(text) for _, text in answers], triggers, commits


def test_many_connections_share_commits(api, verdict):
    trigger(api)

    answers, triggers, commits = send_triggers(api, verdict, [[body()] * 25] * 64)

    assert triggers == len({answer["id"] for answer in answers}) == 1600
    assert commits <= 0.3 * triggers


def test_suites_that_are_new_share_commits_too(api, verdict):
    """Two connections send each suite at once: it is stored once, with its cases."""

    def new_suite(number, n):
        cases = [f"tests/test_{number}.py::test_{n}_{case}" for case in range(3)]
        return body(suite={**PYTEST_SUITE, "slug": f"new-{number}", "cases": cases})

    bodies = [[new_suite(number // 2, n) for n in range(10)] for number in range(64)]

    answers, triggers, commits = send_triggers(api, verdict, bodies)

    assert triggers == len({answer["id"] for answer in answers}) == 640
    assert {answer["planned"] for answer in answers} == {3}
    assert commits <= 0.3 * triggers
    assert verdict.db.value("SELECT count(*) FROM api.suite_version") == 320
    assert verdict.db.value("SELECT count(*) FROM api.declared_case") == 960
    orphans = """SELECT count(*) FROM api.run r LEFT JOIN api.suite_version v
                 ON v.id = r.suite_version_id AND v.suite_slug = r.suite_slug WHERE v.id IS NULL"""
    assert verdict.db.value(orphans) == 0


def test_a_large_suite_that_is_new_costs_a_commit_of_its_own(api, verdict):
    cases = [f"tests/test_a.py::test_{n}" for n in range(5000)]

    answers, _, commits = send_triggers(
        api, verdict, [[body(suite={**PYTEST_SUITE, "slug": "large", "cases": cases})]]
    )

    assert answers[0]["planned"] == 5000
    assert commits == 2
    assert verdict.db.value("SELECT count(*) FROM api.declared_case") == 5000


# what the scheduler would write -----------------------------------------------------------------


class Scheduler:
    """Writes what the scheduler writes, and tells it on the events' topic."""

    def __init__(self, verdict):
        self.verdict = verdict
        self.versions = {}

    def set(self, run, state, reason=None, tell=True, **columns):
        version = self.versions[run["id"]] = self.versions.get(run["id"], 0) + 1
        final = state not in ("queued", "running")
        db = self.verdict.db
        db.query(
            """INSERT INTO scheduling.run_state (run_id, project_id, pool_id, partition, state,
                 reason, version, priority, wait_class, wait_text, wait_since, run_deadline,
                 finished_at)
               SELECT id, project_id, pool_id, 0, %s, %s, %s, priority, %s, %s, now(),
                 now() + interval '1 hour', CASE WHEN %s THEN now() END
               FROM api.run WHERE id = %s
               ON CONFLICT (run_id) DO UPDATE SET state = excluded.state, reason = excluded.reason,
                 version = excluded.version, finished_at = excluded.finished_at,
                 wait_class = excluded.wait_class, wait_text = excluded.wait_text""",
            state,
            reason,
            version,
            columns.get("wait_class", "tests"),
            columns.get("wait_text", "tests are running"),
            final,
            run["id"],
        )
        kind = {"queued": "run.queued", "running": "run.started"}.get(state, "run.finished")
        event = self._event(run, kind, version)
        db.query(
            """INSERT INTO scheduling.run_event (run_id, version, id, project_id, type, data)
               VALUES (%s, %s, %s, %s, %s, %s)""",
            run["id"],
            version,
            event["id"],
            event["project_id"],
            kind,
            json.dumps(event["data"]),
        )
        if tell:
            self._send(event)

    def progress(self, run, **totals):
        event = self._event(run, "run.progress", None)
        event["data"] = {"run_id": run["id"], "totals": totals}
        self._send(event)

    def totals(self, run, **counts):
        names = ", ".join(counts)
        marks = ", ".join("%s" for _ in counts)
        self.verdict.db.query(
            f"""INSERT INTO results.run_totals (run_id, project_id, {names})
                SELECT id, project_id, {marks} FROM api.run WHERE id = %s""",
            *counts.values(),
            run["id"],
        )

    def _event(self, run, kind, version):
        project = self.verdict.db.value("SELECT project_id FROM api.run WHERE id = %s", run["id"])
        event = {
            "version": 1,
            "type": "event",
            "id": str(uuid.uuid4()),
            "event": kind,
            "project_id": str(project),
            "run_id": run["id"],
            "at": int(time.time() * 1000),
            "data": {"run_id": run["id"]},
        }
        return {**event, "run_version": version} if version else event

    def _send(self, event):
        partitions = self.verdict.bus.partitions("events")
        partition = zlib.crc32(event["project_id"].encode()) % partitions
        self.verdict.bus.produce("events", json.dumps(event), partition, event["project_id"])


@pytest.fixture
def scheduler(verdict):
    return Scheduler(verdict)


def in_background(*calls):
    pool = concurrent.futures.ThreadPoolExecutor(len(calls))
    return [pool.submit(call) for call in calls]


def parked(verdict):
    return metric(verdict, "verdict_http_parked_requests")


# waiting ----------------------------------------------------------------------------------------


def test_a_wait_is_answered_by_the_end_of_the_run(api, verdict, scheduler):
    run = trigger(api)
    scheduler.set(run, "running")
    (answer,) = in_background(lambda: api.get(f"/v1/runs/{run['id']}?wait=30s"))
    wait_until(lambda: parked(verdict) == 1, 10, "the waiter")

    began = time.monotonic()
    scheduler.set(run, "failed", "cases_failed")
    final = answer.result(timeout=20)

    assert time.monotonic() - began < 3
    assert (final["state"], final["reason"], final["exit_code"]) == ("failed", "cases_failed", 1)
    assert final["reason_text"] == "cases failed"
    assert api.get(f"/v1/runs/{run['number']}?wait=30s")["state"] == "failed"


def test_a_wait_that_is_over_answers_the_state_as_it_is(api, scheduler):
    run = trigger(api)
    scheduler.set(run, "running")

    began = time.monotonic()
    answer = api.get(f"/v1/runs/{run['id']}?wait=700ms")

    assert answer["state"] == "running"
    assert 0.6 < time.monotonic() - began < 5
    assert api.get(f"/v1/runs/{run['id']}?wait=20s&version=0")["version"] == 1


def test_a_wait_ends_though_nobody_tells(api, verdict, scheduler):
    run = trigger(api)
    (answer,) = in_background(lambda: api.get(f"/v1/runs/{run['id']}?wait=40s"))
    wait_until(lambda: parked(verdict) == 1, 10, "the waiter")

    scheduler.set(run, "cancelled", "cancelled", tell=False)

    assert answer.result(timeout=20)["state"] == "cancelled"


def test_a_wait_for_a_run_that_is_removed_ends(api, verdict, scheduler):
    """It ended and was removed between two looks at it."""
    run = trigger(api)
    scheduler.set(run, "running")
    path = f"/v1/runs/{run['id']}"
    stream = events_of(api, run)
    assert next(event for _, event, _ in stream if event != "run.queued") == "run.started"
    wait, rest = in_background(
        lambda: api.get(f"{path}?wait=60s", expect=404), lambda: list(stream)
    )
    wait_until(lambda: parked(verdict) == 1, 30, "the waiter")
    before = metric(verdict, "verdict_live_reads_total")
    wait_until(lambda: metric(verdict, "verdict_live_reads_total") > before, 30, "a look")

    verdict.db.query("DELETE FROM api.run WHERE id = %s", run["id"])

    assert wait.result(timeout=40)["code"] == "not_found"
    assert rest.result(timeout=40) == []


def test_a_hundred_waiters_cost_no_more_than_one(api, verdict, scheduler):
    def reads(count):
        run = trigger(api)
        scheduler.set(run, "running")
        token = verdict.admin_token.read_text().strip()
        before = metric(verdict, "verdict_live_reads_total")
        calls = [
            lambda: api.with_token(token).get(f"/v1/runs/{run['id']}?wait=30s")
            for _ in range(count)
        ]
        answers = in_background(*calls)
        wait_until(lambda: parked(verdict) == count, 20, "the waiters")
        scheduler.set(run, "passed")
        assert {a.result(timeout=20)["state"] for a in answers} == {"passed"}
        return metric(verdict, "verdict_live_reads_total") - before

    one, hundred = reads(1), reads(100)

    print(f"{one:.0f} reads for one waiter, {hundred:.0f} for a hundred")
    assert 1 <= one <= 3 and hundred <= 3  # at first, at the end, and one look between the two


def test_a_hundred_waiters_by_number_look_it_up_once(api, verdict, scheduler):
    """Or once for each worker thread, when they come at the same moment."""
    run = trigger(api)
    scheduler.set(run, "running")
    token = verdict.admin_token.read_text().strip()
    path = f"/v1/runs/{run['number']}"

    assert api.get(path) == api.get(path)
    calls = [lambda: api.with_token(token).get(f"{path}?wait=30s") for _ in range(100)]
    answers = in_background(*calls)
    wait_until(lambda: parked(verdict) == 100, 20, "the waiters")
    scheduler.set(run, "passed")

    assert {a.result(timeout=20)["state"] for a in answers} == {"passed"}
    assert counted(verdict, "verdict_run_numbers_total", "looked_up") in range(1, 9)
    assert counted(verdict, "verdict_run_numbers_total", "remembered") >= 93


def test_a_graceful_stop_answers_who_waits(api, verdict):
    run = trigger(api)
    (answer,) = in_background(lambda: api.get(f"/v1/runs/{run['id']}?wait=40s"))
    wait_until(lambda: parked(verdict) == 1, 10, "the waiter")

    assert verdict.stop("api-ingest") == 0
    assert answer.result(timeout=5)["state"] == "queued"


# the cache --------------------------------------------------------------------------------------


def cache_hits(verdict):
    return counted(verdict, "verdict_run_cache_total", "hit")


def test_a_status_is_at_most_a_second_old(api, verdict, scheduler):
    run = trigger(api)
    path = f"/v1/runs/{run['id']}"
    scheduler.set(run, "running", tell=False)
    read = [api.get(path) for _ in range(5)]
    assert cache_hits(verdict) >= 4 and read[0] == read[4]

    scheduler.set(run, "passed", tell=False)
    changed = time.monotonic()
    wait_until(lambda: api.get(path)["state"] == "passed", 5, "the new state")
    assert time.monotonic() - changed < 1.5

    answer = api.request("GET", path)
    again = api.request("GET", path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.text) == (304, "")


def test_a_final_state_that_was_told_is_never_taken_back(api, scheduler):
    run = trigger(api)
    path = f"/v1/runs/{run['id']}"
    scheduler.set(run, "running", tell=False)
    assert api.get(path)["state"] == "running"  # stands in the cache for a second

    scheduler.set(run, "failed", "cases_failed", tell=False)

    assert api.get(f"{path}?wait=20s")["state"] == "failed"
    assert {api.get(path)["state"] for _ in range(20)} == {"failed"}


def test_what_was_told_is_read_again(api, scheduler):
    run = trigger(api)
    path = f"/v1/runs/{run['id']}"
    stream = events_of(api, run)
    for state in ("queued", "running", "passed"):
        api.get(path)
        scheduler.set(run, state)
        next(stream)
        assert api.get(path)["state"] == state


def test_many_who_ask_at_once_get_one_answer(api, verdict, scheduler):
    run = trigger(api)
    scheduler.set(run, "running")
    token = verdict.admin_token.read_text().strip()
    path = f"/v1/runs/{run['id']}"

    answers = in_background(*[lambda: api.with_token(token).get(path) for _ in range(64)])

    assert {a.result(timeout=20)["state"] for a in answers} == {"running"}


# events -----------------------------------------------------------------------------------------


def events_of(api, run, **options):
    """(id, event, data) of each event, until the server ends the stream."""
    answer = api.request("GET", f"/v1/runs/{run['id']}/events", stream=True, **options)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/event-stream"
    event = {}
    for line in answer.iter_lines(decode_unicode=True, chunk_size=1):
        if line == "" and "data" in event:
            yield event.get("id"), event["event"], json.loads(event["data"])
            event = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value


def test_a_stream_tells_history_then_what_happens_then_ends(api, verdict, scheduler):
    run = trigger(api)
    wait_until(lambda: metric(verdict, "verdict_live_events_followed") == 1, 20, "the events")
    scheduler.set(run, "queued")
    scheduler.set(run, "running")

    stream = events_of(api, run)
    seen = [next(stream), next(stream)]
    scheduler.progress(run, passed=3)
    seen.append(next(stream))
    scheduler.set(run, "passed")
    seen += list(stream)

    assert [(i, e) for i, e, _ in seen] == [
        ("1", "run.queued"),
        ("2", "run.started"),
        (None, "run.progress"),
        ("3", "run.finished"),
    ]
    assert seen[2][2]["data"]["totals"] == {"passed": 3}
    assert seen[3][2]["type"] == "run.finished" and seen[3][2]["version"] == 3


def test_a_stream_resumes_behind_the_last_event(api, scheduler):
    run = trigger(api)
    for state in ("queued", "running", "passed"):
        scheduler.set(run, state)

    resumed = list(events_of(api, run, headers={"Last-Event-ID": "1"}))
    over = api.request("GET", f"/v1/runs/{run['id']}/events", headers={"Last-Event-ID": "3"})
    bad = api.request("GET", f"/v1/runs/{run['id']}/events", headers={"Last-Event-ID": "x"})

    assert [i for i, _, _ in resumed] == ["2", "3"]
    assert (over.status_code, bad.status_code) == (204, 400)


def test_a_stream_resumed_behind_what_there_is_begins_anew_and_ends(api, scheduler):
    """After an older database was put back the reader has seen what never happened."""
    run = trigger(api)
    for state in ("queued", "running"):
        scheduler.set(run, state)

    stream = events_of(api, run, headers={"Last-Event-ID": "9"})
    seen = [next(stream), next(stream)]
    scheduler.set(run, "passed")
    seen += list(stream)
    late = list(events_of(api, run, headers={"Last-Event-ID": "9"}))

    assert [i for i, _, _ in seen] == [i for i, _, _ in late] == ["1", "2", "3"]


def test_a_stream_of_a_final_run_ends_though_its_events_are_gone(api, verdict, scheduler):
    run = trigger(api)
    scheduler.set(run, "queued")
    stream = events_of(api, run)
    next(stream)

    scheduler.set(run, "passed", tell=False)
    verdict.db.query("DELETE FROM scheduling.run_event WHERE run_id = %s", run["id"])

    assert list(stream) == []


def test_a_run_of_many_events_keeps_no_other_waiting(api, verdict, scheduler):
    many, few = trigger(api), trigger(api)
    for run in (many, few):
        scheduler.set(run, "running")
    long_stream, stream = events_of(api, many), events_of(api, few)
    next(long_stream), next(stream)
    (rest,) = in_background(lambda: [next(long_stream) for _ in range(4000)])

    verdict.pause("api-ingest")  # until both are due: then they are read by one statement
    paused = time.monotonic()
    verdict.db.query(
        """INSERT INTO scheduling.run_event (run_id, version, id, project_id, type, data)
           SELECT run_id, n, gen_random_uuid(), project_id, type, data
           FROM scheduling.run_event, generate_series(2, 4001) AS n WHERE run_id = %s""",
        many["id"],
    )
    scheduler.set(few, "running", tell=False)
    wait_until(lambda: time.monotonic() - paused > 5.5, 10, "both to be due")
    verdict.resume("api-ingest")
    resumed = time.monotonic()

    assert next(stream)[0] == "2"
    assert time.monotonic() - resumed < 2.5
    assert rest.result(timeout=20)[-1][0] == "4001"


# cancel -----------------------------------------------------------------------------------------


def test_cancel_is_a_wish_that_the_scheduler_hears(api, verdict, scheduler):
    run = trigger(api)

    asked = api.post(f"/v1/runs/{run['id']}/cancel", expect=202)
    again = api.post(f"/v1/runs/{run['id']}/cancel?wait=100ms", expect=202)

    assert asked["state"] == again["state"] == "queued"
    assert verdict.db.value("SELECT count(*) FROM api.run_request") == 1
    hint = wait_until(
        lambda: next(
            (m for m in verdict.bus.read_json("scheduling") if m["type"] == "run.request"), None
        ),
        10,
        "the hint",
    )
    assert hint["run_id"] == run["id"]
    scheduler.set(run, "passed")
    won = api.post(f"/v1/runs/{run['id']}/cancel", expect=200)
    assert won["state"] == "passed"


def test_a_newer_run_of_the_branch_supersedes_the_open_ones(api, verdict, scheduler):
    policy = {"cancel_superseded": True}
    done = trigger(api, branch="main", policy=policy)
    scheduler.set(done, "passed")
    old, other = trigger(api, branch="main"), trigger(api, branch="dev")

    trigger(api, branch="main", policy=policy)

    rows = verdict.db.query("SELECT run_id::text, kind FROM api.run_request")
    assert rows == [{"run_id": old["id"], "kind": "supersede"}]
    assert other["id"] != old["id"]


# tenancy ----------------------------------------------------------------------------------------


def test_another_projects_runs_are_not_there(api):
    api.put("/v1/projects/bank", {"title": "Bank"}, expect=201)
    run = trigger(api)
    other = token_for(api, ["runs:write", "runs:read"], project="bank")

    api.get(f"/v1/runs/{run['number']}")  # the number is remembered

    for name in (run["id"], run["number"], uuid.uuid4(), 999999, "x"):
        for path in ("", "/events", "?wait=1s"):
            answer = other.get(f"/v1/runs/{name}{path}", expect=404)
            assert answer["message"] == f"there is no run {name}"
        other.post(f"/v1/runs/{name}/cancel", expect=404)
    assert other.get("/v1/runs")["items"] == []
    other.get("/v1/runs?project=shop", expect=404)
    other.post("/v1/runs", body(), expect=404)


def test_lists_are_filtered_and_paged(api, scheduler):
    runs = [trigger(api, branch=b) for b in ("main", "dev", "main", "main")]
    scheduler.set(runs[0], "passed")

    first = api.get("/v1/runs?branch=main&limit=2")
    second = api.get(f"/v1/runs?branch=main&limit=2&cursor={first['next_cursor']}")

    assert [r["id"] for r in first["items"] + second["items"]] == [runs[i]["id"] for i in (3, 2, 0)]
    assert second["next_cursor"] is None
    assert [r["id"] for r in api.get("/v1/runs?state=passed")["items"]] == [runs[0]["id"]]
    assert len(api.get("/v1/runs?state=failed,queued")["items"]) == 3
    assert len(api.get("/v1/runs?state=passed,queued")["items"]) == 4
    assert len(api.get("/v1/runs?since=1h&suite=smoke&project=shop")["items"]) == 4
    assert api.get("/v1/runs?since=2099-01-01T00:00:00Z")["items"] == []
    assert api.get("/v1/runs?state=odd", expect=400)["errors"][0]["field"] == "state"
    assert api.get("/v1/runs?since=odd", expect=400)["errors"][0]["field"] == "since"


def test_a_list_is_filtered_by_commit_and_ends_before_a_time(api, verdict):
    old, new = (trigger(api, commit=c * 40) for c in "ab")
    verdict.db.query(
        "UPDATE api.run SET created_at = created_at - interval '2 hours' WHERE id = %s", old["id"]
    )

    def listed(query):
        return [run["id"] for run in api.get(f"/v1/runs?{query}")["items"]]

    assert listed(f"commit={'a' * 40}") == [old["id"]]
    assert listed("until=1h") == [old["id"]] and listed("since=1h") == [new["id"]]
    made = api.get(f"/v1/runs/{old['id']}")["created_at"]
    assert listed(f"until={made}") == [] and listed(f"since={made}") == [new["id"], old["id"]]
    assert api.get("/v1/runs?until=odd", expect=400)["errors"][0]["field"] == "until"


def test_a_list_is_filtered_by_the_slug_or_the_id_of_a_thing(api):
    suite = api.put("/v1/projects/shop/suites/unit", {"title": "Unit", **PYTEST_SUITE}, expect=201)
    prod = api.put("/v1/projects/shop/environments/prod", {"title": "Prod"}, expect=201)
    trigger(api)
    here = trigger(api, suite="unit", environment="prod")
    pool = api.post("/v1/pools", {"slug": "gpu", "all_projects": True}, expect=201)
    template = {"slug": "nightly", "suite": "unit", "pool": "gpu"}
    template = api.post("/v1/projects/shop/templates", template, expect=201)
    there = api.post("/v1/runs", {"project": "shop", "template": "nightly"}, expect=201)
    project = api.get("/v1/projects/shop")["id"]

    def listed(query):
        return [run["id"] for run in api.get(f"/v1/runs?{query}")["items"]]

    for name in (suite["id"], "unit"):
        assert listed(f"suite={name}") == [there["id"], here["id"]]
    for name in (prod["id"], "prod"):
        assert listed(f"environment={name}&suite={suite['id']}") == [here["id"]]
    for name in (pool["id"], "gpu"):
        assert listed(f"pool={name}") == [there["id"]]
    for name in (template["id"], "nightly"):
        assert listed(f"template={name}") == [there["id"]]
    assert len(listed(f"project={project}")) == len(listed("project=shop")) == 3
    for name in ("nothing", uuid.uuid4()):
        assert listed(f"suite={name}") == listed(f"environment={name}") == []
        assert listed(f"pool={name}") == listed(f"template={name}") == []
        api.get(f"/v1/runs?project={name}", expect=404)


# without parts ----------------------------------------------------------------------------------


@pytest.mark.own("kafka")
def test_without_kafka_triggers_are_taken_and_waits_are_answered(private_verdict):
    verdict = private_verdict
    verdict.start("api-ingest")
    api, scheduler = verdict.api, Scheduler(verdict)
    api.put("/v1/projects/shop", {"title": "Shop"}, expect=201)
    verdict.servers.kafka.stop()

    run = trigger(api, key="k")
    (answer,) = in_background(lambda: api.get(f"/v1/runs/{run['id']}?wait=30s"))
    stream = events_of(api, run)
    scheduler.set(run, "passed", tell=False)

    assert answer.result(timeout=20)["state"] == "passed"
    assert [event for _, event, _ in stream] == ["run.finished"]
    assert trigger(api, key="k")["id"] == run["id"]
    verdict.servers.kafka.start()
    verdict.servers.kafka.wait_ready()
    wait_until(lambda: not verdict.db.value("SELECT count(*) FROM api.outbox"), 30, "the outbox")
    assert run["id"] in [m.get("run_id") for m in verdict.bus.read_json("scheduling")]


def test_a_trigger_survives_a_lost_connection_to_postgres(api, verdict):
    ids = set()
    for number in range(20):
        verdict.db.query(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE usename LIKE 'verdict_api%%' AND datname = current_database()"""
        )
        answer = None
        while answer is None or answer.status_code == 503:
            answer = api.request(
                "POST", "/v1/runs", json=body(), headers={"Idempotency-Key": f"k{number}"}
            )
        assert answer.status_code == 201, answer.text
        ids.add(answer.json()["id"])

    assert len(ids) == verdict.db.value("SELECT count(*) FROM api.run") == 20
