# SPDX-License-Identifier: Apache-2.0
"""Every row of the table of endings: what happens, the run's state and reason, the exit code of
`verdict wait`, what `why` said meanwhile and says after, and that nothing of the tests is left."""

import itertools
import pathlib
import signal
import subprocess

import pytest
from parts.process import wait_until
from support.database import refuse
from support.endings import (
    ENDINGS,
    EXITS_WITHOUT_ENDING,
    FAST,
    EndingSuite,
    printed_endings,
    printed_exits,
    run_cli,
    walks,
)

PASSED = '<testcase classname="a" name="one"/>'
FAILED = '<testcase classname="a" name="two"><failure message="no">trace</failure></testcase>'
ERRORED = '<testcase classname="a" name="three"><error message="set-up">trace</error></testcase>'
SKIPPED = '<testcase classname="a" name="four"><skipped message="later"/></testcase>'


def junit(*cases):
    return f'<?xml version="1.0"?><testsuite name="s">{"".join(cases)}</testsuite>'


@pytest.fixture(scope="module")
def installation(shared_verdict, tmp_path_factory):
    """Of all rows: they leave it as it was. `sources` is where their suites lie."""
    shared_verdict.sources = tmp_path_factory.mktemp("sources")
    shared_verdict.source_roots.append(shared_verdict.sources)
    shared_verdict.start_all()
    shared_verdict.api.put("/v1/projects/shop", {"title": "Shop"})
    return shared_verdict


_folders = itertools.count(1)


@pytest.fixture
def suite(request, installation):
    folder = installation.sources / f"suite-{next(_folders)}"
    rows = {row for row in request.function.walks if row in ENDINGS}
    made = EndingSuite(installation, folder, rows)
    yield made
    if not request.session.testsfailed:
        assert made.walked == rows, "a row that was to be walked was not"


def test_every_row_of_the_printed_table_is_walked():
    walked = set().union(*(getattr(value, "walks", ()) for value in globals().values()))

    assert printed_endings() == ENDINGS
    assert printed_exits() == EXITS_WITHOUT_ENDING
    assert walked == {*ENDINGS, *EXITS_WITHOUT_ENDING}


def alive(pid_file):
    """Whether the process that wrote its number there still runs."""
    pid = int(pid_file.read_text())
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


@walks("")
def test_all_passed_or_skipped_with_one_passed_is_passed(suite):
    run = suite.shell("exit 0", junit(PASSED, SKIPPED))
    final = suite.ends(run, "")
    assert (final["totals"]["passed"], final["totals"]["skipped"]) == (1, 1)


@walks("cases_failed")
@pytest.mark.parametrize("status", [1, 0], ids=["agreeing exit status", "exit status 0"])
def test_a_failed_case_fails_whatever_the_exit_status(suite, status):
    run = suite.shell(f"exit {status}", junit(PASSED, FAILED))
    suite.ends(run, "cases_failed")


@walks("cases_errored")
def test_an_errored_case_outweighs_a_failed_one(suite):
    run = suite.shell("exit 1", junit(PASSED, FAILED, ERRORED))
    final = suite.ends(run, "cases_errored")
    assert (final["totals"]["failed"], final["totals"]["errored"]) == (1, 1)


@walks("cases_blocked")
def test_a_blocked_case_outweighs_a_failed_one(suite):
    """Only a stream of results can say so."""
    suite.write(
        "say.sh",
        """\
        while [ ! -e go ]; do sleep 0.02; done
        {
            echo '{"kind": "planned", "count": 2}'
            echo '{"kind": "case", "id": "a.py::one", "status": "failed"}'
            echo '{"kind": "case", "id": "a.py::two", "status": "blocked"}'
            echo '{"kind": "end", "exit": 1}'
        } >"$VERDICT_STREAM"
        exit 1
        """,
    )
    run = suite.trigger({"framework": "pytest", "report": {}, "command": ["sh", "say.sh"]})
    suite.why_says(run, "tests", "running")
    (suite.folder / "go").write_text("")
    final = suite.ends(run, "cases_blocked")
    assert (final["totals"]["failed"], final["totals"]["blocked"]) == (1, 1)


@walks("cases_not_run")
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
    spec = {"framework": "pytest", "report": {}, "cases": cases, "max_tasks": 1}
    run = suite.held(spec, {"attempts": 1})
    final = suite.ends(run, "cases_not_run")
    assert (final["totals"]["planned"], final["totals"]["not_run"]) == (2, 1)


@walks("exit_contradicts_report")
def test_an_exit_status_that_contradicts_the_report_is_an_error(suite):
    run = suite.shell("exit 7", junit(PASSED))
    final = suite.ends(run, "exit_contradicts_report")
    assert "7" in final["reason_detail"]


@walks("no_report")
def test_no_report_is_an_error(suite):
    run = suite.shell("exit 0")
    suite.ends(run, "no_report")


@walks("report_truncated")
def test_half_a_report_is_an_error_and_its_whole_cases_are_kept(suite):
    whole = junit(PASSED, SKIPPED, FAILED)
    run = suite.shell("exit 0", whole[: whole.index('<testcase classname="a" name="two"') + 20])
    final = suite.ends(run, "report_truncated")
    assert final["totals"]["passed"] == 1


@walks("no_tests")
@pytest.mark.parametrize("cases", [(), (SKIPPED,)], ids=["none", "all skipped"])
def test_no_test_is_never_green(suite, cases):
    run = suite.shell("exit 0", junit(*cases))
    suite.ends(run, "no_tests")


@walks("")
def test_no_test_is_fine_where_the_policy_says_so(suite):
    run = suite.shell("exit 0", junit(), policy={"allow_empty": True})
    suite.ends(run, "")


@walks("")
def test_a_daemon_that_stays_behind_is_ended(suite):
    pid_file = suite.folder / "daemon.pid"
    run = suite.shell(
        "setsid sh -c 'trap \"\" TERM; echo $$ > daemon.pid; while :; do sleep 1; done' &\n"
        "while [ ! -s daemon.pid ]; do sleep 0.05; done",
        junit(PASSED),
    )
    suite.ends(run, "")
    wait_until(lambda: not alive(pid_file), FAST["grace_ms"] / 1000 + 5, "the daemon to be gone")


@walks("task_timeout")
def test_a_task_over_its_limit_is_timed_out_and_its_tree_is_gone(suite):
    pid_file = suite.folder / "stubborn.pid"
    run = suite.shell(
        "trap '' TERM; echo $$ > stubborn.pid; while :; do echo output without end; done",
        junit(PASSED),
        policy={"task_timeout_ms": 2000},
        limits={"output_bytes": 65536},
    )
    suite.ends(run, "task_timeout")
    wait_until(lambda: not alive(pid_file), 5, "the process to be gone")
    logs = suite.verdict.api.get(f"/v1/runs/{run}/logs")
    assert "cut" in str(logs)
    assert len(str(logs)) < 200000


@walks("no_capable_worker")
def test_no_capable_worker_is_said_at_once_and_is_an_error_in_the_end(suite):
    run = suite.trigger(
        {"command": ["true"], "requirements": ["gpu=cuda"]}, {"queue_timeout_ms": 2000}
    )
    suite.why_says(run, "no_capable_worker", "gpu=cuda", timeout_s=1.5)
    suite.why_says(run, "unmet", "gpu=cuda", timeout_s=1.5)
    suite.ends(run, "no_capable_worker")


@walks("queue_timeout", "")
def test_busy_workers_until_the_queue_time_out_are_a_time_out(suite):
    busy = [suite.shell("exit 0", junit(PASSED)) for _ in range(2)]
    for run in busy:
        suite.why_says(run, "tests", "running")
    run = suite.shell("exit 0", junit(PASSED), policy={"queue_timeout_ms": 2000})
    suite.why_says(run, "busy", "slot")
    suite.forget_gate(run)
    suite.ends(run, "queue_timeout")
    for run in busy:
        suite.ends(run, "")


@walks("source_failed")
@pytest.mark.parametrize("kind", ["git", "path"])
def test_a_source_that_cannot_be_fetched_is_an_error_with_its_words(suite, kind):
    """The path is outside of the worker's roots."""
    url = f"file://{suite.folder}/nothing.git"
    sources = {
        "git": ({"kind": "git", "url": url, "ref": "main"}, "nothing.git"),
        "path": ({"kind": "path", "path": "/usr"}, "/usr"),
    }
    source, words = sources[kind]
    run = suite.held({"command": ["true"], "source": source})
    final = suite.ends(run, "source_failed")
    assert words in final["reason_detail"]


@walks("exec_failed")
def test_a_command_that_cannot_be_started_is_an_error(suite):
    run = suite.held({"command": ["/nonexistent/command"]})
    final = suite.ends(run, "exec_failed")
    assert "/nonexistent/command" in final["reason_detail"]


LIMITS = {
    "cpu_seconds": (1, "while :; do :; done"),
    "file_mb": (1, "exec head -c 9000000 /dev/zero > big"),
    "memory_mb": (50, "x=$(head -c 200000000 /dev/zero | tr '\\0' x); sleep 5"),
    "processes": (5, "for i in 1 2 3 4 5 6 7 8; do sleep 20 & done; wait"),
}


@walks("limit_exceeded")
@pytest.mark.parametrize("name", LIMITS)
def test_a_resource_limit_is_named(suite, name):
    limit, script = LIMITS[name]
    run = suite.shell(script, junit(PASSED), limits={name: limit})
    final = suite.ends(run, "limit_exceeded")
    assert name in final["reason_detail"]


def lose_worker(suite, starts, number):
    """The executor is killed when the task has begun for this time, and started again."""
    begun = lambda: starts.exists() and starts.read_text().count("x") >= number  # noqa: E731
    wait_until(begun, 60, f"start {number} of the task")
    suite.verdict.kill("executor-1")
    suite.verdict.start("executor-1")


@walks("worker_lost")
def test_two_workers_lost_on_a_started_task_are_an_error(suite):
    run = suite.shell("echo x >> starts; while :; do sleep 1; done", junit(PASSED))
    suite.runs(run)
    lose_worker(suite, suite.folder / "starts", 1)
    suite.why_says(run, "tests", "running")
    lose_worker(suite, suite.folder / "starts", 2)
    final = suite.ends(run, "worker_lost", 90)
    assert final["reason_detail"]


@walks("results_lost")
def test_a_lost_worker_with_no_attempt_left_is_results_lost(suite):
    script = "echo x >> starts; while :; do sleep 1; done"
    run = suite.shell(script, junit(PASSED), policy={"attempts": 1})
    suite.runs(run)
    lose_worker(suite, suite.folder / "starts", 1)
    suite.ends(run, "results_lost", 90)


ENDLESS = "echo $$ > running.pid; while :; do sleep 0.1; done"


@walks("cancelled")
def test_cancelled_before_it_was_final(suite):
    pid_file = suite.folder / "running.pid"
    run = suite.shell(ENDLESS, junit(PASSED))
    suite.runs(run)
    wait_until(pid_file.exists, 30, "the tests to start")
    with suite.paused("scheduler"):  # else it is over before anybody can ask
        answer = suite.verdict.api.post(f"/v1/runs/{run}/cancel")
        assert answer["id"] == run
        suite.why_says(run, "cancel", "asked that it end")
    final = suite.ends(run, "cancelled")
    assert final["actor"]
    wait_until(lambda: not alive(pid_file), FAST["grace_ms"] / 1000 + 5, "the process to be gone")


@walks("superseded", "cancelled", "")
def test_superseded_by_a_newer_run_of_the_branch(suite):
    policy = {"cancel_superseded": True}
    old = suite.shell(ENDLESS, None, policy, {"branch": "main"})
    other = suite.shell(ENDLESS, None, policy, {"branch": "other"})
    for run in (old, other):
        suite.runs(run)
    with suite.paused("scheduler"):
        new = suite.shell("exit 0", junit(PASSED), policy, {"branch": "main"})
        suite.why_says(old, "cancel", "make room for a newer run")
        suite.why_says(new, "not_seen", "scheduler")
    suite.ends(old, "superseded")
    suite.ends(new, "")
    assert suite.verdict.api.get(f"/v1/runs/{other}")["state"] == "running"
    suite.verdict.api.post(f"/v1/runs/{other}/cancel")
    suite.ends(other, "cancelled")


@walks("run_timeout")
def test_the_deadline_of_the_run(suite):
    policy = {"run_timeout_ms": 2500}
    run = suite.shell("while :; do sleep 0.1; done", junit(PASSED), policy)
    suite.ends(run, "run_timeout")


@walks("internal_error")
def test_a_fault_of_ours_about_one_run_ends_it(suite):
    """Its start cannot be written down."""
    db = suite.verdict.db

    def refuse_start(run):
        refuse(db, "scheduling.run_state", "UPDATE", run, "AND NEW.state = 'running'")

    run = suite.held({"command": ["true"], "report": {"format": "none"}}, then=refuse_start)
    final = suite.ends(run, "internal_error")
    db.query("DROP TRIGGER refuse ON scheduling.run_state")
    assert final["reason_detail"]


@walks(6)
def test_the_server_cannot_be_reached(installation):
    done = run_cli(installation, "wait", "1", VERDICT_URL="http://127.0.0.1:9")
    assert done.returncode == 6, done.stderr
    assert "127.0.0.1:9" in done.stderr


@walks(124, "")
def test_the_wait_is_over_and_the_run_goes_on(suite):
    run = suite.shell("exit 0", junit(PASSED))
    done = suite.cli("wait", run, "--timeout", "1s")
    assert done.returncode == 124, done.stderr
    suite.ends(run, "")


@walks(130, "")
def test_the_wait_is_interrupted_and_the_run_goes_on(suite):
    run = suite.shell("exit 0", junit(PASSED))
    suite.why_says(run, "tests", "running")
    command = suite.verdict.cli("wait", run)
    with subprocess.Popen(**command, stderr=subprocess.PIPE, text=True) as waiting:
        assert "running" in waiting.stderr.readline()
        waiting.send_signal(signal.SIGINT)
        _, said = waiting.communicate(timeout=30)
    assert waiting.returncode == 130, said
    suite.ends(run, "")


@walks(2)
@pytest.mark.parametrize("words", [("wait",), ("nonsense",), ("wait", "1", "--timeout", "soon")])
def test_usage(installation, words):
    done = run_cli(installation, *words)
    assert done.returncode == 2, done.stderr
    assert "usage" in done.stderr.lower() or "--timeout" in done.stderr
