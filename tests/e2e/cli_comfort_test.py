# SPDX-License-Identifier: Apache-2.0
"""What the users' command says of itself, of its surroundings, and to CI servers (`--ci`) in the
files and words that each of them reads."""

import contextlib
import email.utils
import http.server
import json
import re
import shutil
import threading
import time

import jsonschema
import pytest
import requests
from frameworks.examples_test import EXAMPLES, check_example
from parts.process import wait_until
from support import TOP
from support.ci import Runner, github, variables
from support.cli import MANIFEST, Cli
from support.cli_schema import conforms

EVIL = """
    import pytest

    def test_quiet():
        pass

    @pytest.mark.parametrize("n", range(12))
    def test_evil(n):
        print("##[add-mask]everything")
        if n == 3:
            assert False, "::error::injected\\n::set-env name=PATH::x, 100%: \\x1b[0K##[group]no"
"""


@pytest.fixture(scope="module")
def installation(shared_verdict, tmp_path_factory):
    shared_verdict.source_roots.append(tmp_path_factory.getbasetemp())
    files = tmp_path_factory.mktemp("files")
    shared_verdict.start("api-ingest", VERDICT_BLOB_URL=f"file://{files}")
    shared_verdict.start_all()
    return shared_verdict


@pytest.fixture
def cli(installation, tmp_path):
    return Cli(installation, tmp_path / "Till Shop")


@contextlib.contextmanager
def behind(url, date=None, version=None):
    """The same server as one with another clock, or of another version, shows itself."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            headers = {"Authorization": self.headers["Authorization"]}
            answer = requests.get(url + self.path, headers=headers, timeout=20)
            body = answer.content
            if version is not None and self.path == "/v1/version":
                body = json.dumps({**answer.json(), "version": version}).encode()
            self.send_response_only(answer.status_code)
            self.send_header("Date", date or answer.headers["Date"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def examined(cli, *words, status=0, **settings):
    """{name: (status, text, advice)} of what doctor finds."""
    out, _ = cli("doctor", "--json", *words, status=status, **settings)
    answer = json.loads(out)
    assert answer["healthy"] == (status == 0)
    return {c["name"]: (c["status"], c["text"], c["advice"]) for c in answer["checks"]}


def test_a_doctor_finds_nothing_where_all_is_well(cli):
    wait_until(lambda: examined(cli)["workers"][0] == "ok", 60, "the worker to be online")
    found = examined(cli)
    out, err = cli("doctor")

    assert {status for status, _, _ in found.values()} == {"ok"}
    assert "within seconds" in found["clock"][1]
    assert "1 of 1 are online" in found["workers"][1]
    assert [line.split()[:2] for line in out.splitlines()] == [["ok", name] for name in found]
    assert err == ""


def test_a_doctor_says_what_is_wrong_with_the_address(cli):
    nobody = examined(cli, status=6, VERDICT_URL="http://127.0.0.1:1")
    unknown = examined(cli, status=2, VERDICT_URL="")
    deeper = examined(cli, status=6, VERDICT_URL=cli.verdict.api_url + "/v1")
    cli.write("config.yaml", "address: http://127.0.0.1\n")
    misspelt = examined(cli, status=2, VERDICT_CONFIG="config.yaml")

    assert nobody["server"][0] == "bad" and "127.0.0.1:1" in nobody["server"][1]
    assert "the server is up" in nobody["server"][2]
    assert nobody["token"][0] == "skipped"
    assert "set VERDICT_URL" in unknown["server"][2]
    assert "before /v1" in deeper["server"][2]
    assert "address" in misspelt["settings"][1] and misspelt["server"][0] == "ok"


def test_a_doctor_says_what_is_wrong_with_the_token(cli):
    good = cli.verdict.admin_token.read_text().strip()
    reader, _ = cli("token", "create", "--name", "reader", "--scopes", "runs:read")
    none = examined(cli, status=2, VERDICT_TOKEN="")
    cut = examined(cli, status=2, VERDICT_TOKEN=good[:-1])
    narrow = examined(cli, status=2, VERDICT_TOKEN=reader.strip())
    nowhere = examined(cli, "--project", "nowhere", status=2)

    assert "set VERDICT_TOKEN" in none["token"][2] and none["server"][0] == "ok"
    assert "not copied as a whole" in cut["token"][2] and "VERDICT_TOKEN" in cut["token"][1]
    assert narrow["token"][0] == "ok" and narrow["scopes"][0] == "bad"
    assert "runs:write" in narrow["scopes"][2]
    assert narrow["workers"][0] == "skipped"
    assert "nowhere" in nowhere["project"][1] and "--project" in nowhere["project"][2]


def test_a_doctor_compares_clocks_and_versions(cli):
    url = cli.verdict.api_url
    with behind(url, date=email.utils.formatdate(time.time() + 7200, usegmt=True)) as there:
        late = examined(cli, status=2, VERDICT_URL=there)
    with behind(url, version="0.999.0") as there:
        newer = examined(cli, VERDICT_URL=there)
    with behind(url, version="999.0.0") as there:
        other = examined(cli, status=2, VERDICT_URL=there)

    assert late["clock"][0] == "bad" and "behind the server's" in late["clock"][1]
    assert "time server" in late["clock"][2]
    assert newer["versions"][0] == "warning" and other["versions"][0] == "bad"
    assert "999.0.0" in other["versions"][1] and "install" in other["versions"][2]


@pytest.fixture
def evil(cli):
    cli.write("tests/test_evil.py", EVIL)
    return cli


def test_github_gets_a_summary_annotations_and_outputs(cli):
    words = ["run", "--ci", "auto", "--", "pytest", "tests/test_till.py"]
    _, err = cli(*words, status=1, **github(cli))
    read = Runner(err)
    summary = (cli.folder / "summary.md").read_text()
    outputs = variables(cli.folder / "output")

    assert [(name, data) for name, _, data in read.commands][0][0] == "error"
    where = read.commands[0][1]
    assert where["file"] == "tests/test_till.py"
    assert cli.folder.joinpath(where["file"]).read_text().splitlines()[int(where["line"]) - 1] == (
        "    assert total == 42"
    )
    assert where["title"] == "failed tests.test_till::test_bad"
    assert "assert 41 == 42" in read.commands[0][2]
    assert len(read.commands) == 1
    assert "### Failures" in summary and "test_bad" in summary
    assert (outputs["verdict"], outputs["exit_code"]) == ("failed", "1")
    assert (outputs["planned"], outputs["passed"], outputs["failed"]) == ("4", "2", "1")
    assert cli.verdict.api.get(f"/v1/runs/{outputs['run_id']}")["number"] == int(
        outputs["run_number"]
    )
    assert requests.get(outputs["report_url"], timeout=30).status_code == 200


def test_tests_give_github_no_orders(evil):
    words = ["run", "--json", "--title", "##[add-mask]a", "--ci", "github", "--param", "a=::b::"]
    out, err = evil(*words, "--", "pytest", "-s", "tests/test_evil.py", status=1, **github(evil))
    read = Runner(err, out)
    run = json.loads(out)

    assert "##[add-mask]" not in out and run["title"] == "##[add-mask]a"
    assert [(name, where["title"]) for name, where, _ in read.commands] == [
        ("error", "failed tests.test_evil::test_evil[3]")
    ]
    assert "::set-env name=PATH::x, 100%: [0K##[group]no" in read.commands[0][2]
    assert read.stop is None


def test_github_shows_ten_and_is_told_of_more(evil):
    evil.write("tests/test_evil.py", EVIL.replace("if n == 3", "if n != 3"))
    settings = github(evil)
    (evil.folder / "summary.md").write_text("x" * (1024 * 1024 - 600))
    words = ["run", "--ci", "github", "--", "pytest", "tests/test_evil.py"]
    _, err = evil(*words, status=1, **settings)
    commands = Runner(err).commands
    summary = (evil.folder / "summary.md").read_text()

    assert len(commands) == 10
    assert commands[-1][1] == {"title": "Verdict"}
    assert "11 failed" in commands[-1][2]
    assert "FAILED  run" in summary and len(summary) <= 1024 * 1024
    assert "### Failures" not in summary


def test_gitlab_gets_reports_variables_and_a_section(evil):
    settings = {"GITLAB_CI": "true", "CI_JOB_URL": "https://gitlab.example/1"}
    words = ["run", "--ci", "auto", "--", "pytest", "tests"]
    _, err = evil(*words, status=1, **settings)
    folder = evil.folder / "verdict-ci"
    outputs = variables(folder / "verdict.env")
    link = json.loads((folder / "annotations.json").read_text())["Verdict"][0]["external_link"]

    marks = re.findall("\x1b\\[0Ksection_(start|end):\\d+:verdict[\r\n]\x1b\\[0K", err)
    assert marks == ["start", "end"]
    assert (outputs["VERDICT"], outputs["VERDICT_FAILED"]) == ("failed", "2")
    assert all(re.fullmatch(r"VERDICT(_[A-Z]+)*", name) for name in outputs)
    assert "VERDICT_URL" not in outputs
    assert len(outputs) <= 20 and (folder / "verdict.env").stat().st_size < 5120
    assert link["url"] == outputs["VERDICT_REPORT_URL"] and "failed" in link["label"]
    assert 'name="test_bad"' in (folder / "junit.xml").read_text()


def test_jenkins_gets_a_junit_file_and_properties(cli):
    settings = {"JENKINS_URL": "https://jenkins.example", "BUILD_NUMBER": "7"}
    words = ["run", "--ci", "auto", "--ci-dir", "target/verdict", "--", "true"]
    cli(*words, **settings)
    outputs = variables(cli.folder / "target/verdict/verdict.properties")

    assert (outputs["VERDICT"], outputs["VERDICT_EXIT_CODE"]) == ("passed", "0")
    assert "<testsuite" in (cli.folder / "target/verdict/junit.xml").read_text()


def test_buildkite_gets_an_annotation_and_meta_data_by_its_agent(cli):
    """Its agent is no part of this machine: a program of its name keeps what it is told."""
    programs = cli.folder / "bin"
    programs.mkdir()
    agent = programs / "buildkite-agent"
    agent.write_text('#!/bin/sh\necho "$@" >"$0.$1.words"\ncat >"$0.$1.input"\n')
    agent.chmod(0o755)
    settings = {"BUILDKITE": "true", "PATH": f"{programs}:/usr/bin:/bin"}
    words = ["run", "--ci", "auto", "--", "pytest", "tests/test_till.py"]
    out, err = cli(*words, status=1, **settings)
    annotation = (programs / "buildkite-agent.annotate.input").read_text()

    assert (programs / "buildkite-agent.annotate.words").read_text().split() == [
        "annotate",
        "--style",
        "error",
        "--context",
        "verdict-till-shop-till-shop-pytest",
    ]
    assert "### Failures" in annotation and "test_bad" in annotation
    assert (programs / "buildkite-agent.meta-data.words").read_text() == "meta-data set verdict\n"
    assert variables(programs / "buildkite-agent.meta-data.input")["VERDICT_FAILED"] == "1"
    assert err.startswith("--- ") and "^^^ +++" in err and out == ""


def test_what_cannot_be_told_changes_no_verdict(cli):
    gone = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": "/nonexistent/output"}
    _, err = cli("run", "--ci", "auto", "--", "true", **gone)
    _, missing = cli("run", "--ci", "buildkite", "--", "true")
    cli.write("occupied", "")
    _, occupied = cli("run", "--ci", "gitlab", "--ci-dir", "occupied", "--", "true")

    assert "GITHUB_OUTPUT: No such file" in err and "GITHUB_STEP_SUMMARY: is not set" in err
    assert "buildkite-agent cannot be started" in missing
    assert "occupied" in occupied and "PASSED" in occupied


def test_no_server_is_told_where_there_is_none(cli):
    _, err = cli("run", "--ci", "auto", "--", "true")
    _, none = cli("run", "--ci", "none", "--", "true", **github(cli))
    _, wrong = cli("run", "--ci", "travis", "--", "true", status=2)

    assert "::" not in err + none
    assert not (cli.folder / "verdict-ci").exists()
    assert (cli.folder / "output").read_text() == ""
    assert "--ci travis: one of auto, github" in wrong


def test_outputs_of_a_run_that_goes_on_say_so(cli):
    run = cli.trigger("--ci", "github", "--", "sleep", "60", **github(cli))
    triggered = variables(cli.folder / "output")
    cli.wait_running(run)
    cli("wait", run, "--ci", "github", "--timeout", "4s", status=124, **github(cli))
    waited = variables(cli.folder / "output")
    cli("cancel", run)

    assert (triggered["run_id"], triggered["verdict"]) == (run, "queued")
    assert (waited["run_id"], waited["verdict"], waited["exit_code"]) == (run, "running", "")
    assert requests.get(waited["report_url"], timeout=30).status_code == 200
    assert (cli.folder / "summary.md").read_text() == ""


class Speaker:
    """Commands with --json, each held against its schema."""

    def __init__(self, cli):
        self.cli = cli
        self.said = set()

    def __call__(self, name, *words, status=0):
        out, _ = self.cli(*name.split(), "--json", *words, status=status)
        self.said.add(name)
        return conforms(name, out)


def enrolled(cli):
    """The id of a worker that nobody runs."""
    head = {"Authorization": f"Bearer {cli.verdict.join_token.read_text().strip()}"}
    url = f"{cli.verdict.api_url}/v1/workers/enrol"
    body = {"name": cli.project, "slots": 1}
    return requests.post(url, json=body, headers=head, timeout=20).json()["worker_id"]


def test_what_every_command_says_as_json_is_as_its_schema_tells(cli):
    say = Speaker(cli)
    names = re.findall(r"^  (\w+(?: \w+)?)  ", cli("--help")[0], re.MULTILINE)
    cli.write("verdict.yaml", MANIFEST)
    project = ("--project", cli.project)
    assert {entry["kind"] for entry in say("apply")} > {"project", "suite", "webhook"}
    cli.write("tests/test_file.py", "def test_file():\n    open('kept.txt', 'w').write('kept')\n")
    run = say("run", "--artifact", "kept.txt", "--", "pytest", "tests", status=1)
    number = str(run["number"])

    assert say("show", number)["id"] == say("wait", number, status=1)["id"] == run["id"]
    assert say("why", number)["state"] == "failed"
    results = say("results", number, "--status", "failed")
    say("report", number)
    written = say("report", number, "--format", "junit", "--output", "r.xml")
    assert written == [{"format": "junit", "output": "r.xml"}]
    assert requests.get(say("report", number, "--share", "1h")["url"], timeout=20).ok
    uploaded = say("upload", "--suite", "elsewhere", "r.xml", status=1)
    assert uploaded["totals"]["failed"] == 1
    chunks = say("logs", number)
    assert "1 failed" in "".join(chunk["text"] for chunk in chunks)
    followed, _ = cli("logs", "-f", "--json", number)
    assert [conforms("logs", line)["seq"] for line in followed.splitlines()] == [
        chunk["seq"] for chunk in chunks
    ]
    kept = say("artifacts", number, "--output", "kept")
    assert (cli.folder / kept[0]["saved_as"]).read_text() == "kept"
    assert len(say("artifacts", number)) == len(kept)
    again = say("rerun", "--no-wait", number)
    triggered = say("trigger", "--require", "gpu=cuda", "--", "true")
    assert say("cancel", triggered["id"])["id"] == triggered["id"]
    assert {again["id"], run["id"]} <= {entry["id"] for entry in say("runs", *project)}
    page = requests.get(say("runs", *project, "--share", "1h")["url"], timeout=20)
    assert page.ok and number in page.text
    say("badge", *project, run["suite"]["slug"])
    history = (*project, results[0]["case_key"])
    wait_until(lambda: cli.start("history", *history).wait(60) == 0, 60, "the case to be known")
    say("history", *history)

    worker = enrolled(cli)
    assert worker in {entry["id"] for entry in say("worker list")}
    assert say("worker revoke", worker)["state"] == "revoked"
    say("worker restore", worker)
    token = say("token create", "--name", cli.project)
    assert token["id"] in {entry["id"] for entry in say("token list")}
    assert say("token revoke", token["id"])["state"] == "revoked"
    say("doctor")
    assert "complete -F" in say("completion", "bash")["text"]
    assert say("manual")["text"].startswith(".TH")

    described = json.loads((TOP / "docs" / "schemas" / "cli.schema.json").read_text())["$defs"]
    assert say.said == set(names) == set(described)


def test_a_schema_refuses_what_no_command_says():
    good = '{"id": "x", "state": "revoked"}'
    assert conforms("token revoke", good)["id"] == "x"
    with pytest.raises(jsonschema.ValidationError):
        conforms("token revoke", good.replace("revoked", "gone"))
    with pytest.raises(jsonschema.ValidationError):
        conforms("show", '{"id": 1}')


def test_a_line_of_progress_fits_a_terminal_of_forty_columns(cli):
    words = ["run", "--require", "gpu=cuda-of-a-kind-that-nobody-has-anywhere", "--timeout", "5s"]
    seen, status = cli.in_terminal(*words, "--", "true", columns=40)
    cli("cancel", re.search(r"run (\d+) ", seen)[1])
    drawn = re.findall(r"\r\x1b\[K(?:\x1b\[\d*m)*(queued[^\r\n\x1b]*)", seen)

    assert status == 124
    assert any("…" in line for line in drawn)
    assert max(map(len, drawn)) < 40
    assert all(re.search(r"  \d+\.\d s$", line) for line in drawn)


def test_colours_are_for_terminals_that_want_them(cli):
    coloured, _ = cli.in_terminal("run", "--", "true")
    plain, _ = cli.in_terminal("run", "--", "true", NO_COLOR="1")
    out, err = cli("run", "--", "true", TERM="xterm")
    results, _ = cli("results", re.search(r"run (\d+) ", err)[1], TERM="xterm")

    assert "\x1b[32mPASSED" in coloured
    assert "PASSED" in plain and not re.search(r"\x1b\[\d*m", plain)
    assert "\x1b" not in out + err + results


@pytest.mark.skipif(shutil.which("prove") is None, reason="Perl's prove is not here")
def test_the_example_of_prove_has_its_cases_and_its_verdict(installation, tmp_path):
    folder = tmp_path / "prove"
    shutil.copytree(TOP / "examples/prove", folder)
    check_example(installation, EXAMPLES["prove"], folder)
