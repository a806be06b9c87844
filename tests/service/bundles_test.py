# SPDX-License-Identifier: Apache-2.0
"""Bundles at the API: sent by their name, of one project, fetched by a token of a dispatch, removed
with the last run. The worker and its task are rows of the test; whole runs are in
tests/e2e/bundle_test.py."""

import hashlib

import pytest
from parts.process import wait_until
from support.worker import Task, Worker, dispatch_token


@pytest.fixture(scope="module")
def installation(shared_verdict):
    folder = shared_verdict.folder / "files"
    shared_verdict.start("api-ingest", VERDICT_BLOB_URL=f"file://{folder}")
    shared_verdict.files = folder
    shared_verdict.worker = Worker(shared_verdict)
    for project in ("shop", "other"):
        shared_verdict.api.put(f"/v1/projects/{project}", {"title": project})
    return shared_verdict


def name_of(content):
    return hashlib.sha256(content).hexdigest()


def send(verdict, content, name=None, project="shop", **options):
    path = f"/v1/bundles/{name or name_of(content)}?project={project}"
    headers = {"Content-Type": "application/octet-stream"}
    return verdict.api.request("PUT", path, data=content, headers=headers, **options)


def trigger(verdict, content, project="shop", expect=201):
    source = {"kind": "bundle", "bundle": name_of(content)}
    suite = {"slug": "unit", "framework": "pytest", "source": source}
    return verdict.api.post("/v1/runs", {"project": project, "suite": suite}, expect=expect)


def problem_of(answer):
    return answer["errors"][0]["field"]


def test_a_bundle_is_there_when_it_was_sent_and_is_sent_again_for_nothing(installation):
    name = name_of(b"files")
    installation.api.get(f"/v1/bundles/{name}?project=shop", expect=404)

    sent = send(installation, b"files")
    there = installation.api.get(f"/v1/bundles/{name}?project=shop", expect=200)
    again = send(installation, b"files")

    assert (sent.status_code, again.status_code) == (201, 201)
    assert sent.json() == there == again.json()
    assert (there["sha256"], there["bytes"]) == (name, 5)


@pytest.mark.parametrize("name", ["0" * 64, "x" * 64, "abc", "A" * 64])
def test_a_name_that_is_not_what_came_is_refused(installation, name):
    answer = send(installation, b"files", name)

    assert (answer.status_code, problem_of(answer.json())) == (400, "bundle")
    installation.api.get(f"/v1/bundles/{name}?project=shop", expect=404)


def test_a_bundle_that_is_too_long_is_refused_by_its_length(installation):
    answer = installation.api.request(
        "PUT",
        f"/v1/bundles/{'0' * 64}?project=shop",
        headers={"Content-Length": str(300 << 20)},
    )
    assert answer.status_code == 413


def test_who_knows_its_name_in_another_project_has_not_got_it(installation):
    send(installation, b"of the shop")
    name = name_of(b"of the shop")

    installation.api.get(f"/v1/bundles/{name}?project=other", expect=404)
    refused = trigger(installation, b"of the shop", project="other", expect=400)

    assert problem_of(refused) == "suite.source.bundle"
    trigger(installation, b"of the shop")
    send(installation, b"of the shop", project="other")
    trigger(installation, b"of the shop", project="other")


def test_a_suite_that_is_stored_has_none(installation):
    send(installation, b"lasting")
    source = {"kind": "bundle", "bundle": name_of(b"lasting")}

    answer = installation.api.put(
        "/v1/projects/shop/suites/unit", {"framework": "pytest", "source": source}, expect=400
    )

    assert problem_of(answer) == "source.kind"


def make_task(verdict, content):
    """A run on this bundle that was given out to the worker."""
    task = Task(verdict, verdict.worker)
    verdict.db.query(
        "UPDATE api.run SET bundle = %s WHERE id = %s", bytes.fromhex(name_of(content)), task.run
    )
    return task


def fetch(verdict, task, token):
    api = verdict.api.with_token(token)
    return api.request("GET", f"/v1/dispatches/{task.dispatch}/bundle")


def test_the_worker_fetches_it_by_a_token_of_its_dispatch_alone(installation):
    send(installation, b"to run on\0\xff")
    task = make_task(installation, b"to run on\0\xff")
    other = make_task(installation, b"to run on\0\xff")
    bare = Task(installation, installation.worker)

    got = fetch(installation, task, dispatch_token(task))

    assert (got.status_code, got.content) == (200, b"to run on\0\xff")
    assert fetch(installation, task, dispatch_token(other)).status_code == 401
    assert fetch(installation, task, dispatch_token(task, key=b"k" * 32)).status_code == 401
    admin = installation.admin_token.read_text().strip()
    assert fetch(installation, task, admin).status_code == 401
    assert fetch(installation, bare, dispatch_token(bare)).status_code == 404
    installation.db.query(
        "UPDATE scheduling.dispatch SET ended = 'recorded' WHERE id = %s", task.dispatch
    )
    assert fetch(installation, task, dispatch_token(task)).status_code == 401


def test_it_goes_with_the_last_run_on_it(installation):
    contents = (b"never run", b"run once", b"of a run that went", b"just sent")
    for content in contents:
        send(installation, content)
    run = trigger(installation, b"run once")["id"]
    gone = trigger(installation, b"of a run that went")["id"]
    old = "SET used_at = now() - interval '2 hours'"
    recent = bytes.fromhex(name_of(b"just sent"))
    installation.db.query(f"UPDATE api.bundle {old} WHERE blob <> %s", recent)
    installation.db.query(f"UPDATE api.blob {old}")
    installation.db.query("DELETE FROM api.run WHERE id = %s", gone)

    installation.restart("api-ingest")

    def kept():
        files = [c for c in contents if list(installation.files.rglob(name_of(c)))]
        rows = installation.db.query("SELECT encode(blob, 'hex') AS name FROM api.bundle")
        names = {row["name"] for row in rows}
        return files if files == [c for c in contents if name_of(c) in names] else None

    wait_until(lambda: kept() == [b"run once", b"just sent"], 40, "the others to be removed")
    assert installation.db.value("SELECT count(*) FROM api.run WHERE id = %s", run) == 1


def test_without_a_store_it_is_said(installation):
    installation.start("api-ingest", VERDICT_BLOB_URL="")

    answer = send(installation, b"files")

    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
