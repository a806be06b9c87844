# SPDX-License-Identifier: Apache-2.0
"""`verdict upload` against a whole installation."""

import json
import subprocess

import pytest
from support.cli import Cli


@pytest.fixture(scope="module")
def installation(shared_verdict):
    for name in ("api-ingest", "scheduler", "result-collector"):
        shared_verdict.start(name, wait=False)
    for service in shared_verdict.services.values():
        service.wait_ready()
    return shared_verdict


@pytest.fixture
def cli(installation, tmp_path):
    return Cli(installation, tmp_path / "Till Shop")


JUNIT = "<testsuites><testsuite name='s'>{}</testsuite></testsuites>"
CASE = "<testcase classname='shop' name='{}'/>"
BAD = "<testcase classname='shop' name='bad'><failure message='no'/></testcase>"


def test_reports_of_tests_that_ran_elsewhere_are_a_run_of_their_own(cli):
    cli.write("one.xml", JUNIT.format(CASE.format("a") + CASE.format("b")))
    cli.write("two.xml", JUNIT.format(CASE.format("b") + BAD))
    cli.write("1-result.json", '{"name": "c", "fullName": "shop#c", "status": "passed"}')
    cli.write("2-result.json", '{"name": "d", "fullName": "shop#d", "status": "passed"}')
    files = ["one.xml", "two.xml", "1-result.json", "2-result.json"]

    out, err = cli("upload", "--json", "--suite", "unit", "--branch", "main", *files, status=1)

    run = json.loads(out)
    assert (run["state"], run["reason"], run["branch"]) == ("failed", "cases_failed", "main")
    assert run["totals"]["passed"] == 4 and run["totals"]["failed"] == 1
    assert "two.xml: 2 cases, 1 of them told of before\n" in err
    assert "1-result.json: 2 cases\n" in err


def test_a_run_is_uploaded_to_by_several_and_ends_when_it_is_complete(cli):
    cli.write("one.xml", JUNIT.format(CASE.format("a")))
    cli.write("cut.xml", JUNIT.format(CASE.format("a"))[:-20])
    suite = {"slug": "unit", "framework": "command", "source": {"kind": "upload"}}
    cli.verdict.api.put("/v1/projects/" + cli.project, {})
    body = {"project": cli.project, "suite": suite}
    run = str(cli.verdict.api.post("/v1/runs", body, expect=201)["number"])

    for _ in range(2):
        out, err = cli("upload", "--run", run, "one.xml")
        assert (out, err) == ("", "one.xml: 1 case\n")
    for variant in ("", "linux arm64"):
        words = ("--json", "--variant", variant) if variant else ("--json",)
        out, _ = cli("upload", "--run", run, *words, "one.xml")
        told = [answer["upload"] for answer in json.loads(out)]
        assert [(one["variant"], one["counted"]) for one in told] == [(variant, 1)]
    _, err = cli("upload", "--run", run, "cut.xml", status=2)
    assert "cut.xml: " in err and "line 1" in err
    _, err = cli("upload", "--run", run, "none.xml", status=2)
    assert "none.xml: No such file" in err
    _, err = cli("upload", "--run", run, status=2)
    assert "FILE is missing" in err
    _, err = cli("upload", "--run", run, "--complete")

    assert "2 passed" in err
    assert "a (linux arm64)" in cli("results", run)[0]


def test_a_run_of_its_own_that_gets_not_all_is_cancelled(cli):
    cli.write("one.xml", JUNIT.format(CASE.format("a")))
    cli.write("cut.xml", JUNIT.format(CASE.format("a"))[:-20])

    _, err = cli("upload", "--branch", cli.project, "one.xml", "cut.xml", status=2)

    assert "cut.xml: " in err and "the run is cancelled" in err
    runs = cli.verdict.api.get(f"/v1/runs?branch={cli.project}")["items"]
    assert len(runs) == 1
    assert cli.verdict.wait_final(runs[0]["id"])["state"] == "cancelled"


def test_more_files_than_a_run_takes_make_no_run(cli):
    names = [f"{n}.xml" for n in range(1001)]
    for name in names:
        cli.write(name, JUNIT)

    _, err = cli("upload", "--branch", cli.project, *names, status=2)

    assert "of 1001 files only 1000 can be uploaded to one run" in err
    assert cli.verdict.api.get(f"/v1/runs?branch={cli.project}")["items"] == []


def test_an_upload_with_a_key_is_mended_by_the_same_one_with_whole_files(cli):
    cli.write("one.xml", JUNIT.format(CASE.format("a")))
    cli.write("two.xml", JUNIT.format(CASE.format("b"))[:-20])
    words = ("upload", "--json", "--idempotency-key", cli.project, "one.xml", "two.xml")

    _, err = cli(*words, status=2)
    assert "two.xml: " in err and "the run is open" in err
    cli.write("two.xml", JUNIT.format(CASE.format("b")))
    out, _ = cli(*words)

    assert json.loads(out)["totals"]["passed"] == 2


def test_a_suite_of_the_project_counts_with_the_cases_that_it_declares(cli):
    api = cli.verdict.api
    path = f"/v1/projects/{cli.project}"
    api.put(path, {})
    spec = {"framework": "pytest", "source": {"kind": "upload"}, "cases": ["s.py::a", "s.py::b"]}
    api.put(path + "/suites/unit", spec)
    api.put(path + "/suites/work", {"framework": "pytest", "source": {"kind": "path", "path": "/"}})
    cli.write("one.xml", JUNIT.format("<testcase classname='s' name='a'/>"))
    scopes = ["runs:write", "runs:read"]
    token = api.post("/v1/tokens", {"name": cli.project, "scopes": scopes}, expect=201)["token"]
    upload = ("upload", "--json", "--project", cli.project, "--suite")

    for settings in ({}, {"VERDICT_TOKEN": token}):
        out, _ = cli(*upload, "unit", "one.xml", status=3, **settings)
        assert json.loads(out)["reason"] == "cases_not_run"
        out, _ = cli(*upload, "other", "one.xml", **settings)
        assert json.loads(out)["totals"]["passed"] == 1
    _, err = cli(*upload, "work", "one.xml", status=2)
    assert "suite work: workers run it" in err
    api.put(path + "/templates/nightly", {"suite": "work"})
    by_template = ("upload", "--project", cli.project, "--template", "nightly", "one.xml")
    for words, settings in (
        ((*upload, "work", "one.xml"), {"VERDICT_TOKEN": token}),
        (by_template, {}),
    ):
        _, err = cli(*words, status=2, **settings)
        assert "the suite's source is path, and upload was expected" in err
    _, err = cli(*upload, "unit", "--framework", "jest", "one.xml", status=2)
    assert "the suite's framework is pytest, and jest was expected" in err

    runs = api.get(f"/v1/runs?project={cli.project}")["items"]
    assert len(runs) == 4


def test_a_token_that_may_not_look_mends_an_upload_by_its_key(cli):
    cli.verdict.api.put(f"/v1/projects/{cli.project}", {})
    body = {"name": cli.project, "scopes": ["runs:write", "runs:read"]}
    token = cli.verdict.api.post("/v1/tokens", body, expect=201)["token"]
    cli.write("one.xml", JUNIT.format(CASE.format("a"))[:-20])
    words = ("upload", "--json", "--project", cli.project, "--idempotency-key", "one", "one.xml")

    cli(*words, status=2, VERDICT_TOKEN=token)
    cli.write("one.xml", JUNIT.format(CASE.format("a")))
    out, _ = cli(*words, VERDICT_TOKEN=token)

    assert json.loads(out)["totals"]["passed"] == 1
    assert len(cli.verdict.api.get(f"/v1/runs?project={cli.project}")["items"]) == 1


def test_a_report_is_uploaded_from_the_standard_input(cli):
    command = cli.verdict.cli("upload", "--format", "tap", "-", HOME=str(cli.folder))
    done = subprocess.run(
        **command,
        cwd=cli.folder,
        input="TAP version 13\nok 1 - a\n1..1\n",
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "the standard input: 1 case\n" in done.stderr
