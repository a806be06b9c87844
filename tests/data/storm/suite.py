#!/usr/bin/python3 -IS
# SPDX-License-Identifier: Apache-2.0
"""suite.py junit | tap | cmocka: a suite of the storms, which writes down what it does.

Each case is in the journal before anybody else can hear of it, and "end" says that the report is
whole. Appends of a line are atomic. From the suite's environment come CASES, PAUSE_MS between them,
FAILS (the number of the case that fails) and FLAKY (every other process or so says at its end that
all is not well, whatever it has reported); which run, task and attempt it is, from the worker.
"""

import os
import sys
import time
import zlib

RUN, TASK, ATTEMPT = (os.environ[f"VERDICT_{name}"] for name in ("RUN_ID", "TASK_ID", "ATTEMPT"))
CASES, PAUSE_MS = int(os.environ["CASES"]), int(os.environ["PAUSE_MS"])
FAILS = int(os.environ.get("FAILS", 0))
FORMATS = {
    "junit": (
        "<testsuite name='storm' tests='{cases}'>",
        "<testcase classname='storm' name='{name}' time='0.001'/>",
        "<testcase classname='storm' name='{name}'><failure message='so it is made'/></testcase>",
        "</testsuite>",
    ),
    "tap": ("1..{cases}", "ok {number} - {name}", "not ok {number} - {name}", ""),
    "cmocka": (
        "<testsuites>\n"
        '  <testsuite name="storm" time="0.000" tests="{cases}" failures="{failures}" errors="0"'
        ' skipped="0" >',
        '    <testcase name="{name}" time="0.001" >\n    </testcase>',
        '    <testcase name="{name}" time="0.001" >\n'
        "      <failure><![CDATA[so it is made]]></failure>\n    </testcase>",
        "  </testsuite>\n</testsuites>",
    ),
}


def journal(*words):
    with open(os.path.join(os.environ["JOURNAL_DIR"], RUN), "a") as file:  # noqa: PTH118, PTH123
        file.write(" ".join((words[0], TASK, ATTEMPT, *words[1:])) + "\n")


def report_cases(out, head, passed, failed, tail):
    def say(text, **values):
        print(text.format(cases=CASES, failures=int(FAILS > 0), **values), file=out, flush=True)

    say(head)
    for number in range(1, CASES + 1):
        name = f"case-{number}"
        journal("case", name, "failed" if number == FAILS else "passed")
        say(failed if number == FAILS else passed, name=name, number=number)
        time.sleep(PAUSE_MS / 1000)
    say(tail)


def exit_status():
    is_unwell = "FLAKY" in os.environ and zlib.crc32(f"{RUN} {ATTEMPT}".encode()) % 2
    return 1 if FAILS else 3 * is_unwell


def main():
    journal("start")
    if sys.argv[1] == "junit":
        with open(os.environ["VERDICT_REPORT_DIR"] + "/report.xml", "w") as out:  # noqa: PTH123
            report_cases(out, *FORMATS["junit"])
    else:
        out = sys.stdout if sys.argv[1] == "tap" else sys.stderr
        report_cases(out, *FORMATS[sys.argv[1]])
    journal("end", str(exit_status()))
    return exit_status()


sys.exit(main())
