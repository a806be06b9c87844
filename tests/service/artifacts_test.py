# SPDX-License-Identifier: Apache-2.0
"""Artifacts at the API: kept by a token of their dispatch, listed, fetched, removed. The worker and
its task are rows of the test; a real worker's are in tests/e2e/artifacts_test.py."""

import hashlib
import pathlib
import subprocess
import time

import pytest
import requests
from parts.process import wait_until
from support.worker import Task, Worker, dispatch_token, uuid_v7

LCOV = b"TN:\nSF:a.c\nDA:1,1\nDA:2,0\nDA:3,4\nDA:4,0\nLF:4\nLH:2\nend_of_record\n"
COBERTURA = b'<?xml version="1.0"?><coverage line-rate="0.75" lines-covered="3" lines-valid="4"/>'


@pytest.fixture(scope="module")
def installation(shared_verdict):
    folder = shared_verdict.folder / "files"
    shared_verdict.start("api-ingest", VERDICT_BLOB_URL=f"file://{folder}")
    shared_verdict.files = folder
    shared_verdict.worker = Worker(shared_verdict)
    return shared_verdict


@pytest.fixture
def task(installation):
    return Task(installation, installation.worker)


def keep(verdict, task, path, content, token=None, **query):
    return requests.put(
        f"{verdict.api_url}/v1/dispatches/{task.dispatch}/artifacts",
        params={"path": path, **query},
        headers={"Authorization": f"Bearer {token or dispatch_token(task)}"},
        data=content,
        timeout=30,
    )


def listed(verdict, task):
    return verdict.api.get(f"/v1/runs/{task.run}/artifacts")


def test_a_file_comes_back_byte_for_byte_and_is_never_shown_in_place(installation, task):
    content = b"<script>alert(1)</script>\0\xff"
    kept = keep(installation, task, "out/s\u00fc 'x'.html", content)

    item = listed(installation, task)["items"][0]
    path = f"/v1/runs/{task.run}/artifacts/{item['id']}"
    got = installation.api.request("GET", path)
    again = installation.api.request("GET", path, headers={"If-None-Match": got.headers["ETag"]})

    assert (kept.status_code, kept.json()["id"]) == (201, item["id"])
    assert (item["path"], item["kind"], item["bytes"]) == (
        "out/s\u00fc 'x'.html",
        "file",
        len(content),
    )
    assert item["sha256"] == hashlib.sha256(content).hexdigest()
    assert got.content == content
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert (
        got.headers["Content-Disposition"] == "attachment; filename*=UTF-8''s%C3%BC%20%27x%27.html"
    )
    assert "sandbox" in got.headers["Content-Security-Policy"]
    assert again.status_code == 304


def test_the_same_content_is_kept_once_and_the_same_path_is_replaced(installation, task):
    keep(installation, task, "a", b"the same")
    keep(installation, task, "b", b"the same")
    keep(installation, task, "b", b"the same", kind="report")

    items = listed(installation, task)["items"]

    assert [(item["path"], item["kind"]) for item in items] == [("a", "file"), ("b", "report")]
    keep(installation, task, "empty", b"")
    assert listed(installation, task)["items"][-1]["bytes"] == 0
    name = hashlib.sha256(b"the same").hexdigest()
    assert [p.name for p in installation.files.rglob(name)] == [name]


def test_a_token_is_good_for_its_dispatch_alone_and_until_that_ends(installation, task):
    other = Task(installation, installation.worker)
    wrong = {
        "of another dispatch": dispatch_token(task, dispatch=other.dispatch),
        "by another key": dispatch_token(task, key=b"k" * 32),
        "expired": dispatch_token(task, seconds=-1),
        "none": "x",
    }

    answers = {
        what: keep(installation, task, "a", b"a", token).status_code
        for what, token in wrong.items()
    }
    installation.db.query(
        "UPDATE scheduling.dispatch SET ended = 'recorded' WHERE id = %s", task.dispatch
    )
    ended = keep(installation, task, "a", b"a")

    assert answers == dict.fromkeys(wrong, 401)
    assert ended.status_code == 401
    assert listed(installation, task)["items"] == []


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../up", "a/../../b", "a\nb", "x" * 1025])
def test_a_path_that_leads_elsewhere_is_refused(installation, task, path):
    answer = keep(installation, task, path, b"a")

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "path")


def test_what_is_not_wanted_is_refused_before_its_body_comes(installation, task):
    def endless():
        for _ in range(10_000):
            yield b"x" * 100_000
            sent.append(1)

    sent = []
    try:
        status = keep(installation, task, "a", endless(), token="x").status_code
    except requests.ConnectionError:
        status = None  # it did not listen to the end

    assert status in (401, None)
    assert len(sent) < 1000


@pytest.mark.parametrize(("token", "status"), [(None, "201"), ("x", "401")])
def test_a_client_may_ask_first_and_use_its_connection_again(
    installation, task, tmp_path, token, status
):
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    url = f"{installation.api_url}/v1/dispatches/{task.dispatch}/artifacts?path="
    header = f"Authorization: Bearer {token or dispatch_token(task)}"
    words = ["-s", "-H", header, "-H", "Expect: 100-continue", "-o", tmp_path / "answer"]
    words += ["-w", "%{http_code}\\n", "-T", tmp_path / "file"]

    done = subprocess.run(
        ["curl", *words, url + "a", "--next", *words, url + "b"], capture_output=True, timeout=20
    )

    assert done.stdout.decode().split() == [status, status]


def test_a_file_that_is_too_long_is_refused_by_its_length(installation, task):
    answer = installation.api.request(
        "PUT",
        f"/v1/dispatches/{task.dispatch}/artifacts?path=a",
        headers={
            "Content-Length": str(300 << 20),
            "Authorization": f"Bearer {dispatch_token(task)}",
        },
    )
    assert answer.status_code == 413


def test_a_long_file_takes_no_memory(installation, task):
    pid = installation.services["api-ingest"].pid()

    def peak_kb():
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

    before = peak_kb()
    answer = keep(installation, task, "long", (b"x" * 1_000_000 for _ in range(150)))

    assert (answer.status_code, answer.json()["bytes"]) == (201, 150_000_000)
    assert peak_kb() - before < 30_000


def test_a_task_keeps_so_many_files_and_bytes(installation, task):
    keep(installation, task, "a", b"a")
    installation.db.query(
        "UPDATE api.artifact SET bytes = 1024 * 1024 * 1024 WHERE dispatch_id = %s", task.dispatch
    )
    assert keep(installation, task, "b", b"b").status_code == 413


@pytest.mark.parametrize(
    ("files", "coverage"),
    [
        ({"a.info": LCOV}, (2, 4, 50.0, False)),
        ({"coverage.xml": COBERTURA}, (3, 4, 75.0, False)),
        ({"a.info": LCOV, "coverage.xml": COBERTURA}, (5, 8, 62.5, False)),
        ({"a.txt": b"TAP version 13\n", "junit.xml": b"<testsuite/>"}, None),
    ],
)
def test_coverage_is_read_to_a_figure_of_the_run(installation, task, files, coverage):
    for path, content in files.items():
        keep(installation, task, path, content)

    figure = listed(installation, task)["coverage"]

    if coverage:
        names = ("lines_covered", "lines_total", "percent", "at_least")
        assert figure == dict(zip(names, coverage, strict=True))
    else:
        assert figure is None


def test_a_repeated_attempt_counts_once(installation, task):
    keep(installation, task, "a.info", LCOV)
    task.give_out()
    keep(installation, task, "a.info", LCOV)

    assert listed(installation, task)["coverage"]["lines_total"] == 4
    assert [item["attempt"] for item in listed(installation, task)["items"]] == [1, 2]


def test_who_may_not_see_the_run_sees_none_of_its_files(installation, task):
    keep(installation, task, "a", b"a")
    item = listed(installation, task)["items"][0]
    installation.api.put("/v1/projects/other", {"title": "Other"})
    token = installation.api.post(
        "/v1/tokens", {"name": "other", "project": "other", "scopes": ["runs:read"]}, expect=201
    )["token"]
    stranger = installation.api.with_token(token)

    stranger.get(f"/v1/runs/{task.run}/artifacts", expect=404)
    stranger.get(f"/v1/runs/{task.run}/artifacts/{item['id']}", expect=404)
    own = Task(installation, installation.worker)
    installation.api.get(f"/v1/runs/{own.run}/artifacts/{item['id']}", expect=404)


def make_final(task, days):
    task.db.query(
        """INSERT INTO scheduling.run_state (run_id, project_id, pool_id, partition, state,
             priority, run_deadline, finished_at)
           SELECT id, project_id, pool_id, 0, 'passed', 50, now(), now() - make_interval(days => %s)
           FROM api.run WHERE id = %s""",
        days,
        task.run,
    )


def test_files_go_with_their_run_and_what_another_has_too_stays(installation):
    old = Task(installation, installation.worker, run_id=uuid_v7(time.time() - 200 * 86400))
    keep(installation, old, "a", b"only of this run")
    keep(installation, old, "b", b"of another run too")
    other = Task(installation, installation.worker)
    keep(installation, other, "b", b"of another run too")
    alone = hashlib.sha256(b"only of this run").hexdigest()
    shared = hashlib.sha256(b"of another run too").hexdigest()
    make_final(old, 150)
    make_final(other, 1)
    installation.restart("api-ingest")
    left = "SELECT count(*) FROM api.artifact WHERE run_id = %s"
    wait_until(lambda: installation.db.value(left, old.run) == 0, 60, "the run to be removed")
    installation.api.get(f"/v1/runs/{old.run}/artifacts", expect=404)
    installation.db.query("UPDATE api.blob SET used_at = now() - interval '2 hours'")

    installation.restart("api-ingest")

    wait_until(lambda: not list(installation.files.rglob(alone)), 60, "the file to be removed")
    assert list(installation.files.rglob(shared))
    names = installation.db.query("SELECT encode(name, 'hex') AS name FROM api.blob")
    assert alone not in {row["name"] for row in names}
    assert [item["path"] for item in listed(installation, other)["items"]] == ["b"]


def test_without_a_store_it_is_said(verdict):
    verdict.start("api-ingest")
    task = Task(verdict, Worker(verdict))

    answer = keep(verdict, task, "a", b"a")

    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert listed(verdict, task) == {"items": [], "next_cursor": None, "coverage": None}
