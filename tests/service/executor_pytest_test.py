# SPDX-License-Identifier: Apache-2.0
"""Suites of pytest on real parts: cases, keys, reports that are cut short, plugins."""

import shutil

import pytest
from support import TOP
from support.project import git

PYTEST_SUITE = """
    import pytest

    @pytest.mark.parametrize("n", [1, 2])
    def test_adds(n):
        assert n + 1 > n

    def test_fails():
        assert 1 == 2, "one is not two"

    def test_is_skipped():
        pytest.skip("not today")

    @pytest.mark.xfail(reason="known")
    def test_is_expected_to_fail():
        assert False

    @pytest.fixture
    def broken():
        raise RuntimeError("no database")

    def test_has_a_broken_fixture(broken):
        pass

    class TestGroup:
        def test_in_a_class(self):
            print("said inside")
"""


def test_a_pytest_suite_is_run_case_by_case(project):
    project.write("test_shop.py", PYTEST_SUITE)

    run = project.run("pytest")

    assert (run["state"], run["reason"]) == ("errored", "cases_errored")
    totals = run["totals"]
    assert [totals[k] for k in ("planned", "passed", "failed", "errored", "skipped")] == [
        *(7, 3, 1, 1, 2)
    ]
    results = project.results(run)
    assert results["test_adds", "1"]["status"] == "passed"
    assert results["test_fails", ""]["status"] == "failed"
    assert "one is not two" in results["test_fails", ""]["message"]
    assert "def test_fails" in results["test_fails", ""]["trace"]
    assert results["test_has_a_broken_fixture", ""]["status"] == "errored"
    assert results["test_is_skipped", ""]["message"] == "not today"
    assert results["test_in_a_class", ""]["class"] == "test_shop.TestGroup"
    assert "1 failed" in project.log(run, "stdout")


def test_declared_cases_are_run_and_no_others(project):
    project.write("test_shop.py", PYTEST_SUITE)
    project.write("test_other.py", "raise RuntimeError('must not be imported')")
    cases = ["test_shop.py::test_adds[1]", "test_shop.py::TestGroup::test_in_a_class"]

    run = project.run("pytest", cases=cases)

    assert (run["state"], run["totals"]["planned"], run["totals"]["passed"]) == ("passed", 2, 2)


def test_a_declared_case_that_is_not_there_has_not_run(project):
    project.write("test_shop.py", PYTEST_SUITE)

    run = project.run("pytest", cases=["test_shop.py::test_adds[1]", "test_shop.py::test_gone"])

    assert (run["state"], run["reason"]) == ("errored", "cases_not_run")
    assert (run["totals"]["passed"], run["totals"]["not_run"]) == (1, 1)


def test_pytest_that_ends_in_the_middle_left_half_a_report(project):
    project.write(
        "test_shop.py",
        """
        import os

        def test_first():
            pass

        def test_second():
            os._exit(0)
        """,
    )

    run = project.run("pytest")

    assert (run["state"], run["reason"]) == ("errored", "report_truncated")
    assert run["totals"]["passed"] == 1


def test_a_module_that_cannot_be_imported_is_an_error(project):
    project.write("test_shop.py", "import there_is_no_such_module")

    run = project.run("pytest")

    assert (run["state"], run["reason"]) == ("errored", "cases_errored")
    (result,) = project.results(run).values()
    assert "there_is_no_such_module" in result["trace"]


def keys_of(project, run):
    rows = project.verdict.db.query(
        """SELECT case_key, class, name, parameters, status FROM results.result
           WHERE run_id = %s ORDER BY case_key""",
        run,
    )
    return [tuple(row.values()) for row in rows]


def test_a_case_has_one_key_on_every_worker_and_however_it_is_told(project):
    verdict, data = project.verdict, TOP / "tests" / "data" / "identity"
    project.write("tests/test_calc.py", (data / "suite.txt").read_text())
    shutil.copy(data / "ctrf.json", project.folder / "given.json")  # of the same suite
    git(project.folder, "init", "-q", "-b", "main")
    git(project.folder, "add", ".")
    git(project.folder, "commit", "-qm", "calc")
    junit = "python3 -m pytest -q -o junit_family=xunit1 --junit-xml=r.xml"

    def start(framework, *command, **suite):
        source = {"kind": "git", "url": f"file://{project.folder}"}
        return project.trigger(framework, *command, source=source, **suite)

    runs = [start("pytest")]
    verdict.wait_final(runs[0])
    verdict.start("executor-2", VERDICT_LABELS="second=yes")
    second = {"requirements": ["second=yes"]}
    runs += [
        start("pytest", **second),
        start("command", *junit.split(), report={"path": "r.xml"}, **second),
        start("command", "cp", "given.json", "c.json", report={"path": "c.json"}),
    ]
    for run in runs:
        verdict.wait_final(run)
    verdict.stop("executor-2")

    first, *others = [keys_of(project, run) for run in runs]
    assert len(first) == 12
    assert others == [first] * 3
    find = "SELECT DISTINCT worker_id FROM scheduling.dispatch WHERE run_id = ANY (%s::uuid[])"
    assert len(verdict.db.query(find, runs[:3])) == 2


def test_a_test_that_skips_a_part_of_itself_has_passed(project):
    project.write(
        "test_s.py",
        """
        import pytest
        def test_a(subtests):
            with subtests.test("here"):
                pytest.skip("not here")
        """,
    )

    run = project.run("pytest")

    assert (run["state"], run["totals"]["passed"]) == ("passed", 1)


def test_text_that_no_json_may_hold_is_told_all_the_same(project):
    project.write(
        "test_bytes.py",
        r"""
        import pytest

        def test_nul():
            raise ValueError("bad byte \0 in the answer")

        def test_surrogate():
            pytest.fail("half a pair: \udc80")
        """,
    )

    run = project.run("pytest")

    assert (run["state"], run["reason"]) == ("failed", "cases_failed")
    results = project.results(run)
    assert "bad byte \ufffd in the answer" in results["test_nul", ""]["message"]
    assert results["test_surrogate", ""]["status"] == "failed"


def test_a_result_that_cannot_be_read_is_an_error_that_says_why(project):
    project.write(
        "test_line.py",
        r"""
        import os

        def test_writes_by_itself():
            with open(os.environ["VERDICT_STREAM"], "a") as stream:
                stream.write('{"id": "a.py::b", "status": "skipped", "\\u0000": 1}\n')
                stream.write("x" * 1_100_000 + "\n")
        """,
    )

    run = project.run("pytest")

    assert (run["state"], run["reason"]) == ("errored", "cases_errored")
    assert (run["totals"]["passed"], run["totals"]["errored"]) == (1, 2)
    errors = [row for row in project.results(run).values() if row["status"] == "errored"]
    assert "cannot be read" in errors[0]["message"]
    assert "a.py::b" in errors[0]["trace"] + errors[1]["trace"]


def test_a_test_that_forks_is_told_once(project):
    project.write(
        "test_forks.py",
        """
        import multiprocessing, os, sys

        def test_one():
            pass

        def test_forks():
            pid = os.fork()
            if pid == 0:
                sys.exit(0)
            os.waitpid(pid, 0)

        def test_three():
            pass

        def test_multiprocessing():
            fork = multiprocessing.get_context("fork")
            for target in (print, sys.exit):
                child = fork.Process(target=target)
                child.start()
                child.join()
                assert child.exitcode == 0
        """,
    )

    run = project.run("pytest")

    assert (run["state"], run["totals"]["passed"]) == ("passed", 4)


WITH_PLUGINS = """
    import os, pathlib, pytest

    FOLDER = pathlib.Path(__file__).parent

    def fail_once(name):
        if not (FOLDER / name).exists():
            (FOLDER / name).touch()
            assert False, name

    @pytest.mark.parametrize("n", range(6))
    def test_adds(n):
        pass

    def test_fails():
        assert False

    @pytest.fixture
    def broken():
        raise RuntimeError("no database")

    def test_has_a_broken_fixture(broken):
        pass

    @pytest.fixture
    def closes_once():
        yield
        fail_once("closes")

    def test_flaky():
        fail_once("flaky")

    def test_has_a_flaky_teardown(closes_once):
        pass
"""


@pytest.mark.parametrize(
    ("arguments", "passed", "failed", "errored"),
    [
        # A teardown that fails is a second outcome of the test: the worse of the two is told.
        (["-n", "2"], 6, 2, 2),
        (["--reruns", "2"], 8, 1, 1),
        (["-n", "2", "--reruns", "2"], 8, 1, 1),
    ],
    ids=["xdist", "reruns", "both"],
)
def test_a_case_that_plugins_share_out_or_repeat_counts_once(
    project, arguments, passed, failed, errored
):
    project.write("test_plugins.py", WITH_PLUGINS)

    run = project.run("pytest", arguments=arguments)

    totals = {name: run["totals"][name] for name in ("planned", "passed", "failed", "errored")}
    assert totals == {"planned": 10, "passed": passed, "failed": failed, "errored": errored}
    assert (run["state"], run["reason"]) == ("errored", "cases_errored")
    assert len(project.results(run)) == 10


@pytest.mark.parametrize("reruns", [[], ["--reruns", "1"]], ids=["once", "rerun"])
def test_a_case_that_ends_its_worker_of_xdist_is_an_error(project, reruns):
    project.write(
        "test_crash.py",
        """
        import os

        def test_one():
            pass

        def test_crashes():
            os._exit(3)

        def test_two():
            pass
        """,
    )

    run = project.run("pytest", arguments=["-n", "2", *reruns])

    assert (run["state"], run["reason"]) == ("errored", "cases_errored")
    assert (run["totals"]["planned"], run["totals"]["passed"]) == (3, 2)
    assert "crashed" in project.results(run)["test_crashes", ""]["message"]


def test_what_a_list_of_cases_leaves_out_is_no_case(project):
    """nextest tells of ignored tests also where they are not wanted."""
    events = (TOP / "tests/data/libtest/valid/nextest.jsonl").read_text()
    project.write("events.jsonl", events)
    wanted = ["adds", "deep::aborts", "fails", "returns"]

    run = project.run(
        "nextest",
        *("sh", "-c", "cat events.jsonl"),
        cases=[f"calc tests::{name}" for name in wanted] + ["calc::whole adds"],
    )

    assert ("tests::is_ignored", "") not in project.results(run)
    assert (run["totals"]["planned"], run["totals"]["skipped"]) == (6, 0)
    assert run["totals"]["failed"] == 3
