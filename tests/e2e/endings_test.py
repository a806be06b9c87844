# SPDX-License-Identifier: Apache-2.0
"""Every row of the table of endings: what happens, the run's state and reason, the exit code of
`verdict wait`, what the run said of itself meanwhile, and that nothing of the tests is left."""

import pathlib
import subprocess
import textwrap

import pytest
from parts.process import wait_until

FAST = {
    "queue_timeout_ms": 60000,
    "task_timeout_ms": 30000,
    "run_timeout_ms": 60000,
    "grace_ms": 500,
}

PASSED = '<testcase classname="a" name="one"/>'
FAILED = '<testcase classname="a" name="two"><failure message="no">trace</failure></testcase>'
ERRORED = '<testcase classname="a" name="three"><error message="set-up">trace</error></testcase>'
SKIPPED = '<testcase classname="a" name="four"><skipped message="later"/></testcase>'


def junit(*cases):
    return f'<?xml version="1.0"?><testsuite name="s">{"".join(cases)}</testsuite>'


class Suite:
    """A folder that a worker can see, with files in it, and the suite that runs there."""

    def __init__(self, verdict, folder):
        self.verdict = verdict
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        verdict.source_roots.append(self.folder)
        verdict.start_all()
        verdict.api.put("/v1/projects/shop", {"title": "Shop"})

    def write(self, name, text):
        path = self.folder / name
        path.write_text(textwrap.dedent(text))
        return path

    def trigger(self, suite, policy=None, **body):
        base = {
            "slug": "suite",
            "framework": "command",
            "source": {"kind": "path", "path": str(self.folder)},
            "report": {"format": "junit", "path": "report.xml"},
        }
        request = {
            "project": "shop",
            "suite": {**base, **suite},
            "policy": {**FAST, **(policy or {})},
            **body,
        }
        return self.verdict.api.post("/v1/runs", request, expect=201)["id"]

    def shell(self, script, report=None, policy=None, **suite):
        """Runs a shell script; `report` is what it leaves as report.xml first."""
        lines = ["rm -f report.xml"]
        if report is not None:
            self.write("made.xml", report)
            lines.append("cp made.xml report.xml")
        lines.append(script)
        return self.trigger({"command": ["sh", "-c", "\n".join(lines)], **suite}, policy)


@pytest.fixture
def suite(verdict, tmp_path):
    return Suite(verdict, tmp_path / "source")


def ends(suite, run, state, reason, code, timeout_s=60):
    """Waits for the end of the run, and holds it against its row of the table. Until then, and of
    the end itself, `why` has an answer."""
    said = []

    def is_over():
        answer = why(suite, run)
        said.append(answer["reasons"])
        return answer["state"] not in ("queued", "running")

    wait_until(is_over, timeout_s, f"the end of run {run}")
    assert all(reasons and all(r["class"] and r["text"] for r in reasons) for reasons in said)
    assert said[-1][0]["class"] == (reason or "passed") and "over" in said[-1][0]["text"]
    final = suite.verdict.wait_final(run, timeout_s)
    assert (final["state"], final["reason"]) == (state, reason), final
    totals = final["totals"]
    parts = ("passed", "failed", "errored", "skipped", "blocked", "not_run")
    assert totals["planned"] == sum(totals[part] for part in parts), totals
    done = subprocess.run(
        **suite.verdict.cli("wait", run), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code, done.stderr
    assert final["exit_code"] == code
    return final


def why(suite, run):
    return suite.verdict.api.get(f"/v1/runs/{run}/why")


def waits_as(suite, run, wait_class, timeout_s=20):
    """Waits until the run says that it waits for this reason, in words for people."""

    def says():
        wait = suite.verdict.api.get(f"/v1/runs/{run}")["wait"]
        return wait if wait and wait["class"] == wait_class else None

    wait = wait_until(says, timeout_s, f"run {run} to wait as {wait_class}")
    assert wait["text"] and wait["since"]
    return wait


def alive(pid_file):
    """Whether the process that wrote its number there still runs."""
    pid = int(pid_file.read_text())
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def test_all_passed_or_skipped_with_one_passed_is_passed(suite):
    run = suite.shell("exit 0", junit(PASSED, SKIPPED))
    final = ends(suite, run, "passed", None, 0)
    assert (final["totals"]["passed"], final["totals"]["skipped"]) == (1, 1)


def test_a_failed_case_with_agreeing_exit_status_is_failed(suite):
    run = suite.shell("exit 1", junit(PASSED, FAILED))
    ends(suite, run, "failed", "cases_failed", 1)


def test_a_failure_inside_fails_whatever_the_exit_status(suite):
    run = suite.shell("exit 0", junit(PASSED, FAILED))
    ends(suite, run, "failed", "cases_failed", 1)


def test_an_errored_case_outweighs_a_failed_one(suite):
    run = suite.shell("exit 1", junit(PASSED, FAILED, ERRORED))
    final = ends(suite, run, "errored", "cases_errored", 3)
    assert (final["totals"]["failed"], final["totals"]["errored"]) == (1, 1)


def test_planned_cases_that_did_not_run_are_an_error(suite):
    suite.write("test_two.py", "def test_a(): pass\ndef test_b(): pass\n")
    suite.write(
        "conftest.py",
        """
        def pytest_collection_modifyitems(items):
            del items[1:]
        """,
    )
    cases = ["test_two.py::test_a", "test_two.py::test_b"]
    run = suite.trigger(
        {"framework": "pytest", "report": {}, "cases": cases, "max_tasks": 1}, {"attempts": 1}
    )
    final = ends(suite, run, "errored", "cases_not_run", 3)
    assert (final["totals"]["planned"], final["totals"]["not_run"]) == (2, 1)


def test_an_exit_status_that_contradicts_the_report_is_an_error(suite):
    run = suite.shell("exit 7", junit(PASSED))
    final = ends(suite, run, "errored", "exit_contradicts_report", 3)
    assert "7" in final["reason_detail"]


def test_no_report_is_an_error(suite):
    run = suite.shell("exit 0")
    ends(suite, run, "errored", "no_report", 3)


def test_half_a_report_is_an_error_and_its_whole_cases_are_kept(suite):
    whole = junit(PASSED, SKIPPED, FAILED)
    run = suite.shell("exit 0", whole[: whole.index('<testcase classname="a" name="two"') + 20])
    final = ends(suite, run, "errored", "report_truncated", 3)
    assert final["totals"]["passed"] == 1


@pytest.mark.parametrize("cases", [(), (SKIPPED,)], ids=["none", "all skipped"])
def test_no_test_is_never_green(suite, cases):
    run = suite.shell("exit 0", junit(*cases))
    ends(suite, run, "errored", "no_tests", 5)


def test_no_test_is_fine_where_the_policy_says_so(suite):
    run = suite.shell("exit 0", junit(), policy={"allow_empty": True})
    ends(suite, run, "passed", None, 0)


def test_a_daemon_that_stays_behind_is_ended(suite):
    pid_file = suite.folder / "daemon.pid"
    run = suite.shell(
        "setsid sh -c 'trap \"\" TERM; echo $$ > daemon.pid; while :; do sleep 1; done' &\n"
        "while [ ! -s daemon.pid ]; do sleep 0.05; done",
        junit(PASSED),
    )
    ends(suite, run, "passed", None, 0)
    wait_until(lambda: not alive(pid_file), FAST["grace_ms"] / 1000 + 5, "the daemon to be gone")


def test_a_task_over_its_limit_is_timed_out_and_its_tree_is_gone(suite):
    pid_file = suite.folder / "stubborn.pid"
    run = suite.shell(
        "trap '' TERM; echo $$ > stubborn.pid; while :; do echo output without end; done",
        junit(PASSED),
        policy={"task_timeout_ms": 1500},
        limits={"output_bytes": 65536},
    )
    waits_as(suite, run, "tests")
    ends(suite, run, "timed_out", "task_timeout", 3)
    wait_until(lambda: not alive(pid_file), 5, "the process to be gone")
    logs = suite.verdict.api.get(f"/v1/runs/{run}/logs")
    assert "cut" in str(logs)
    assert len(str(logs)) < 200000


def test_no_capable_worker_is_said_at_once_and_is_an_error_in_the_end(suite):
    run = suite.shell(
        "exit 0", junit(PASSED), policy={"queue_timeout_ms": 4000}, requirements=["gpu=cuda"]
    )
    wait = waits_as(suite, run, "no_capable_worker", 3)
    assert "gpu=cuda" in wait["text"]
    assert "gpu=cuda" in str(why(suite, run))
    ends(suite, run, "errored", "no_capable_worker", 3)


def test_busy_workers_until_the_queue_time_out_are_a_time_out(suite):
    release = suite.folder / "release"
    busy = [
        suite.shell("while [ ! -e release ]; do sleep 0.05; done", junit(PASSED)) for _ in range(2)
    ]
    for run in busy:
        waits_as(suite, run, "tests")
    run = suite.shell("exit 0", junit(PASSED), policy={"queue_timeout_ms": 3000})
    waits_as(suite, run, "busy")
    assert "slot" in str(why(suite, run))
    ends(suite, run, "timed_out", "queue_timeout", 3)
    release.write_text("")
    for run in busy:
        ends(suite, run, "passed", None, 0)


def test_a_source_that_cannot_be_fetched_is_an_error_with_its_words(suite):
    source = {"kind": "git", "url": f"file://{suite.folder}/nothing.git", "ref": "main"}
    run = suite.trigger({"command": ["true"], "source": source})
    final = ends(suite, run, "errored", "source_failed", 3)
    assert "nothing.git" in final["reason_detail"]


def test_a_path_outside_the_workers_roots_is_an_error_with_its_words(suite):
    run = suite.trigger({"command": ["true"], "source": {"kind": "path", "path": "/usr"}})
    final = ends(suite, run, "errored", "source_failed", 3)
    assert "/usr" in final["reason_detail"]


def test_a_command_that_cannot_be_started_is_an_error(suite):
    run = suite.trigger({"command": ["/nonexistent/command"]})
    final = ends(suite, run, "errored", "exec_failed", 3)
    assert "/nonexistent/command" in final["reason_detail"]


LIMITS = [
    ("cpu_seconds", {"cpu_seconds": 1}, "while :; do :; done"),
    ("file_mb", {"file_mb": 1}, "exec head -c 9000000 /dev/zero > big"),
]


@pytest.mark.parametrize("name, limits, script", LIMITS, ids=[row[0] for row in LIMITS])
def test_a_resource_limit_is_named(suite, name, limits, script):
    run = suite.shell(script, junit(PASSED), limits=limits)
    final = ends(suite, run, "errored", "limit_exceeded", 3)
    assert name in final["reason_detail"]


def test_two_workers_lost_on_a_started_task_are_an_error(suite):
    """The executor is killed, started again and killed again while it runs the task."""
    marker = suite.folder / "starts"
    run = suite.shell("echo x >> starts; while :; do sleep 1; done", junit(PASSED))
    for starts in (1, 2):
        wait_until(
            lambda starts=starts: marker.exists() and marker.read_text().count("x") >= starts,
            60,
            f"start {starts} of the task",
        )
        waits_as(suite, run, "tests")
        suite.verdict.kill("executor-1")
        suite.verdict.start("executor-1")
    final = ends(suite, run, "errored", "worker_lost", 3, 90)
    assert final["reason_detail"]


def test_a_lost_worker_with_no_attempt_left_is_results_lost(suite):
    marker = suite.folder / "starts"
    run = suite.shell(
        "echo x >> starts; while :; do sleep 1; done", junit(PASSED), policy={"attempts": 1}
    )
    wait_until(marker.exists, 30, "the task to start")
    waits_as(suite, run, "tests")
    suite.verdict.kill("executor-1")
    suite.verdict.start("executor-1")
    ends(suite, run, "errored", "results_lost", 3, 90)


def test_cancelled_before_it_was_final(suite):
    pid_file = suite.folder / "running.pid"
    run = suite.shell("echo $$ > running.pid; while :; do sleep 0.1; done", junit(PASSED))
    wait_until(pid_file.exists, 30, "the tests to start")
    answer = suite.verdict.api.post(f"/v1/runs/{run}/cancel")
    assert answer["id"] == run
    final = ends(suite, run, "cancelled", "cancelled", 4)
    assert final["actor"]
    wait_until(lambda: not alive(pid_file), FAST["grace_ms"] / 1000 + 5, "the process to be gone")


def test_superseded_by_a_newer_run_of_the_branch(suite):
    policy = {"cancel_superseded": True}
    script = {"command": ["sh", "-c", "while :; do sleep 0.1; done"]}
    old = suite.trigger(script, policy, branch="main")
    other = suite.trigger(script, policy, branch="other")
    new = suite.trigger({"command": ["true"], "report": {"format": "none"}}, policy, branch="main")
    ends(suite, old, "cancelled", "superseded", 4)
    ends(suite, new, "passed", None, 0)
    assert suite.verdict.api.get(f"/v1/runs/{other}")["state"] in ("queued", "running")
    suite.verdict.api.post(f"/v1/runs/{other}/cancel")
    ends(suite, other, "cancelled", "cancelled", 4)


def test_the_deadline_of_the_run(suite):
    run = suite.shell("while :; do sleep 0.1; done", junit(PASSED), policy={"run_timeout_ms": 2500})
    ends(suite, run, "timed_out", "run_timeout", 3)


def test_the_server_cannot_be_reached(verdict):
    command = verdict.cli("wait", "1", VERDICT_URL="http://127.0.0.1:9")
    done = subprocess.run(**command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 6, done.stderr
    assert "127.0.0.1:9" in done.stderr


def test_the_wait_is_over_and_the_run_goes_on(suite):
    run = suite.shell("while [ ! -e release ]; do sleep 0.05; done", junit(PASSED))
    command = suite.verdict.cli("wait", run, "--timeout", "1s")
    done = subprocess.run(**command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 124, done.stderr
    (suite.folder / "release").write_text("")
    ends(suite, run, "passed", None, 0)


@pytest.mark.parametrize("words", [("wait",), ("nonsense",), ("wait", "1", "--timeout", "soon")])
def test_usage(verdict, words):
    done = subprocess.run(
        **verdict.cli(*words), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "usage" in done.stderr.lower() or "--timeout" in done.stderr
