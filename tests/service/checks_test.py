# SPDX-License-Identifier: Apache-2.0
"""The checks of `make test` themselves: what has read or run nothing has not passed."""

import importlib.machinery
import importlib.util
import os
import shutil
import subprocess

import pytest
from support import TOP

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
