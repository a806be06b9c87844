# SPDX-License-Identifier: Apache-2.0
"""What tests are given and held to: environment, secrets, limits, output, processes."""

import json
import pathlib
import re

import pytest
from support.project import pid_is_gone


def test_the_environment_is_clean_and_says_what_is_run(project):
    run = project.run(
        "command",
        "env",
        report={"format": "none"},
        environment={"COLOUR": "blue"},
        run={"build_version": "1.2.3", "branch": "main", "parameters": {"browser": "firefox"}},
    )

    said = dict(line.split("=", 1) for line in project.log(run).splitlines())
    assert said["VERDICT_RUN_ID"] == run["id"]
    assert (said["COLOUR"], said["VERDICT_BUILD"], said["VERDICT_BRANCH"]) == (
        *("blue", "1.2.3", "main"),
    )
    assert said["VERDICT_PARAM_BROWSER"] == "firefox"
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", said["TRACEPARENT"])  # begun here
    assert (said["SHARD_INDEX"], said["SHARD_TOTAL"]) == ("0", "1")
    assert not {name for name in said if "TOKEN" in name or name == "VERDICT_KAFKA_BROKERS"}


def test_secrets_are_given_and_never_shown(project):
    secrets = project.verdict.folder / "executor" / "secrets"
    (secrets / "API_PASSWORD").write_text("correct horse battery\n")
    script = (
        'test "$API_PASSWORD" = "correct horse battery" || exit 9; printf "it is correct h";'
        'sleep 0.4; echo "orse battery"; echo "$API_PASSWORD" >&2'
    )

    run = project.run(
        "command", "sh", "-c", script, report={"format": "none"}, secrets=["API_PASSWORD"]
    )

    assert run["state"] == "passed"
    assert project.log(run, "stdout") == "it is ***\n"
    assert project.log(run, "stderr") == "***\n"


def test_secrets_are_hidden_in_names_and_where_a_text_was_cut(project):
    secrets = project.verdict.folder / "executor" / "secrets"
    (secrets / "API_TOKEN").write_text("correct-horse-battery\n")
    project.write(
        "test_secret.py",
        """
        import os, pytest
        SECRET = os.environ["API_TOKEN"]

        @pytest.mark.parametrize("token", [SECRET])
        def test_named(token):
            pass

        def test_cut():
            pytest.fail("x" * (4000 - 15) + SECRET, pytrace=False)
        """,
    )

    run = project.run("pytest", secrets=["API_TOKEN"])
    results = project.results(run)

    assert ("test_named", "***") in results
    assert results["test_cut", ""]["message"].endswith("x***\n[cut]")
    assert "correct" not in json.dumps(list(results.values()))


def test_processor_time_is_that_of_all_processes(project):
    burn = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"

    run = project.run(
        "command",
        "sh",
        "-c",
        f"while :; do sh -c '{burn}'; done",
        report={"format": "none"},
        limits={"cpu_seconds": 1},
    )

    assert (run["state"], run["reason"]) == ("errored", "limit_exceeded")
    assert "cpu" in run["reason_detail"]


def test_a_program_that_is_cut_short_is_no_lack_of_the_worker_s(project):
    program = project.folder / "cut"
    program.write_bytes(pathlib.Path("/bin/true").read_bytes()[:800])  # execve says EIO
    program.chmod(0o755)

    run = project.run("command", "./cut")

    assert (run["state"], run["reason"]) == ("errored", "exec_failed")
    assert "./cut: Input/output error" in run["reason_detail"]


def test_a_secret_that_is_too_long_is_named_with_its_bound(project):
    secrets = project.verdict.folder / "executor" / "secrets"
    (secrets / "LONG").write_text("x" * 65536)
    (secrets / "TOO_LONG").write_text("x" * 65537)
    suite = {"report": {"format": "none"}}

    long = project.run("command", "sh", "-c", "test ${#LONG} = 65536", secrets=["LONG"], **suite)
    too_long = project.run("command", "true", secrets=["TOO_LONG"], **suite)

    assert long["state"] == "passed"
    assert (too_long["state"], too_long["reason"]) == ("errored", "exec_failed")
    assert "secret TOO_LONG is longer than 65536 bytes" in too_long["reason_detail"]


def test_a_secret_that_the_worker_lacks_is_named(project):
    run = project.run("command", "true", report={"format": "none"}, secrets=["NO_SUCH_SECRET"])

    assert (run["state"], run["reason"]) == ("errored", "exec_failed")
    assert "NO_SUCH_SECRET" in run["reason_detail"]


def test_output_without_end_is_cut_with_a_mark(project):
    run = project.run(
        "command",
        *("sh", "-c", "yes | head -c 3000000; echo the end >&2"),
        report={"format": "none"},
        limits={"output_bytes": 100000},
    )

    assert run["state"] == "passed"
    assert len(project.log(run, "stdout")) == 100000
    assert "cut here" in project.log(run, "verdict")


@pytest.mark.parametrize(
    ("limits", "script", "named"),
    [
        ({"cpu_seconds": 1}, "while :; do :; done", "cpu_seconds"),
        ({"memory_mb": 50}, "x=$(head -c 200000000 /dev/zero | tr '\\0' x); sleep 5", "memory_mb"),
        ({"processes": 5}, "for i in 1 2 3 4 5 6 7 8; do sleep 20 & done; wait", "processes"),
        ({"file_mb": 1}, "exec head -c 3000000 /dev/zero >big; sleep 1", "file_mb"),
    ],
)
def test_a_limit_ends_the_tests_and_is_named(project, limits, script, named):
    run = project.run("command", "sh", "-c", script, report={"format": "none"}, limits=limits)

    assert (run["state"], run["reason"]) == ("errored", "limit_exceeded")
    assert named in run["reason_detail"]


def test_memory_that_processes_share_is_counted_once(project):
    """Five of 60 MB each are far over the limit only when each is counted by itself."""
    project.write(
        "share.py",
        """
        import os, time

        memory = bytearray(os.urandom(1 << 20) * 60)
        for _ in range(4):
            if os.fork() == 0:
                time.sleep(1.2)
                os._exit(0)
        for _ in range(4):
            os.wait()
        """,
    )
    run = project.run(
        "command", "python3", "share.py", report={"format": "none"}, limits={"memory_mb": 150}
    )

    assert (run["state"], run["reason"]) == ("passed", None)


def test_a_daemon_that_stays_behind_is_ended(project):
    script = "setsid sh -c 'trap \"\" TERM; echo $$ >pid; while :; do sleep 1; done' & sleep 0.3"

    run = project.run("command", "sh", "-c", script, report={"format": "none"})

    assert run["state"] == "passed"
    assert pid_is_gone(project.folder / "pid")


@pytest.mark.parametrize("padding", [0, 70], ids=["whole", "cut"])
def test_secrets_are_hidden_where_a_report_says_why_it_ends(project, padding):
    secrets = project.verdict.folder / "executor" / "secrets"
    (secrets / "API_PASSWORD").write_text("zebrafish horse battery\n")
    script = f'echo "1..2"; echo "ok 1 - a"; echo "Bail out! {"x" * padding} $API_PASSWORD"'

    run = project.run(
        *("command", "sh", "-c", script), report={"format": "tap"}, secrets=["API_PASSWORD"]
    )

    records = project.verdict.db.query(
        "SELECT * FROM results.task_record WHERE run_id = %s", run["id"]
    )
    assert (run["state"], run["reason"]) == ("errored", "report_truncated")
    assert "Bail out!" in run["reason_detail"] + str(records)
    log = project.verdict.services["executor"].log_path.read_text()
    for text in (project.log(run), str(records), json.dumps(run), log):
        assert "zebrafish" not in text
