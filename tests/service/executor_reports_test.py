# SPDX-License-Identifier: Apache-2.0
"""TAP, cmocka, CTest, prove and commands on real parts: what their reports make of a run."""

import shutil
import subprocess

import pytest
from support import TOP

TAP = """\
TAP version 13
1..3
ok 1 - first
not ok 2 - second
  ---
  message: 'it broke'
  ...
ok 3 - third # SKIP later
"""


def test_tap_on_stdout_is_read_and_kept_as_output(project):
    project.write("report.tap", TAP)

    run = project.run("command", "sh", "-c", "cat report.tap; exit 1", report={"format": "tap"})

    assert (run["state"], run["reason"]) == ("failed", "cases_failed")
    assert project.results(run)["second", ""]["message"] == "it broke"
    assert project.log(run, "stdout") == TAP


def test_reports_of_other_formats_are_read(project):
    shutil.copytree(TOP / "tests" / "data", project.folder / "data")
    (project.folder / "results").mkdir()
    split = "split -l 1 --additional-suffix=-result.json data/allure/valid/pytest.json results/"
    copy_trx = "cp data/trx/valid/rows.trx results/rows.trx"

    runs = [
        project.trigger("command", *command.split(), report=report)
        for command, report in [
            ("cat data/go-json/valid/packages.jsonl", {"format": "go-json"}),
            (copy_trx, {"path": "results/*.trx"}),
            (split, {"path": "results/*-result.json"}),
        ]
    ]
    totals = [project.verdict.wait_final(run)["totals"] for run in runs]

    counted = ("planned", "passed", "failed", "errored", "skipped")
    assert [[total[name] for name in counted] for total in totals] == [
        [16, 9, 3, 3, 1],
        [4, 2, 2, 0, 0],
        [12, 8, 1, 1, 2],
    ]


def test_a_command_without_a_report_is_one_case(project):
    passed = project.run("command", "true", report={"format": "none"})
    failed = project.run("command", "sh", "-c", "exit 3", report={"format": "none"})

    assert (passed["state"], passed["totals"]["passed"]) == ("passed", 1)
    assert (failed["state"], failed["reason"]) == ("failed", "cases_failed")
    assert project.results(failed)["suite", ""]["message"] == "exit status 3"


def test_reports_of_an_earlier_run_do_not_count(project):
    project.write("out/old.xml", "<testsuite><testcase name='old'/></testsuite>")
    subprocess.run(["touch", "-d", "1 hour ago", project.folder / "out/old.xml"], check=True)
    script = (
        "mkdir -p out/a/b; echo \"<testsuite><testcase name='new'/></testsuite>\" >out/a/b/n.xml"
    )

    run = project.run(
        "command", "sh", "-c", script, report={"format": "junit", "path": "out/**/*.xml"}
    )

    assert set(project.results(run)) == {("new", "")}


CMOCKA = """
    #include <setjmp.h>
    #include <stdarg.h>
    #include <stddef.h>
    #include <stdint.h>
    #include <cmocka.h>

    static void holds(void **state) { (void)state; assert_true(1); }
    static void does_not(void **state) { (void)state; assert_int_equal(1, 2); }
    static void later(void **state) { (void)state; skip(); }

    int main(void)
    {
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(holds), cmocka_unit_test(does_not), cmocka_unit_test(later)};
        return cmocka_run_group_tests_name("arithmetic", tests, NULL, NULL);
    }
"""


def build_cmocka(project, name="unit_test"):
    source = project.write(f"{name}.c", CMOCKA)
    binary = project.folder / name
    subprocess.run(["gcc", "-o", binary, source, "-lcmocka"], check=True)
    return binary


def test_cmocka_reports_by_itself(project):
    build_cmocka(project)

    run = project.run("cmocka", "./unit_test")

    assert (run["state"], run["reason"]) == ("failed", "cases_failed")
    results = project.results(run)
    assert {name: row["status"] for (name, _), row in results.items()} == {
        "holds": "passed",
        "does_not": "failed",
        "later": "skipped",
    }
    assert results["holds", ""]["class"] == "arithmetic"
    assert "0x1 != 0x2" in results["does_not", ""]["trace"]


def test_ctest_is_run_whole_and_by_cases(project):
    project.write(
        "CMakeLists.txt",
        """
        cmake_minimum_required(VERSION 3.20)
        project(shop NONE)
        enable_testing()
        add_test(NAME adds.up COMMAND true)
        add_test(NAME breaks COMMAND false)
        """,
    )
    subprocess.run(
        ["cmake", "-S", ".", "-B", "build"], cwd=project.folder, check=True, capture_output=True
    )

    whole = project.run("ctest", directory="build")
    chosen = project.run("ctest", directory="build", cases=["adds.up"])

    assert (whole["state"], whole["totals"]["passed"], whole["totals"]["failed"]) == (
        "failed",
        1,
        1,
    )
    assert (chosen["state"], chosen["totals"]["planned"]) == ("passed", 1)


def test_ctest_runs_thousands_of_declared_cases(project):
    names = [f"a.rather/long-name.of.a.test.case/number-{i:05d}" for i in range(3000)]
    project.write(
        "build/CTestTestfile.cmake", "\n".join(f"add_test([=[{name}]=] true)" for name in names)
    )

    run = project.run("ctest", directory="build", cases=names, arguments=["-j8"], max_tasks=1)

    assert (run["state"], run["totals"]["planned"]) == ("passed", 3000)
    assert run["totals"]["passed"] == 3000


CMOCKA_PROGRAM = """
    #include <setjmp.h>
    #include <stdarg.h>
    #include <stddef.h>
    #include <stdint.h>
    #include <cmocka.h>

    static void NAME(void **state) { (void)state; assert_true(HOLDS); }
    static int broken(void **state) { (void)state; return -1; }

    int main(void)
    {
        const struct CMUnitTest tests[] = {cmocka_unit_test(NAME)};
        (void)broken;
        return cmocka_run_group_tests(tests, SET_UP, NULL);
    }
"""


def build_program(project, name, holds=1, set_up="NULL"):
    text = CMOCKA_PROGRAM.replace("NAME", name).replace("HOLDS", str(holds))
    source = project.write(f"{name}.c", text.replace("SET_UP", set_up))
    binary = project.folder / f"{name}_test"
    subprocess.run(["gcc", "-o", binary, source, "-lcmocka"], check=True)


EACH_PROGRAM = ("sh", "-c", "for t in ./*_test; do $t; done")


def test_cmocka_programs_with_one_group_name_are_all_heard(project):
    """The loop ends with the status of the last one: what failed in the middle is in the report."""
    build_program(project, "a")
    build_program(project, "b", holds=0)
    build_program(project, "c")

    run = project.run("cmocka", *EACH_PROGRAM)

    assert (run["state"], run["reason"]) == ("failed", "cases_failed")
    assert {name: row["status"] for (name, _), row in project.results(run).items()} == {
        "a": "passed",
        "b": "failed",
        "c": "passed",
    }


def test_a_cmocka_group_whose_set_up_failed_is_an_error(project):
    build_program(project, "a", set_up="broken")
    build_program(project, "b")

    run = project.run("cmocka", *EACH_PROGRAM)

    assert (run["state"], run["reason"]) == ("errored", "cases_errored")


def test_cmocka_programs_that_name_their_files_are_read_from_there(project):
    build_program(project, "a")
    build_program(project, "b", holds=0)
    script = "mkdir out; for t in a b; do CMOCKA_XML_FILE=out/$t.xml ./${t}_test; done"

    run = project.run("cmocka", "sh", "-c", script, report={"path": "out/*.xml"})

    assert (run["state"], run["reason"]) == ("failed", "cases_failed")
    assert (run["totals"]["passed"], run["totals"]["failed"]) == (1, 1)


SUBTEST = """\
TAP version 14
# Subtest: shop
    ok 1 - opens
    1..1
not ok 1 - shop
  ---
  message: 'after hook failed'
  ...
1..1
"""

INDENTED = "1..2\nok 1 - first\n    ok this is only output\nnot ok 2 - second\n"

MORE_THAN_PLANNED = "1..1\nok 1 - first\nok 2 - second\n"


@pytest.mark.parametrize(
    ("report", "state", "reason"),
    [
        (SUBTEST, "failed", "cases_failed"),
        (INDENTED, "failed", "cases_failed"),
        (MORE_THAN_PLANNED, "errored", "report_truncated"),
    ],
    ids=["subtest", "indented", "more-than-planned"],
)
def test_what_is_not_ok_in_tap_is_never_passed(project, report, state, reason):
    project.write("report.tap", report)

    run = project.run("command", "cat", "report.tap", report={"format": "tap"})

    assert (run["state"], run["reason"]) == (state, reason)


def test_the_report_of_the_run_right_before_does_not_count(project):
    script = "echo \"<testsuite><testcase name='first'/></testsuite>\" >report.xml"
    report = {"format": "junit", "path": "report.xml"}

    runs = [
        project.run("command", *words, report=report)
        for words in (("sh", "-c", script), ("true",), ("sh", "-c", script))
    ]

    assert [run["state"] for run in runs] == ["passed", "errored", "passed"]
    assert runs[1]["reason"] == "no_report"


PROVE_TESTS = """
    use Test::More tests => 4;
    ok(1, 'adds');
    is(1 + 1, 3, 'fails');
    SKIP: { skip 'no network', 1; ok(1, 'asks'); }
    TODO: { local $TODO = 'to be written'; ok(0, 'is to be done'); }
"""


def test_prove_tells_each_test_of_each_file(project):
    project.write("t/a.t", PROVE_TESTS)
    project.write("t/b.t", "use Test::More tests => 2; ok(1, 'first'); die 'in the middle';\n")
    project.write("t/c.t", "use Test::More; plan skip_all => 'not here';\n")

    run = project.run("prove")

    found = {(row["class"], key[0]): row for key, row in project.results(run).items()}
    assert {key: row["status"] for key, row in found.items()} == {
        ("t/a.t", "adds"): "passed",
        ("t/a.t", "fails"): "failed",
        ("t/a.t", "test 3"): "skipped",
        ("t/a.t", "is to be done"): "skipped",
        ("t/b.t", "first"): "passed",
        ("t/b.t", "t/b.t"): "errored",
        ("t/c.t", "t/c.t"): "skipped",
    }
    assert found["t/a.t", "fails"]["message"] == "Failed test 'fails'"
    assert "expected: '3'" in found["t/a.t", "fails"]["trace"]
    assert "planned 2 tests but ran 1" in found["t/b.t", "t/b.t"]["message"]
    assert (run["state"], run["reason"]) == ("errored", "cases_errored")


def test_prove_runs_the_files_of_declared_cases(project):
    project.write("t/a.t", "use Test::More tests => 2; ok(1, 'one'); ok(1, 'two');\n")
    project.write("t/b.t", "use Test::More tests => 1; ok(0, 'not wanted');\n")

    run = project.run("prove", cases=["t/a.t > one", "t/a.t > two"])

    assert (run["state"], run["totals"]["planned"], run["totals"]["passed"]) == ("passed", 2, 2)
