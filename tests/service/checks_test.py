# SPDX-License-Identifier: Apache-2.0
"""The checks of `make test` themselves: what has read or run nothing has not passed."""

import importlib.machinery
import importlib.util
import os
import shutil
import subprocess

import pytest
from support import TOP
from support.verdict import SERVICES

LICENSE = "SPDX-License-Identifier: Apache-2.0"


@pytest.fixture
def exported(tmp_path):
    """A tree that git does not know, with nothing but the checks in it."""
    (tmp_path / "tests/lint").mkdir(parents=True)
    shutil.copy(TOP / "tests/lint/run", tmp_path / "tests/lint/run")
    return tmp_path


def lint(tree, word):
    command = [tree / "tests/lint/run", word]
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_an_exported_tree_is_read(exported):
    (exported / "libshared").mkdir()
    (exported / "libshared/good.c").write_text(f"/* {LICENSE} */\n")
    assert lint(exported, "license") == (0, "1 passed, 0 failed\n")

    (exported / "libshared/bad.c").write_text("int x;\n")
    (exported / ".venv").mkdir()
    (exported / ".venv/theirs.py").write_text("")
    status, said = lint(exported, "license")
    assert status == 1
    assert "libshared/bad.c" in said
    assert "theirs.py" not in said


@pytest.mark.parametrize("word", ["license", "clang-format", "no such check"])
def test_a_check_that_reads_nothing_has_failed(exported, word):
    assert lint(exported, word)[0] == 1


def test_names_are_compared_only_where_something_was_built(exported):
    shutil.copy(TOP / "tests/lint/symbols.sh", exported / "tests/lint/symbols.sh")
    folder = exported / "build/lib"
    folder.mkdir(parents=True)

    def archive(name, *functions):
        source = "".join(
            f"void {function}(void);void {function}(void) {{}}" for function in functions
        )
        (exported / "part.c").write_text(source)
        subprocess.run(["gcc", "-c", "part.c"], cwd=exported, check=True)
        subprocess.run(["ar", "rcs", folder / name, "part.o"], cwd=exported, check=True)

    def compare():
        return subprocess.run([exported / "tests/lint/symbols.sh"], capture_output=True, text=True)

    assert compare().returncode == 1
    archive("libshared.a", "shared")
    assert compare().returncode == 1
    archive("service.a", "own")
    assert compare().returncode == 0
    archive("service.a", "own", "shared")
    assert compare().stdout == "build/lib/service.a and libshared both define: shared \n"
    archive("service.a", "own")
    (folder / "libshared.a").unlink()
    assert compare().returncode == 1
    (folder / "libshared.a").write_text("no archive")
    assert compare().returncode == 1


def test_a_source_that_is_gone_is_in_no_archive(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"libshared/{name}").mkdir(parents=True)
        (tmp_path / f"libshared/{name}/{name}.c").write_text(f"int {name};\n")
    shutil.copy(TOP / "build.mk", tmp_path)
    shutil.copy(TOP / "VERSION", tmp_path)

    def members():
        environment = {"PATH": os.environ["PATH"]}  # not that of a make around us
        archive = "build/lib/libshared.a"
        command = ["make", "-f", "build.mk", archive]
        subprocess.run(command, cwd=tmp_path, env=environment, check=True)
        said = subprocess.run(
            ["ar", "t", archive], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return said.stdout.split()

    assert members() == ["one.o", "two.o"]
    (tmp_path / "libshared/two/two.c").unlink()
    assert members() == ["one.o"]


def test_a_page_that_nobody_prints_goes(tmp_path):
    programs = [f"bin/verdict-{name}" for name in [*SERVICES, "executor"]]
    for name in ("docs/print", *programs):
        program = tmp_path / "build" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text('#!/bin/sh\necho "${1:-states}"\n')
        program.chmod(0o755)
    generated = tmp_path / "docs/generated"
    generated.mkdir(parents=True)
    (generated / "old.md").write_text("of a table that is gone\n")
    command = [TOP / "docs/generate", "build"]

    subprocess.run(command, cwd=tmp_path, check=True)
    assert (generated / "states.md").read_text() == "states\n"
    assert "old.md" not in {path.name for path in generated.iterdir()}

    (tmp_path / "build" / programs[-1]).unlink()
    done = subprocess.run(command, cwd=tmp_path, stderr=subprocess.DEVNULL, check=False)
    assert done.returncode != 0
    assert (generated / "states.md").exists()


def test_a_stage_with_nothing_to_do_is_skipped_and_never_passed():
    loader = importlib.machinery.SourceFileLoader("verdict_tests_run", str(TOP / "tests/run"))
    runner = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("verdict_tests_run", loader)
    )
    loader.exec_module(runner)
    runner.REPORTS.mkdir(parents=True, exist_ok=True)

    assert runner.run_once("self-test", ["sh", "-c", "exit 77"]) == (0, 0, 1)
    assert runner.run_once("self-test", ["sh", "-c", "echo 1 passed, 0 failed"]) == (1, 0, 0)
    assert runner.run_once("self-test", ["true"]) == (0, 1, 0)


UNIT_TEST = """
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

static void holds(void **state) { (void)state; }
static void crc32(void **state) { (void)state; assert_int_equal(1, 2); }
static void aborts(void **state) { (void)state; abort(); }
static void leaves(void **state) { (void)state; exit(0); }
static int refuse(void **state) { (void)state; return -1; }

int main(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test(holds), cmocka_unit_test(holds), TESTS};
    int failed = cmocka_run_group_tests(all, SETUP, NULL);
    return STATUS;
}
"""


@pytest.mark.parametrize(
    "tests, setup, status, said",
    [
        ("cmocka_unit_test(holds)", "NULL", "failed", "3 passed, 0 failed"),
        ("cmocka_unit_test(crc32)", "NULL", "failed", "2 passed, 1 failed"),
        ("cmocka_unit_test(crc32)", "NULL", "0", "2 passed, 1 failed"),
        (
            "cmocka_unit_test(crc32), cmocka_unit_test(crc32)",
            "NULL",
            "failed",
            "2 passed, 2 failed",
        ),
        ("cmocka_unit_test_setup(holds, refuse)", "NULL", "failed", "2 passed, 1 failed"),
        ("cmocka_unit_test(crc32), cmocka_unit_test(aborts)", "NULL", "0", "2 passed, 1 failed"),
        ("cmocka_unit_test(leaves), cmocka_unit_test(crc32)", "NULL", "0", "2 passed, 1 failed"),
        ("cmocka_unit_test(holds)", "refuse", "failed", "0 passed, 1 failed"),
        ("cmocka_unit_test(holds)", "NULL", "(abort(), failed)", "3 passed, 1 failed"),
        ("cmocka_unit_test(holds)", "NULL", "failed + 23", "3 passed, 1 failed"),
    ],
)
def test_no_failure_of_a_unit_test_is_lost(tmp_path, tests, setup, status, said):
    program = tmp_path / "some_test"
    source = UNIT_TEST.replace("TESTS", tests).replace("SETUP", setup).replace("STATUS", status)
    (tmp_path / "some_test.c").write_text(source)
    subprocess.run(["gcc", "-o", program, f"{program}.c", "-lcmocka"], check=True)

    command = [TOP / "tests/unit/run", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == said
    assert (done.returncode == 0) == said.endswith(" 0 failed")


def test_a_unit_test_that_runs_nothing_or_is_not_there_has_failed(tmp_path):
    good = tmp_path / "good"
    good.write_text("#!/bin/sh\necho '[       OK ] this'\n")
    good.chmod(0o755)
    for other in ("/bin/true", tmp_path / "missing"):
        command = [TOP / "tests/unit/run", good, other]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "1 passed, 1 failed")


def test_an_ordinary_user_is_not_counted_twice():
    script = (TOP / "tests/support/as-ordinary-user.sh").read_text()
    command = ["bash", "-s"]
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    done = subprocess.run(
        command, cwd="/", input=script, capture_output=True, text=True, check=False
    )
    assert done.returncode == 77
    assert "passed" not in done.stdout
