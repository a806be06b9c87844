# SPDX-License-Identifier: Apache-2.0
"""Artifacts from a worker to the user's disk, with a store of S3 and with none that works."""

import signal
import subprocess
import textwrap

import pytest
from parts.process import wait_until
from support import disk
from support.s3 import make_s3

TESTS = r"""
    mkdir -p out/deep
    printf 'picture\000\377' > out/deep/one.png
    printf 'TN:\nSF:a\nDA:1,1\nDA:2,0\nend_of_record\n' > coverage.info
    printf '<testsuite><testcase name="one"/></testsuite>' > report.xml
    ln -s /etc/passwd out/link.png
"""
KEPT = ["coverage.info", "out/deep/one.png", "report.xml"]


@pytest.fixture(scope="module")
def installation(shared_verdict, tmp_path_factory):
    s3 = make_s3(tmp_path_factory.mktemp("s3"))
    shared_verdict.sources = tmp_path_factory.mktemp("sources")
    shared_verdict.source_roots.append(shared_verdict.sources)
    try:
        s3.start()
        shared_verdict.s3 = s3
        shared_verdict.start_all(**s3.settings)
        shared_verdict.api.put("/v1/projects/shop", {"title": "Shop"})
        yield shared_verdict
    finally:
        s3.stop()


def trigger(verdict, name, script, **suite):
    folder = verdict.sources / name
    (folder / "out").mkdir(parents=True)
    (folder / "out" / "old.png").write_text("of another run")
    (folder / "tests.sh").write_text(textwrap.dedent(script))
    body = {
        "slug": name,
        "framework": "command",
        "source": {"kind": "path", "path": str(folder)},
        "command": ["/bin/sh", "tests.sh"],
        "report": {"format": "junit", "path": "report.xml"},
        "artifacts": ["out/**", "*.info"],
        **suite,
    }
    return verdict.api.post("/v1/runs", {"project": "shop", "suite": body}, expect=201)["id"]


def run(verdict, name, script, **suite):
    return verdict.wait_final(trigger(verdict, name, script, **suite))


def artifacts(verdict, made, *words):
    done = subprocess.run(
        **verdict.cli("artifacts", str(made["number"]), *words), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_files_come_from_the_worker_to_the_users_disk(installation, tmp_path):
    made = run(installation, "files", TESTS)

    listed = artifacts(installation, made)
    artifacts(installation, made, "--output", tmp_path / "saved")

    assert made["state"] == "passed"
    assert sorted(line.split()[-1] for line in listed.splitlines()[:-1]) == KEPT
    assert "report  report.xml" in listed
    assert listed.splitlines()[-1] == "coverage 50.0 % (1 of 2 lines)"
    saved = tmp_path / "saved"
    assert sorted(str(p.relative_to(saved)) for p in saved.rglob("*") if p.is_file()) == KEPT
    assert (saved / "out/deep/one.png").read_bytes() == b"picture\0\xff"


def test_files_of_tests_that_fail_or_are_ended_are_kept_too(installation):
    made = run(installation, "failing", TESTS + "kill -9 $$\n")

    items = installation.api.get(f"/v1/runs/{made['id']}/artifacts")["items"]

    assert made["state"] == "errored"
    assert sorted(item["path"] for item in items) == KEPT


def test_a_file_that_is_too_long_is_said_and_the_others_are_kept(installation):
    made = run(installation, "long", TESTS + "truncate -s 257M out/a-long-one\n")

    items = installation.api.get(f"/v1/runs/{made['id']}/artifacts")["items"]

    assert made["state"] == "passed"
    assert sorted(item["path"] for item in items) == KEPT
    log = installation.api.get(f"/v1/runs/{made['id']}/logs")
    assert "not kept: out/link.png: it is a link" in log
    assert "not kept: out/a-long-one: it has more than 268435456 bytes" in log


def test_a_cancel_ends_the_sending_and_leaves_what_the_tests_did(installation):
    store = installation.s3.process
    there = "SELECT count(*) FROM results.result WHERE run_id = %s"
    store.signal(signal.SIGSTOP)  # a file that is sent takes for ever
    try:
        made = trigger(installation, "slow", TESTS)
        wait_until(lambda: installation.db.value(there, made), 60, "the result")
        installation.api.post(f"/v1/runs/{made}/cancel")
        ended = installation.wait_final(made)
    finally:
        store.signal(signal.SIGCONT)

    assert (ended["state"], ended["totals"]["passed"]) == ("cancelled", 1)
    # The run is over before its worker has said that: long before the two minutes of the sending.
    path = f"/v1/runs/{made}/logs"
    said = ("not kept: report.xml: the task was ended", "nor are the files behind it")
    wait_until(lambda: all(line in installation.api.get(path) for line in said), 60, "the words")


def test_a_full_store_fails_no_test_and_is_said(installation):
    long = "head -c 3000000 /dev/urandom > out/a-long-one\n"
    with disk.small_disk(installation.folder / "small", "size=2m") as folder:
        installation.start("api-ingest", VERDICT_BLOB_URL=f"file://{folder}")
        made = run(installation, "full", TESTS + long)
        log = installation.api.get(f"/v1/runs/{made['id']}/logs")
        items = installation.api.get(f"/v1/runs/{made['id']}/artifacts")["items"]
        installation.stop("api-ingest")
    installation.start("api-ingest", **installation.s3.settings)

    assert made["state"] == "passed"
    assert "not kept: out/a-long-one: the store of files: cannot write: No space left" in log
    assert "(507)" in log
    assert "report.xml" in {item["path"] for item in items}  # what came before it


def test_a_store_that_is_away_fails_no_test_and_is_said(installation):
    url = "s3+http://127.0.0.1:1/bucket"
    installation.start("api-ingest", **{**installation.s3.settings, "VERDICT_BLOB_URL": url})

    made = run(installation, "away", TESTS)

    assert made["state"] == "passed"
    log = installation.api.get(f"/v1/runs/{made['id']}/logs")
    assert "not kept: report.xml: the store of files cannot be reached (503)" in log
    assert installation.api.get(f"/v1/runs/{made['id']}/artifacts")["items"] == []


def test_without_a_store_no_test_fails_and_it_is_said_once(installation):
    installation.start("api-ingest", VERDICT_BLOB_URL="")

    made = run(installation, "none", TESTS)

    assert made["state"] == "passed"
    log = installation.api.get(f"/v1/runs/{made['id']}/logs")
    assert log.count("this installation keeps no files") == 1
    assert "nor are the files behind it" in log
