# SPDX-License-Identifier: Apache-2.0
"""The users' command against a whole installation: what it prints where, and its exit statuses."""

import json
import os
import pathlib
import pty
import re
import signal
import socket
import subprocess
import time
import uuid

import pytest
import requests
from parts.process import wait_until
from support.cli import MANIFEST, Cli


@pytest.fixture(scope="module")
def installation(shared_verdict, tmp_path_factory):
    shared_verdict.source_roots.append(tmp_path_factory.getbasetemp())
    shared_verdict.start_all()
    return shared_verdict


@pytest.fixture
def cli(installation, tmp_path):
    return Cli(installation, tmp_path / "Till Shop")


def test_a_command_needs_no_file_at_all(cli):
    out, err = cli("run", "--", "pytest", "tests", status=1)
    first = err.splitlines()[0]
    run = cli.verdict.api.get(f"/v1/runs/{first.split()[1]}")

    assert out == ""
    assert re.fullmatch(r"run \d+  http://\S+", first)
    assert "test_till::test_bad" in err
    assert "assert 41 == 42" in err
    assert "till-shop/till-shop-pytest: 2 passed, 1 failed, 1 skipped" in err
    assert (run["project"]["slug"], run["totals"]["planned"]) == ("till-shop", 4)


def test_the_first_line_is_a_page_that_opens_in_any_browser(cli):
    _, err = cli("run", "--", "true")
    page = requests.get(err.split()[2], timeout=20)
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert "till-shop" in page.text


def test_stdout_is_data_and_nothing_else(cli):
    run, _ = cli.run("--", "true")
    assert (run["state"], run["exit_code"]) == ("passed", 0)
    triggered = cli.trigger("--", "true")
    out, _ = cli("wait", "--json", triggered)
    assert json.loads(out)["id"] == triggered


def test_an_exit_status_is_a_case_where_there_is_no_report(cli):
    cli.run("--", "sh", "-c", "exit 3", status=1)
    cli.run("--report", "none*.xml", "--", "true", status=3)


def test_a_file_is_applied_once_and_then_nothing_is_new(cli):
    cli.write("verdict.yaml", MANIFEST)
    out, first = cli("apply")
    _, again = cli("apply", "-f", "verdict.yaml")
    assert first.count("(new)") == 5
    assert "(new)" not in again
    assert "secret of https://hooks.example/till: whsec_" in out

    run, err = cli.run("--template", "nightly", "--build", "1.4.2", status=1)
    assert "2 passed, 1 failed" in err
    assert (run["build_version"], run["environment"]) == ("1.4.2", "staging")
    assert run["policy"]["task_timeout_ms"] == 60000


def test_the_only_suite_of_the_file_here_is_what_runs(cli):
    cli.write("verdict.yaml", MANIFEST)
    _, err = cli("run", status=1)
    assert f"{cli.project}/unit: 2 passed, 1 failed" in err


def test_a_misspelt_member_is_named(cli):
    cli.write("verdict.yaml", MANIFEST.replace("framework:", "framwork:"))
    _, err = cli("apply", status=2)
    assert "suites.unit.framwork" in err


def test_questions_about_a_run(cli):
    run = str(cli.run("--", "pytest", "tests", status=1)[0]["number"])

    assert "cases failed" in cli("show", run)[0]
    results, _ = cli("results", run, "--status", "failed")
    assert len(results.splitlines()) == 1
    assert "test_till::test_bad" in results
    assert len(json.loads(cli("results", run, "--json")[0])) == 4
    assert "1 failed" in cli("logs", run)[0]
    assert cli("why", run)[0]
    assert cli("report", run, "--format", "junit")[0].startswith("<?xml")
    assert json.loads(cli("report", run, "--format", "json")[0])
    cli("report", run, "--output", "report.html")
    assert "test_bad" in (cli.folder / "report.html").read_text()
    link = cli("report", run, "--share", "1h")[0].strip()
    assert requests.get(link, timeout=20).status_code == 200
    _, err = cli("show", "999999", status=2)
    assert "999999" in err


def test_several_reports_are_written_at_once(cli):
    run = cli.trigger("--", "true")
    cli("wait", run)
    formats = {"html": "r.html", "junit": "r.xml", "json": "r.json", "markdown": "r.md"}
    words = [w for f, name in formats.items() for w in ("--format", f, "--output", name)]

    cli("report", run, *words)
    _, err = cli("report", run, "--format", "html", "--format", "ctrf", status=2)

    assert all((cli.folder / name).stat().st_size > 100 for name in formats.values())
    assert "each format needs its file" in err


def test_a_case_and_a_suite_are_looked_at_over_their_runs(cli):
    run, _ = cli.run("--", "pytest", "tests", status=1)
    bad = json.loads(cli("results", "--json", "--status", "failed", run["id"])[0])[0]
    project = ("--project", run["project"]["slug"])

    def history_of_run():
        process = cli.start("history", *project, bad["case_key"])
        text = process.communicate(timeout=30)[0]
        return text if f"\n{run['number']} " in text else None

    history = wait_until(history_of_run, 20, "the run to be in the case's history")
    url, markdown = cli("badge", *project, run["suite"]["slug"])[0].splitlines()

    assert "test_bad" in history and "runs, 0 changes" in history
    assert "1 of 4 failed" in requests.get(url, timeout=10).text
    assert markdown == f"![{run['suite']['slug']}]({url})"


def test_what_did_not_pass_is_run_again(cli):
    run, _ = cli.run("--", "pytest", "tests", status=1)

    out, err = cli("rerun", "--json", str(run["number"]), status=1)
    again = json.loads(out)
    ended = cli("rerun", "--cases", "failed", "--no-wait", again["id"])[0].strip()
    shown = cli("show", ended)[0]

    assert "1 case again" in err
    assert (again["totals"]["planned"], again["totals"]["failed"]) == (1, 1)
    assert again["rerun"]["of"] == run["id"]
    assert again["id"] in shown
    assert "one of not_passed, failed, all" in cli("rerun", "--cases", "x", ended, status=2)[1]


def test_why_names_what_no_worker_has(cli):
    run = cli.trigger("--require", "gpu=cuda", "--", "true")
    wait_until(lambda: "gpu=cuda" in cli("why", run)[0], 20, "why to say it")
    _, err = cli("wait", run, "--timeout", "4s", status=124)
    assert "gpu=cuda" in err
    cli("cancel", run)
    cli("wait", run, status=4)


def test_a_folder_that_no_worker_sees_is_said_so(cli):
    _, err = cli("run", "--path", "/usr", "--", "true", status=3)
    assert "/usr" in err
    assert "VERDICT_SOURCE_ROOTS" in err


def test_wrong_input_is_wrong_usage_in_the_servers_words(cli):
    _, err = cli("run", "--require", "gpu=", "--", "true", status=2)
    assert "requirements[0]" in err


def test_what_ci_knows_goes_along(cli):
    ci = {
        "GITLAB_CI": "true",
        "CI_PIPELINE_IID": "77",
        "CI_COMMIT_REF_NAME": "main",
        "CI_COMMIT_SHA": "abc123",
        "CI_MERGE_REQUEST_IID": "5",
    }
    first, _ = cli.run("--", "true", **ci)
    second, _ = cli.run("--branch", "other", "--", "true", **ci)
    assert (first["build_version"], first["branch"], first["commit"]) == ("77", "main", "abc123")
    assert first["trigger"] == {"provider": "gitlab", "pull_request": "5"}
    assert second["branch"] == "other"


def test_the_same_key_makes_one_run(cli):
    words = ["--idempotency-key", cli.project, "--", "true"]
    assert cli.trigger(*words) == cli.trigger(*words)


def test_tokens_are_shown_once_and_end(cli):
    token, err = cli("token", "create", "--name", "ci", "--scopes", "runs:read,workers:read")
    assert "executor-1" in cli("worker", "list", VERDICT_TOKEN=token.strip())[0]
    _, refused = cli("token", "list", status=2, VERDICT_TOKEN=token.strip())
    assert "admin" in refused
    listed = json.loads(cli("token", "list", "--json")[0])
    mine = [entry["id"] for entry in listed if entry["name"] == "ci"]
    assert mine[0] in err
    revoked = cli("token", "revoke", "--json", mine[0])[0]
    assert json.loads(revoked) == {"id": mine[0], "state": "revoked"}
    wait_until(
        lambda: cli.start("worker", "list", VERDICT_TOKEN=token.strip()).wait() == 2,
        20,
        "the token to be refused",
    )


def test_a_worker_is_revoked_and_restored(cli):
    join_token = cli.verdict.join_token.read_text().strip()
    body = {"name": cli.project, "slots": 1}
    enrol = requests.Session()
    enrol.headers["Authorization"] = f"Bearer {join_token}"
    url = f"{cli.verdict.api_url}/v1/workers/enrol"
    worker = enrol.post(url, json=body, timeout=20).json()["worker_id"]

    revoked = json.loads(cli("worker", "revoke", "--json", worker)[0])
    refused = enrol.post(url, json=body, timeout=20).status_code
    line = next(row for row in cli("worker", "list")[0].splitlines() if row.startswith(worker))
    _, err = cli("worker", "restore", worker)
    again = enrol.post(url, json=body, timeout=20)
    _, missing = cli("worker", "restore", str(uuid.uuid4()), status=2)

    assert (revoked["id"], revoked["state"], refused) == (worker, "revoked", 403)
    assert "revoked" in line
    assert f"The worker {cli.project} of the pool default may enrol again" in err
    assert again.json()["worker_id"] == worker
    assert "no worker" in missing


def default_token(cli, *words):
    """A token as `verdict token create` makes it when no scopes are named."""
    return cli("token", "create", "--name", cli.project, *words)[0].strip()


def test_a_token_that_may_only_run_runs_what_is_there(cli):
    cli.write("verdict.yaml", MANIFEST)
    cli("apply")
    token = default_token(cli)
    run, _ = cli.run("-f", "verdict.yaml", status=1, VERDICT_TOKEN=token)
    assert run["project"]["slug"] == cli.project
    cli("run", "--", "true", VERDICT_TOKEN=token)
    (cli.folder / "verdict.yaml").unlink()
    folder = cli.folder / "Nobody's Project"
    folder.mkdir()
    _, err = cli("run", "--path", str(folder), "--", "true", status=2, VERDICT_TOKEN=token)
    assert "no project nobody-s-project" in err


def test_the_project_of_a_token_goes_before_a_folders_name(cli):
    cli.write("verdict.yaml", MANIFEST)
    cli("apply")
    (cli.folder / "elsewhere").mkdir()
    words = ["--path", str(cli.folder / "elsewhere"), "--", "true"]
    for scopes in ([], ["--scopes", "runs:write,runs:read,config:read"]):
        token = default_token(cli, "--project", cli.project, *scopes)
        run, _ = cli.run(*words, VERDICT_TOKEN=token)
        assert run["project"]["slug"] == cli.project


def test_the_file_here_counts_whoever_names_the_project(cli):
    cli.write("verdict.yaml", MANIFEST)
    cli("apply")
    other = f"other-{cli.project}"[:63].rstrip("-")
    cli.verdict.api.put(f"/v1/projects/{other}", {"title": "Other"}, expect=201)
    cli.write("config.yaml", f"project: {other}\n")

    same, _ = cli.run(status=1, VERDICT_PROJECT=cli.project)
    moved, _ = cli.run(status=1, VERDICT_PROJECT=other)
    configured, _ = cli.run(status=1, VERDICT_CONFIG="config.yaml")
    typed, _ = cli.run("--project", cli.project, status=1, VERDICT_PROJECT=other)
    _, err = cli("run", "--project", other, status=2)

    slugs = [run["project"]["slug"] for run in (same, moved, configured, typed)]
    assert slugs == [cli.project, other, cli.project, cli.project]
    assert {run["suite"]["slug"] for run in (same, moved, configured, typed)} == {"unit"}
    assert "what is to run?" in err


def test_a_command_runs_for_the_project_of_the_file_here(cli):
    """And not for one that has the name of a folder, which a clone has by chance."""
    cli.write("verdict.yaml", MANIFEST)
    other = f"other-{cli.project}"[:63].rstrip("-")
    cli.verdict.api.put(f"/v1/projects/{other}", {"title": "Other"}, expect=201)

    here, _ = cli.run("--", "true")
    below, _ = cli.run("--path", "tests", "--", "true")
    typed, _ = cli.run("--project", other, "--", "true")
    cli.write("verdict.yaml", "project: [")
    told, _ = cli.run("--", "true", VERDICT_PROJECT=other)
    _, err = cli("run", "--", "true", status=2)

    slugs = [run["project"]["slug"] for run in (here, below, typed, told)]
    assert slugs == [cli.project, cli.project, other, other]
    assert cli.verdict.api.get(f"/v1/projects/{cli.project}")["title"] == "Till"
    assert "verdict.yaml" in err


@pytest.mark.parametrize("words", [("worker", "list"), ("token", "create", "--name", "lost")])
def test_output_that_is_lost_is_no_success(cli, words):
    command = cli.verdict.cli(*words, "--json")
    with pathlib.Path("/dev/full").open("w") as full:
        done = subprocess.run(**command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, b"stdout" in done.stderr) == (2, True)

    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(**command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert done.returncode == 0


def test_only_what_may_be_tried_again_is_exit_status_six(cli):
    _, err = cli("worker", "list", status=2, VERDICT_TOKEN="vdt_nobody")
    assert "401" in err
    _, err = cli("worker", "list", status=6, VERDICT_URL="http://127.0.0.1:1")
    assert "127.0.0.1" in err


def test_what_cannot_be_reported_leaves_the_file_as_it_was(cli):
    run = str(cli.run("--", "true")[0]["number"])
    cli.write("report.html", "mine")
    (cli.folder / "report.html").chmod(0o640)
    (cli.folder / "link").symlink_to("report.html")

    cli("report", "999999", "--output", "link", status=2)
    kept = (cli.folder / "report.html").read_text()
    cli("report", run, "--output", "link", "--format", "junit")
    straight, _ = cli("report", run, "--output", "/dev/stdout", "--format", "junit")
    _, err = cli("report", run, "--output", "nowhere/report.html", status=2)

    assert kept == "mine"
    assert (cli.folder / "report.html").read_text() == straight
    assert (cli.folder / "report.html").stat().st_mode & 0o777 == 0o640
    assert (cli.folder / "link").is_symlink()
    assert "--output nowhere/report.html" in err
    assert sorted(path.name for path in cli.folder.iterdir()) == ["link", "report.html", "tests"]


@pytest.fixture
def hanging(cli):
    """Stops the server in its tracks on demand."""
    yield lambda: cli.verdict.pause("api-ingest")
    cli.verdict.resume("api-ingest")


@pytest.mark.parametrize("seen", [True, False])
def test_a_wait_is_over_in_time_though_the_server_hangs(cli, hanging, seen):
    run = cli.trigger("--", "sleep", "60")
    cli.wait_running(run)
    number = str(cli.verdict.api.get(f"/v1/runs/{run}")["number"])
    began = time.monotonic()
    if not seen:
        hanging()
    waiting = cli.start("wait", number, "--timeout", "4s", "--json")
    if seen:
        assert "running" in waiting.stderr.readline()
        hanging()
    out, err = waiting.communicate(timeout=60)
    took_s = time.monotonic() - began
    cli.verdict.resume("api-ingest")
    cli("cancel", run)

    assert waiting.returncode == 124, err
    assert 4 <= took_s < 8
    assert "the wait is over" in err
    assert (json.loads(out)["id"] == run) if seen else (out == "")


def test_a_run_that_goes_on_is_told_as_last_seen(cli):
    run, err = cli.run("--timeout", "1s", "--", "sleep", "60", status=124)
    cli("cancel", run["id"])
    assert run["state"] in ("queued", "running")
    assert f"verdict wait {run['number']}" in err


@pytest.mark.parametrize("words", [["cancel"], ["report", "--share", "1h"]])
def test_what_may_be_asked_twice_outlives_a_restart_of_the_server(cli, words):
    run = cli.trigger("--", "sleep", "60")
    cli.verdict.kill("api-ingest")
    with socket.create_server(("127.0.0.1", cli.verdict.api_port)) as dying:
        asking = cli.start(*words, run)
        dying.settimeout(20)
        dying.accept()[0].close()
    cli.verdict.start("api-ingest")
    _, err = asking.communicate(timeout=60)
    cli("cancel", run)
    assert asking.returncode == 0, err


def test_every_command_tells_its_options_and_exit_statuses(cli):
    commands = re.findall(r"^  (\w+(?: \w+)?)  ", cli("--help")[0], re.MULTILINE)
    assert len(commands) >= 17
    for command in commands:
        text, _ = cli(*command.split(), "--help")
        assert "--json" in text
        assert "124 the wait is over" in text and "130 interrupted" in text


def test_a_token_may_lie_in_a_file(cli):
    cli.write("token", cli.verdict.admin_token.read_text())
    cli("worker", "list", VERDICT_TOKEN="", VERDICT_TOKEN_FILE=str(cli.folder / "token"))
    _, err = cli("worker", "list", VERDICT_TOKEN="", status=2)
    assert "VERDICT_TOKEN" in err


def test_who_waits_outlives_a_restart_of_the_server(cli):
    run = cli.trigger("--", "sh", "-c", "while [ ! -e release ]; do sleep 0.05; done")
    waiting = cli.start("wait", run)
    cli.wait_running(run)
    cli.verdict.kill("api-ingest")
    (cli.folder / "release").write_text("")
    cli.verdict.start("api-ingest")
    _, err = waiting.communicate(timeout=90)
    assert waiting.returncode == 0, err


@pytest.mark.parametrize("cancels", [True, False])
def test_an_interrupt_ends_the_wait_and_the_run_only_when_told_so(cli, cancels):
    run = cli.trigger("--", "sleep", "60")
    cli.wait_running(run)
    process = cli.start("wait", run, *(["--cancel-on-interrupt"] if cancels else []))
    assert "running" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    if cancels:
        assert process.returncode == 4, err
        assert cli.verdict.wait_final(run)["state"] == "cancelled"
    else:
        assert process.returncode == 130, err
        assert "goes on" in err
        assert cli.verdict.api.get(f"/v1/runs/{run}")["state"] == "running"
        cli("cancel", run)


def test_a_terminal_shows_one_line_that_is_drawn_again(cli):
    ours, theirs = pty.openpty()
    command = cli.verdict.cli("run", "--", "sh", "-c", "sleep 2.5", TERM="xterm")
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    process = subprocess.Popen(**command, **streams, cwd=cli.folder)
    os.close(theirs)
    seen = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:
            break
        if not part:
            break
        seen += part
    os.close(ours)
    assert process.wait(timeout=60) == 0
    assert seen.count(b"\r\x1b[K") >= 3
    assert b"\x1b[32mPASSED  run " in seen
