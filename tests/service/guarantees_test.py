# SPDX-License-Identifier: Apache-2.0
"""docs/guarantees.md names the tests that prove each promise: they are there, and `make chaos` has
what it names."""

import ast
import importlib.util
import re

import pytest
from support import TOP

PAGE = (TOP / "docs" / "guarantees.md").read_text()
ROWS = re.findall(r"^\| (P\d+[a-z]?) \| (.+?) \| (.+) \|$", PAGE, re.MULTILINE)
TESTS = re.compile(r"`((?:unit|service|schema|e2e|crash|chaos|spec)/[\w./-]+)(?:::(\w+))?`")


def names_in(path):
    """The tests of a file."""
    tree = ast.parse(path.read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def proofs():
    path = TOP / "tests" / "chaos" / "promises.py"
    spec = importlib.util.spec_from_file_location("promises", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PROOFS


@pytest.mark.parametrize(("number", "proved_by"), [(row[0], row[2]) for row in ROWS])
def test_the_tests_that_prove_a_promise_are_there(number, proved_by):
    named = TESTS.findall(proved_by)

    assert named, f"{number} names no test"
    for file, name in named:
        path = TOP / "tests" / file
        assert path.exists(), f"{number}: {file} is not there"
        assert not name or name in names_in(path), f"{number}: {file} has no {name}"


def test_every_promise_of_the_storms_is_kept_at_length():
    """Those after P18 have no chance in them: `make test` shows all that there is."""
    promised = {row[0] for row in ROWS}
    at_length = {number for numbers in proofs() for number in numbers.split(", ")}

    assert at_length <= promised
    assert {p for p in promised if int(re.search(r"\d+", p)[0]) <= 18} <= at_length


def test_what_is_run_at_length_is_there():
    for number, proof in proofs().items():
        for test in proof.tests:
            file, _, name = test.partition("::")
            path = TOP / "tests" / file
            assert path.exists(), f"{number}: {file} is not there"
            assert not name or name in names_in(path), f"{number}: {file} has no {name}"
