# SPDX-License-Identifier: Apache-2.0
"""What is older than what is kept goes, whole and for good. Ids and times are changed to be old."""

import time

import pytest
from parts.process import wait_until
from support import SUITE
from support.worker import uuid_v7

AGE_DAYS = 80
KEPT = {"VERDICT_RETENTION": "20d"}  # less than the age by more than a month
BRIEFLY = {"VERDICT_RETENTION": "1d"}
RUN_TABLES = (
    "api.run_request",
    "scheduling.run_state",
    "scheduling.run_event",
    "scheduling.task",
    "scheduling.dispatch",
    "results.result",
    "results.log_chunk",
    "results.run_totals",
    "results.task_record",
    "notify.event",
)
APART = ("late_result", "stale_result")  # of no run's figures
OWNERS = {
    "api": "api-ingest",
    "scheduling": "scheduler",
    "results": "result-collector",
    "notify": "notifier",
}
WAITING = """
    WITH run AS (INSERT INTO api.removed_run (run_id)
                 SELECT overlay(gen_random_uuid()::text PLACING '00000000' FROM 1)::uuid
                 FROM generate_series(1, 1000) RETURNING run_id),
         event AS (INSERT INTO notify.event (id, project_id, run_id, type, generation, "offset",
                                             at, data)
                   SELECT gen_random_uuid(), gen_random_uuid(), run_id, 'run.finished', 0, 0,
                          now(), '{}' FROM run RETURNING id, project_id)
    INSERT INTO notify.delivery (id, event_id, endpoint_id, project_id, event_type, state,
                                 next_attempt_at)
    SELECT gen_random_uuid(), id, gen_random_uuid(), project_id, 'run.finished', 'pending',
           now() + interval '1 hour' FROM event"""
MANY_NOTES, MANY_STATES = 100_000, 2_500
MANY_REMOVED = f"""
    WITH run AS (INSERT INTO api.removed_run (run_id)
                 SELECT (lpad(to_hex(n), 8, '0') || '-0000-7000-8000-000000000000')::uuid
                 FROM generate_series(1, {MANY_NOTES}) AS n RETURNING run_id)
    INSERT INTO scheduling.run_state (run_id, project_id, pool_id, partition, state, priority,
                                      run_deadline, finished_at)
    SELECT run_id, run_id, run_id, 0, 'passed', 50, now(), now() FROM run
    ORDER BY run_id DESC LIMIT {MANY_STATES}"""
PARTS = ("", "/results", "/tasks", "/logs", "/why", "/report", "/events")


def make_old(db, run, days):
    """The same run, but of long ago. Returns its id."""
    old = uuid_v7(time.time() - days * 86400)
    then = f"now() - interval '{days} days'"
    db.query("UPDATE api.run SET id = %s WHERE id = %s", old, run)
    for table in (*RUN_TABLES, "api.idempotency_key"):
        db.query(f"UPDATE {table} SET run_id = %s WHERE run_id = %s", old, run)
    for change in (
        f"api.run SET created_at = {then} WHERE id = %s",
        f"api.idempotency_key SET created_at = {then} WHERE run_id = %s",
        f"results.task_record SET recorded_at = {then} WHERE run_id = %s",
        f"notify.event SET recorded_at = {then} WHERE run_id = %s",
    ):
        db.query(f"UPDATE {change}", old)
    for event in db.query("SELECT id FROM notify.event WHERE run_id = %s", old):
        new = uuid_v7(time.time() - days * 86400)
        db.query("UPDATE notify.event SET id = %s WHERE id = %s", new, event["id"])
        db.query("UPDATE notify.delivery SET event_id = %s WHERE event_id = %s", new, event["id"])
    return old


def make_deliveries_old(db):
    for delivery in db.query("SELECT id FROM notify.delivery"):
        new = uuid_v7(time.time() - AGE_DAYS * 86400)
        change = f"SET id = %s, finished_at = now() - interval '{AGE_DAYS} days'"
        db.query(f"UPDATE notify.delivery {change} WHERE id = %s", new, delivery["id"])
        change = "SET delivery_id = %s WHERE delivery_id = %s"
        db.query(f"UPDATE notify.delivery_attempt {change}", new, delivery["id"])


def counts(db, run):
    sums = " UNION ALL ".join(
        f"SELECT '{table}' AS name, count(*) AS rows FROM {table} WHERE run_id = '{run}'"
        for table in RUN_TABLES
    )
    return {row["name"]: row["rows"] for row in db.query(sums)}


def pass_of(verdict, schema, settings=KEPT):
    """Starts the owner of a schema and waits for its first pass: dead letters go last."""
    verdict.db.query(
        f"""INSERT INTO {schema}.dead_letter (id, topic, partition, "offset", payload,
                payload_bytes, error, at)
            VALUES (gen_random_uuid(), 't', 0, 0, '', 0, 'old', now() - interval '80 days')"""
    )
    verdict.start(OWNERS[schema], **settings)
    left = f"SELECT count(*) FROM {schema}.dead_letter WHERE error = 'old'"
    wait_until(lambda: verdict.db.value(left) == 0, 60, f"the pass over {schema}")


@pytest.fixture
def history(work, receiver):
    """A run of long ago, with all that there is of one, another that has ended today, and one of
    today; nothing runs."""
    verdict = work.start().verdict
    hook = {"url": receiver.url, "events": ["run.*"]}
    verdict.api.post(f"/v1/projects/{work.project}/webhooks", hook, expect=201)
    made = {}
    for name in ("old", "ended", "young"):
        made[name] = verdict.api.post(
            "/v1/runs", work.body(), expect=201, headers={"Idempotency-Key": name}
        )
        verdict.wait_final(made[name]["id"])
    delivered = "SELECT count(*) FROM notify.delivery WHERE state = 'delivered'"
    wait_until(lambda: verdict.db.value(delivered) == 9, 20, "the webhooks")
    for name in list(verdict.services):
        verdict.stop(name)
    made["verdict"], made["work"] = verdict, work
    for name, days in (("old", AGE_DAYS), ("ended", AGE_DAYS // 2)):
        made[name]["id"] = make_old(verdict.db, made[name]["id"], days)
    old = made["old"]["id"]
    verdict.db.query(
        """INSERT INTO api.run_request (id, run_id, kind, created_by)
           VALUES (gen_random_uuid(), %s, 'cancel', gen_random_uuid())""",
        old,
    )
    verdict.db.query(
        """INSERT INTO results.log_chunk (run_id, task_id, dispatch_id, attempt, seq, stream, text)
           SELECT run_id, task_id, id, attempt, 1000, 'stdout', 'x' FROM scheduling.dispatch
           WHERE run_id = %s""",
        old,
    )
    verdict.db.query(
        f"""UPDATE scheduling.run_state SET finished_at = now() - interval '{AGE_DAYS} days'
            WHERE run_id = %s""",
        old,
    )
    return made


def test_a_run_that_is_too_old_goes_whole_and_nothing_brings_it_back(history):
    verdict, old = history["verdict"], history["old"]
    ended, young = history["ended"], history["young"]
    before = counts(verdict.db, old["id"])
    kept = [counts(verdict.db, run["id"]) for run in (ended, young)]
    assert all(before.values()), before

    verdict.db.query(
        f"""INSERT INTO results.known_case
                (project_id, case_key, name, last_status, last_run_id, last_seen_at)
            SELECT project_id, '\\x00112233445566778899aabbccddeeff', 'long ago', 'passed',
                   last_run_id, now() - interval '{AGE_DAYS} days'
            FROM results.known_case LIMIT 1"""
    )

    # While the run is there, nobody removes a part of it.
    for schema in ("scheduling", "results", "notify"):
        pass_of(verdict, schema)
    assert counts(verdict.db, old["id"]) == before

    # It goes first, and with it what names it.
    make_deliveries_old(verdict.db)
    pass_of(verdict, "api")
    for part in PARTS:
        verdict.api.get(f"/v1/runs/{old['id']}{part}", expect=404)
        verdict.api.get(f"/v1/runs/{old['number']}{part}", expect=404)
    for run in (ended, young):
        assert verdict.api.get(f"/v1/runs/{run['id']}")["state"] == "passed"
    assert verdict.db.value("SELECT count(*) FROM api.idempotency_key WHERE key = 'old'") == 0
    listed = verdict.api.get("/v1/runs")["items"]
    assert [run["id"] for run in listed] == [young["id"], ended["id"]]

    # Then the rest of it.
    for schema in ("scheduling", "results", "notify"):
        verdict.stop(OWNERS[schema])
        pass_of(verdict, schema)
    wait_until(
        lambda: not any(counts(verdict.db, old["id"]).values()), 20, "all of the run to be gone"
    )
    assert verdict.db.value("SELECT count(*) FROM notify.delivery") == 0
    assert verdict.db.value("SELECT count(*) FROM notify.delivery_attempt") == 0
    assert [counts(verdict.db, run["id"]) for run in (ended, young)] == kept
    names = {row["name"] for row in verdict.db.query("SELECT name FROM results.known_case")}
    assert names and "long ago" not in names
    metrics = verdict.services["scheduler"].health("/metrics")[1]
    assert 'verdict_rows_removed_total{table="scheduling.run_state"} 1' in metrics

    # A message of it that comes again, and a key that is used again, find nothing.
    pool = verdict.db.value("SELECT pool_id FROM api.run WHERE id = %s", young["id"])
    hint = {"version": 1, "type": "run.submitted", "run_id": old["id"], "pool_id": str(pool)}
    for partition in range(4):
        verdict.bus.produce("scheduling", hint, partition)
    verdict.start("executor-1")
    again = verdict.api.post(
        "/v1/runs", history["work"].body(), expect=201, headers={"Idempotency-Key": "old"}
    )
    assert again["number"] > young["number"]
    assert verdict.wait_final(again["id"])["state"] == "passed"
    assert not any(counts(verdict.db, old["id"]).values())
    verdict.api.get(f"/v1/runs/{old['id']}", expect=404)


def test_a_run_that_is_removed_goes_with_all_that_there_is_of_it(work, receiver):
    verdict = work.start().verdict
    hook = {"url": receiver.url, "events": ["run.*"]}
    verdict.api.post(f"/v1/projects/{work.project}/webhooks", hook, expect=201)
    keys = [{"Idempotency-Key": name} for name in ("removed", "kept")]
    removed, kept = (
        verdict.api.post("/v1/runs", work.body(), expect=201, headers=key) for key in keys
    )
    waiting = {**work.body(), "requirements": ["os=none"]}
    going = verdict.api.post("/v1/runs", waiting, expect=201)
    for run in (removed, kept):
        assert verdict.wait_final(run["id"])["state"] == "passed"
    delivered = "SELECT count(*) FROM notify.delivery WHERE state = 'delivered'"
    wait_until(lambda: verdict.db.value(delivered) >= 6, 30, "the webhooks")

    for table in APART:
        verdict.db.query(
            f"""INSERT INTO results.{table} (dispatch_id, seq, run_id, task_id, attempt, case_key,
                                             status, name)
                SELECT dispatch_id, 1000, run_id, task_id, attempt, '', 'passed', 'apart'
                FROM results.task_record WHERE run_id = %s""",
            removed["id"],
        )
    there = counts(verdict.db, removed["id"])
    assert all(there[table] for table in ("results.result", "scheduling.task", "notify.event"))

    refused = verdict.api.delete(f"/v1/runs/{going['number']}", expect=409)
    assert "cancel it first" in refused["message"]
    verdict.api.get(f"/v1/runs/{removed['id']}")  # it is in Redis now
    verdict.api.delete(f"/v1/runs/{removed['id']}", expect=204)
    for part in PARTS:
        verdict.api.get(f"/v1/runs/{removed['id']}{part}", expect=404)
    verdict.api.delete(f"/v1/runs/{removed['id']}", expect=404)
    listed = verdict.api.get("/v1/runs")["items"]
    assert [run["id"] for run in listed] == [going["id"], kept["id"]]
    audit = verdict.api.get(f"/v1/projects/{work.project}/audit?action=run.remove")["items"]
    assert [entry["object_id"] for entry in audit] == [removed["id"]]
    keys_left = "SELECT count(*) FROM api.idempotency_key WHERE run_id = %s"
    assert [verdict.db.value(keys_left, run["id"]) for run in (removed, kept)] == [0, 1]

    # Each owner removes the rest in its next pass, and then nobody speaks of it any more, however
    # many others wait for their deliveries.
    for name in list(verdict.services):
        verdict.stop(name)
    verdict.db.query(WAITING)
    before = counts(verdict.db, kept["id"])
    for schema in ("scheduling", "results", "notify", "api"):
        pass_of(verdict, schema)
    wait_until(lambda: not any(counts(verdict.db, removed["id"]).values()), 30, "all to be gone")
    for table in APART:
        apart = f"SELECT count(*) FROM results.{table} WHERE name = 'apart'"
        assert verdict.db.value(apart) == 0
    left = "SELECT count(*) FROM api.removed_run WHERE emptied_at IS NULL"
    wait_until(lambda: verdict.db.value(left) == 1000, 30, "the note to have done its work")
    note = "SELECT count(*) FROM api.removed_run WHERE run_id = %s"
    assert verdict.db.value(note, removed["id"]) == 1  # who was away may still come with results
    verdict.db.query("UPDATE api.removed_run SET emptied_at = emptied_at - interval '80 days'")
    verdict.stop("api-ingest")
    pass_of(verdict, "api")
    assert verdict.db.value(note, removed["id"]) == 0
    assert counts(verdict.db, kept["id"]) == before
    orphans = """SELECT count(*) FROM notify.delivery d
                 WHERE NOT EXISTS (SELECT FROM notify.event e WHERE e.id = d.event_id)"""
    assert verdict.db.value(orphans) == 0


def test_a_large_removal_is_done_a_part_at_a_time(verdict):
    """The notes before those that give something are looked at once, not by each statement."""
    verdict.db.query(MANY_REMOVED)
    pass_of(verdict, "scheduling")
    verdict.stop("scheduler")  # what it did is counted by now

    assert verdict.db.value("SELECT count(*) FROM scheduling.run_state") == 0
    looks = (
        "SELECT idx_scan FROM pg_stat_user_tables WHERE relid = 'scheduling.run_state'::regclass"
    )
    wait_until(lambda: verdict.db.value(looks) >= MANY_NOTES, 30, "the looks to be counted")
    assert verdict.db.value(looks) < 5 * MANY_NOTES


def test_a_key_is_kept_as_long_as_its_run(verdict, work):
    """Runs are kept for a day here, and this one is open for longer."""
    verdict.start("scheduler", wait=False)
    pass_of(verdict, "api", BRIEFLY)
    verdict.api.post("/v1/projects", {"slug": work.project, "title": "Work"})
    body, key = work.body(), {"Idempotency-Key": "k"}
    first = verdict.api.post("/v1/runs", body, expect=201, headers=key)
    verdict.stop("api-ingest")
    verdict.db.query("UPDATE api.idempotency_key SET created_at = now() - interval '25 hours'")

    pass_of(verdict, "api", BRIEFLY)
    assert verdict.api.post("/v1/runs", body, expect=201, headers=key)["id"] == first["id"]

    verdict.api.request("POST", f"/v1/runs/{first['id']}/cancel")
    verdict.wait_final(first["id"])
    verdict.stop("api-ingest")
    verdict.db.query("UPDATE scheduling.run_state SET finished_at = now() - interval '25 hours'")
    pass_of(verdict, "api", BRIEFLY)
    assert verdict.api.post("/v1/runs", body, expect=201, headers=key)["id"] != first["id"]


def test_a_version_that_nothing_names_goes_with_its_cases(verdict, work):
    def suite(name):
        return {"framework": "pytest", "source": SUITE["source"], "cases": [f"a.py::{name}"]}

    def save(name):
        verdict.api.put(f"/v1/projects/{work.project}/suites/unit", suite(name))

    verdict.start("scheduler", wait=False)
    pass_of(verdict, "api")
    verdict.api.post("/v1/projects", {"slug": work.project, "title": "Work"})
    inline = {"project": work.project, "suite": {**suite("run"), "slug": "inline"}}
    run = verdict.api.post("/v1/runs", inline, expect=201)["id"]
    for name in ("old", "current"):
        save(name)
    verdict.stop("api-ingest")
    verdict.db.query("UPDATE api.suite_version SET created_at = now() - interval '2 days'")
    names = "SELECT array_agg(name ORDER BY name) FROM api.declared_case"

    pass_of(verdict, "api")
    assert verdict.db.value(names) == ["current", "run"]
    for name in ("old", "current"):  # it is stored again, and young when nothing names it
        save(name)
    verdict.api.post(f"/v1/runs/{run}/cancel")
    verdict.wait_final(run)
    verdict.api.delete(f"/v1/runs/{run}", expect=204)
    verdict.stop("api-ingest")
    pass_of(verdict, "api")
    assert verdict.db.value(names) == ["current", "old"]
    left = """SELECT (SELECT count(*) FROM api.suite_version) - 2
                   + (SELECT count(*) FROM api.removed_project)"""
    assert verdict.db.value(left) == 0


def test_a_delivery_goes_after_the_request_that_it_answers(verdict):
    """Else the request would be one that nothing has come of, and be answered once more."""
    then = uuid_v7(time.time() - AGE_DAYS * 86400)
    verdict.db.query(
        f"""WITH request AS (
                INSERT INTO api.delivery_request (id, kind, endpoint_id, created_by, created_at)
                VALUES ('{then}', 'test', '{then}', '{then}', now() - interval '{AGE_DAYS} days'))
            INSERT INTO notify.delivery (id, event_id, endpoint_id, project_id, request_id,
                                         event_type, state, finished_at)
            VALUES ('{then}', '{then}', '{then}', '{then}', '{then}', 'endpoint.test', 'delivered',
                    now() - interval '{AGE_DAYS} days')"""
    )
    deliveries = "SELECT count(*) FROM notify.delivery"

    pass_of(verdict, "notify")
    assert verdict.db.value(deliveries) == 1

    pass_of(verdict, "api")
    verdict.stop("notifier")
    pass_of(verdict, "notify")
    assert verdict.db.value(deliveries) == 0


def test_what_is_old_is_found_through_indexes(verdict):
    """Tables this small would be read whole if the planner had its way, as would large ones whose
    statistics speak of rows that are gone."""
    tables = APART  # nobody else looks into them
    pass_of(verdict, "results")
    seen = """SELECT seq_scan, idx_scan FROM pg_stat_user_tables WHERE relname = ANY(%s)"""
    wait_until(
        lambda: all(row["idx_scan"] for row in verdict.db.query(seen, list(tables))), 20, "a look"
    )
    assert [row["seq_scan"] for row in verdict.db.query(seen, list(tables))] == [0, 0]
