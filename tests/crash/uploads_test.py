# SPDX-License-Identifier: Apache-2.0
"""Uploads of results under kill -9: whoever uploads the same file again is counted once. And what
they cost in memory."""

import threading

import pytest
import requests
from parts.process import wait_until
from support.memory import Memory

KB = 1024
CASES = 15000
RISE_KB = 24 * KB  # of a body of 48 MB


def write_report(path, cases, output=0, trace=0):
    with path.open("w") as report:
        report.write("<testsuites><testsuite name='shop'>\n")
        for number in range(cases):
            report.write(f"<testcase classname='shop' name='case {number}'>")
            report.write(f"<failure message='no'>{'t' * trace}</failure>" if trace else "")
            report.write(f"<system-out>{'o' * output}</system-out>" if output else "")
            report.write("</testcase>\n")
        report.write("</testsuite></testsuites>\n")
    return path


@pytest.fixture(scope="module")
def verdict_of_uploads(shared_verdict):
    for name in ("api-ingest", "scheduler", "result-collector"):
        shared_verdict.start(name, wait=False)
    for service in shared_verdict.services.values():
        service.wait_ready()
    shared_verdict.api.put("/v1/projects/shop", {})
    return shared_verdict


@pytest.fixture
def run(verdict_of_uploads):
    suite = {"slug": "unit", "framework": "command", "source": {"kind": "upload"}}
    body = {"project": "shop", "suite": suite}
    return verdict_of_uploads.api.post("/v1/runs", body, expect=201)["id"]


def upload(verdict, run, report, query=""):
    with report.open("rb") as body:
        return verdict.api.request("POST", f"/v1/runs/{run}/results{query}", data=body, timeout=120)


def running(verdict, run):
    """How many of its uploads are under way."""
    tasks = "SELECT count(*) FROM scheduling.task WHERE run_id = %s AND state = 'running'"
    return verdict.db.value(tasks, run)


def test_an_upload_that_api_ingest_died_in_is_counted_once(verdict_of_uploads, run, tmp_path):
    verdict = verdict_of_uploads
    report = write_report(tmp_path / "report.xml", CASES, trace=KB)
    failures = []

    def send():
        try:
            upload(verdict, run, report)
        except requests.ConnectionError as error:
            failures.append(error)

    sender = threading.Thread(target=send)
    verdict.pause("result-collector")  # until all is recorded there is no answer
    sender.start()
    wait_until(lambda: running(verdict, run), 60, "the upload to be taken up")
    verdict.kill("api-ingest")
    sender.join()
    assert failures
    verdict.resume("result-collector")
    verdict.start("api-ingest")

    answer = upload(verdict, run, report, "?complete=true")

    assert answer.status_code == 200, answer.text
    assert answer.json()["upload"]["counted"] == CASES
    ended = verdict.wait_final(run)
    assert (ended["state"], ended["reason"]) == ("failed", "cases_failed")
    assert ended["totals"]["planned"] == ended["totals"]["failed"] == CASES
    for table in ("stale_result", "late_result"):
        assert verdict.db.value(f"SELECT count(*) FROM results.{table} WHERE run_id = %s", run) == 0


def test_a_scheduler_that_starts_anew_goes_on_with_uploads(verdict_of_uploads, run, tmp_path):
    verdict = verdict_of_uploads
    first = write_report(tmp_path / "first.xml", 2)
    second = write_report(tmp_path / "second.xml", 3)
    answers = []
    verdict.start("scheduler", VERDICT_WORKER_SUSPECT="500ms", VERDICT_WORKER_LOST="1s")
    verdict.kill("result-collector")
    sender = threading.Thread(target=lambda: answers.append(upload(verdict, run, first)))
    sender.start()
    wait_until(lambda: running(verdict, run), 60, "the upload to be taken up")
    verdict.kill("scheduler")
    verdict.start("scheduler")
    # Long enough that a worker of which nothing is heard would be lost.
    older = "alive_at < taken_at + interval '2 seconds'"
    young = f"SELECT count(*) FROM scheduling.partition_owner WHERE {older}"
    wait_until(lambda: verdict.db.value(young) == 0, 60, "the scheduler to have looked around")
    verdict.start("result-collector")
    sender.join()

    assert answers[0].status_code == 200, answers[0].text
    assert upload(verdict, run, second, "?complete=true").status_code == 200
    ended = verdict.wait_final(run)
    assert (ended["state"], ended["totals"]["passed"]) == ("passed", 3)
    attempts = "SELECT max(attempt) FROM scheduling.task WHERE run_id = %s"
    assert verdict.db.value(attempts, run) == 1


def test_memory_does_not_grow_with_what_is_uploaded(verdict_of_uploads, run, tmp_path):
    verdict = verdict_of_uploads
    report = write_report(tmp_path / "report.xml", 300, output=160 * KB)
    assert report.stat().st_size > 45 * KB * KB

    with Memory(verdict.services["api-ingest"]) as memory:
        answer = upload(verdict, run, report, "?complete=true")

    assert answer.status_code == 200 and answer.json()["upload"]["counted"] == 300, answer.text
    assert memory.rise_kb < RISE_KB
    assert verdict.wait_final(run)["state"] == "passed"
