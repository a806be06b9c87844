# SPDX-License-Identifier: Apache-2.0
"""Each example under Verdict, by the users' command: exactly its cases, its verdict, and a rerun of
exactly those that did not pass. What the examples need is installed by `make setup-examples`."""

import json
import os
import pathlib
import subprocess

import pytest
from parts.services import test_path as path_of_tests
from support import TOP

MADE = TOP / "build" / "examples"
HOME = pathlib.Path.home()
PATH = f"{TOP}/build/tools/bin:{path_of_tests()}:/usr/local/go/bin:{HOME}/.cargo/bin"

JAVASCRIPT = {
    "test/broken.test.js: test/broken.test.js": "errored",
    "test/sum.test.js: sum > adds": "passed",
    "test/sum.test.js: sum > adds fractions": "skipped",
    "test/sum.test.js: sum > adds on the moon": "skipped",
    "test/sum.test.js: sum > carries (on purpose not)": "failed",
    "test/sum.test.js: sum > nothing to 1": "passed",
    "test/sum.test.js: sum > nothing to 2": "passed",
}

# What is run, with which variables, and what comes of each case ("class: name[parameters]").
EXAMPLES = {
    "go-test": {
        "command": ["go", "test", "./..."],
        "environment": {
            "GOCACHE": MADE / "cache/go-build",
            "GOMODCACHE": MADE / "cache/go-mod",
            "GOPROXY": "off",
        },
        "cases": {
            "example.com/calc: TestAdd": "passed",
            "example.com/calc: TestAdd/nothing_to_1": "passed",
            "example.com/calc: TestAdd/nothing_to_2": "passed",
            "example.com/calc: TestAddsOnTheMoon": "skipped",
            "example.com/calc: TestCarries": "failed",
            "example.com/calc/tax: TestRates": "passed",
        },
    },
    "jest": {
        "command": ["node_modules/.bin/jest"],
        "cases": {**JAVASCRIPT, "test/late.test.js: is late at first": "passed"},
    },
    "vitest": {"command": ["node_modules/.bin/vitest", "run"], "cases": JAVASCRIPT},
    "playwright": {
        "command": ["node_modules/.bin/playwright", "test"],
        "environment": {"TMPDIR": "/tmp"},  # Chromium's socket wants a short path
        "cases": {
            "till.spec.js: queue › is late at first[chromium]": "passed",
            "till.spec.js: queue › opens[chromium]": "passed",
            "till.spec.js: till › adds[chromium]": "passed",
            "till.spec.js: till › gives change (on purpose not)[chromium]": "failed",
            "till.spec.js: till › is late at first[chromium]": "passed",
            "till.spec.js: till › prints[chromium]": "skipped",
        },
    },
    "surefire": {
        "command": [
            *("mvn", "test", "--batch-mode", "--offline"),
            f"-Dmaven.repo.local={MADE}/cache/m2",
            "-Dsurefire.rerunFailingTestsCount=1",
        ],
        "cases": {
            "org.example.CalcTest$WithNegatives: adds": "passed",
            "org.example.CalcTest: adds": "passed",
            "org.example.CalcTest: addsOnTheMoon": "skipped",
            "org.example.CalcTest: carries": "failed",
            "org.example.CalcTest: isLateAtFirst": "passed",
            "org.example.CalcTest: nothingTo(int)[1]": "passed",
            "org.example.CalcTest: nothingTo(int)[2]": "passed",
            "org.example.OtherTest: adds": "passed",
            "org.example.OtherTest: asksTheMoon": "errored",
        },
    },
    "nextest": {
        "command": ["cargo", "nextest", "run", "--offline"],
        "environment": {
            "CARGO_HOME": os.environ.get("CARGO_HOME", HOME / ".cargo"),
            "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", HOME / ".rustup"),
            "CARGO_TARGET_DIR": MADE / "cache/target",
        },
        "cases": {
            "calc: tests::adds": "passed",
            "calc: tests::adds_on_the_moon": "skipped",
            "calc: tests::carries": "failed",
            "calc::shown: is_shown": "passed",
            "calc::shown: is_shown_in_roman": "failed",
        },
    },
    "prove": {
        "command": ["prove"],
        "cases": {
            "t/gone.t: is there": "passed",
            "t/gone.t: t/gone.t": "errored",
            "t/later.t: t/later.t": "skipped",
            "t/sum.t: adds": "passed",
            "t/sum.t: carries (on purpose not)": "failed",
            "t/sum.t: nothing": "passed",
            "t/sum.t: test 3": "skipped",
        },
        # prove runs whole files.
        "again": {
            *("t/gone.t: is there", "t/gone.t: t/gone.t"),
            *("t/sum.t: adds", "t/sum.t: carries (on purpose not)", "t/sum.t: nothing"),
        },
    },
}


@pytest.fixture(scope="module")
def started_verdict(shared_verdict):
    shared_verdict.source_roots.append(MADE)
    shared_verdict.start_all(executors=0)
    shared_verdict.start("executor-1", VERDICT_TEST_PATH=PATH)
    return shared_verdict


def call(verdict, folder, *words):
    """What the command prints, and its exit status."""
    command = verdict.cli(*words, HOME=str(verdict.folder))
    done = subprocess.run(
        **command, cwd=folder, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout), done.returncode


def cases_of(verdict, folder, run):
    found = {}
    for case in call(verdict, folder, "results", str(run["number"]), "--json")[0]:
        parameters = f"[{case['parameters']}]" if case.get("parameters") else ""
        found[f"{case['class']}: {case['name']}{parameters}"] = case["status"]
    return found


def folder_of(name):
    if not (MADE / f"{name}.ready").exists():
        pytest.skip("not installed: make setup-examples")
    return MADE / name


def test_something_is_installed():
    assert list(MADE.glob("*.ready")), "make setup-examples"


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_has_its_cases_and_its_verdict(started_verdict, name):
    check_example(started_verdict, EXAMPLES[name], folder_of(name))


def check_example(verdict, example, folder):
    variables = []
    for variable, value in example.get("environment", {}).items():
        variables += ["--env", f"{variable}={value}"]
    expected = example["cases"]
    bad = {case for case, status in expected.items() if status in ("failed", "errored")}

    run, status = call(verdict, folder, "run", "--json", *variables, "--", *example["command"])

    assert cases_of(verdict, folder, run) == expected
    is_errored = "errored" in expected.values()
    assert (run["state"], status) == (("errored", 3) if is_errored else ("failed", 1))

    again, _ = call(verdict, folder, "rerun", "--json", "--cases", "failed", str(run["number"]))

    ran = {
        case: status
        for case, status in cases_of(verdict, folder, again).items()
        if status != "skipped"
    }
    assert ran == {case: expected[case] for case in example.get("again", bad)}
    assert again["state"] == run["state"]


def test_playwright_skips_nothing_that_did_not_run(started_verdict):
    folder = folder_of("playwright")
    command = ["node_modules/.bin/playwright", "test", "--config", "serial.config.js"]
    failed = {
        "stock.spec.js: stock › is counted once (on purpose not again)": "failed",
        "stock.spec.js: stock › is sold (on purpose not)": "failed",
        "stock.spec.js: office › opens (on purpose not)": "failed",
    }

    run, status = call(started_verdict, folder, "run", "--json", "--", *command)
    again, _ = call(started_verdict, folder, "rerun", "--json", str(run["number"]))

    for one in (run, again):
        assert cases_of(started_verdict, folder, one) == failed
        assert (one["state"], one["totals"]["not_run"]) == ("errored", 2)
    assert status == 3
    assert again["rerun"]["whole_suite"] is True


def test_what_vitest_gave_up_is_no_case_and_runs_again(started_verdict):
    folder = folder_of("vitest")
    command = ["node_modules/.bin/vitest", "run", "--bail=1", "test/sum.test.js"]

    run, status = call(started_verdict, folder, "run", "--json", "--", *command)
    again, _ = call(started_verdict, folder, "rerun", "--json", str(run["number"]))

    told = cases_of(started_verdict, folder, run)
    assert told["test/sum.test.js: sum > carries (on purpose not)"] == "failed"
    assert "test/sum.test.js: sum > nothing to 2" not in told
    assert (run["state"], status) == ("failed", 1)
    assert again["rerun"]["whole_suite"] is True
