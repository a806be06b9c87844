# SPDX-License-Identifier: Apache-2.0
"""The executor on real parts: frameworks, sources, limits, output, secrets, draining."""

import contextlib
import functools
import http.server
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import textwrap
import threading
import uuid

import pytest
from parts.process import wait_until
from support import TOP

SERVICES = ("api-ingest", "scheduler", "result-collector", "executor")
POLICY = {"task_timeout_ms": 60000, "run_timeout_ms": 120000, "grace_ms": 500}


def start(verdict):
    for name in SERVICES:
        verdict.start(name, wait=False)
    for name in SERVICES:
        verdict.services[name].wait_ready()
    verdict.api.put("/v1/projects/shop", {"title": "Shop"})


class Project:
    """A source directory that the worker sees, and runs of what is in it."""

    def __init__(self, verdict, name):
        self.verdict = verdict
        self.folder = verdict.folder / "sources" / name
        self.folder.mkdir(parents=True)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def trigger(self, framework, *command, policy=None, run=None, **suite):
        source = {"kind": "path", "path": str(self.folder)}
        spec = {"slug": "suite", "framework": framework, "source": source, **suite}
        if command:
            spec["command"] = list(command)
        body = {"project": "shop", "suite": spec, "policy": {**POLICY, **(policy or {})}}
        return self.verdict.api.post("/v1/runs", {**body, **(run or {})}, expect=201)["id"]

    def run(self, framework, *command, **more):
        return self.verdict.wait_final(self.trigger(framework, *command, **more))

    def results(self, run):
        rows = self.verdict.db.query(
            """SELECT name, class, parameters, status, message, trace FROM results.result
               WHERE run_id = %s ORDER BY class, name, parameters""",
            run["id"],
        )
        return {(row["name"], row["parameters"]): row for row in rows}

    def log(self, run, stream=None):
        rows = self.verdict.db.query(
            "SELECT stream, text FROM results.log_chunk WHERE run_id = %s ORDER BY seq", run["id"]
        )
        return "".join(row["text"] for row in rows if stream in (None, row["stream"]))


@pytest.fixture(scope="module")
def started_verdict(shared_verdict):
    start(shared_verdict)
    return shared_verdict


@pytest.fixture
def project(started_verdict, request):
    """On services that all these tests share."""
    name = re.sub(r"\W", "_", request.node.name)  # pytest finds nothing below a folder[x]
    return Project(started_verdict, name)


@pytest.fixture
def own_project(verdict):
    """On services of its own, which the test may stop and kill."""
    start(verdict)
    return Project(verdict, "own")


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


def git(folder, *words):
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    done = subprocess.run(
        ["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_a_git_source_is_fetched_at_the_commit_of_the_run(project):
    git(project.folder, "init", "-q", "-b", "main")
    project.write("check.sh", "exit 1")
    git(project.folder, "add", ".")
    git(project.folder, "commit", "-qm", "broken")
    broken = git(project.folder, "rev-parse", "HEAD")
    project.write("check.sh", "exit 0")
    git(project.folder, "commit", "-qam", "mended")
    source = {"kind": "git", "url": f"file://{project.folder}"}
    suite = {"source": source, "report": {"format": "none"}}

    old = project.run("command", "sh", "check.sh", run={"commit": broken}, **suite)
    new = project.run("command", "sh", "check.sh", **suite)
    branch = {**suite, "source": {**source, "ref": "main"}}
    by_branch = project.run("command", "sh", "check.sh", **branch)

    assert (old["state"], new["state"], by_branch["state"]) == ("failed", "passed", "passed")


@pytest.fixture
def repository(project):
    """Commits "old" and "new" on main, and "side", which only refs/changes/1 leads to. Each has a
    check.sh that tells its name."""
    folder = project.folder
    git(folder, "init", "-q", "-b", "main")
    commits = {}
    for name in ("old", "new", "side"):
        project.write("check.sh", f"echo the {name} one")
        git(folder, "add", ".")
        git(folder, "commit", "-qm", name)
        commits[name] = git(folder, "rev-parse", "HEAD")
    git(folder, "update-ref", "refs/changes/1", commits["side"])
    git(folder, "reset", "-q", "--hard", commits["new"])
    return commits


@contextlib.contextmanager
def plain_web_server(folder):
    """Of files: git gets whole branches and tags from it, and no single commit."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    handler.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def run_from_git(project, commit=None, **source):
    return project.run(
        *("command", "sh", "check.sh"),
        source={"kind": "git", "url": f"file://{project.folder}", **source},
        report={"format": "none"},
        run={"commit": commit} if commit else None,
    )


def test_the_commit_of_a_run_goes_before_the_ref_of_its_source(project, repository):
    run = run_from_git(project, repository["old"], ref="main")

    assert run["state"] == "passed"
    assert project.log(run, "stdout") == "the old one\n"


@pytest.mark.parametrize("ref", ["main", None])
def test_a_commit_that_is_not_there_is_never_another_one(project, repository, ref):
    lost = "0123456789" * 4

    run = run_from_git(project, lost, **({"ref": ref} if ref else {}))

    assert (run["state"], run["reason"]) == ("errored", "source_failed")
    assert f"commit {lost}" in run["reason_detail"]
    assert "pinned" in run["reason_detail"]


def test_a_server_that_gives_no_single_commits_is_asked_for_the_refs(project, repository):
    git(project.folder, "update-server-info")
    with plain_web_server(project.folder) as server:
        url = f"{server}/.git"
        on_branch = run_from_git(project, repository["old"], url=url)
        at_ref = run_from_git(project, repository["side"], url=url, ref="refs/changes/1")
        nowhere = run_from_git(project, repository["side"], url=url, ref="main")

    assert project.log(on_branch, "stdout") == "the old one\n"
    assert project.log(at_ref, "stdout") == "the side one\n"
    assert (nowhere["state"], nowhere["reason"]) == ("errored", "source_failed")
    assert repository["side"] in nowhere["reason_detail"]


def test_a_source_of_another_repository_is_pinned(project, repository):
    of_the_build = "fedcba9876" * 4

    pinned = run_from_git(project, of_the_build, ref="main", pinned=True)
    by_commit = run_from_git(project, of_the_build, ref=repository["old"])
    not_full = run_from_git(project, "build-7", ref="main")

    assert project.log(pinned, "stdout") == "the new one\n"
    assert project.log(by_commit, "stdout") == "the old one\n"
    assert project.log(not_full, "stdout") == "the new one\n"


def caches(project):
    folder = project.verdict.folder / "executor" / "work" / "git-cache"
    return [path for path in folder.glob("*") if path.is_dir()]


def object_files(cache):
    return [path for path in (cache / "objects").rglob("*") if path.is_file()]


def cache_of(project, run):
    """The cache that a run has made, of those that other tests have left."""
    before = set(caches(project))
    assert run()["state"] == "passed"
    (made,) = set(caches(project)) - before
    return made


def test_a_commit_that_was_fetched_is_not_fetched_again(project, repository):
    url = f"file://somebody:secret@localhost{project.folder}"
    cache = cache_of(project, lambda: run_from_git(project, repository["old"], url=url))
    stored = object_files(cache)
    by_branch = run_from_git(project, ref="side-by-side", url=url)
    project.folder.rename(project.folder.with_name("gone"))
    again = run_from_git(project, repository["old"], url=url)
    other = run_from_git(project, repository["new"], url=url)

    assert "the old one" in project.log(again)
    assert other["reason"] == "source_failed"
    assert by_branch["reason"] == "source_failed"
    assert set(stored) <= set(object_files(cache))
    told = [path for path in cache.rglob("*") if path.is_file() and b"secret" in path.read_bytes()]
    assert told == []


def test_a_branch_is_asked_for_each_time_and_only_what_is_new_is_fetched(project, repository):
    cache = cache_of(project, lambda: run_from_git(project, ref="main"))
    project.write("check.sh", "echo the newest one")
    git(project.folder, "commit", "-qam", "newest")
    moved = run_from_git(project, ref="main")

    assert "the newest one" in project.log(moved)
    assert cache in caches(project)


@pytest.mark.parametrize("how", ["truncated", "overwritten", "away"])
def test_a_damaged_cache_is_made_anew(project, repository, how):
    cache = cache_of(project, lambda: run_from_git(project, repository["old"]))
    for path in object_files(cache):
        path.chmod(0o600)
        if how == "truncated":
            path.write_bytes(path.read_bytes()[:20])
        elif how == "overwritten":
            path.write_bytes(b"x" * path.stat().st_size)
        else:
            path.unlink()
    mended = run_from_git(project, repository["old"])
    project.folder.rename(project.folder.with_name(f"gone-{how}"))
    again = run_from_git(project, repository["old"])

    assert [project.log(run).count("the old one") for run in (mended, again)] == [1, 1]


def test_a_cache_that_names_another_commit_is_not_believed(project, repository):
    cache = cache_of(project, lambda: run_from_git(project, repository["old"]))
    run_from_git(project, repository["new"])
    for path in (cache / "refs" / "verdict").iterdir():
        path.write_text(f"{repository['new']}\n")

    assert "the old one" in project.log(run_from_git(project, repository["old"]))


def test_two_tasks_fetch_at_once_and_the_oldest_cache_goes_first(own_project):
    verdict, folder = own_project.verdict, own_project.folder
    verdict.start("executor", VERDICT_SLOTS="2", VERDICT_GIT_CACHE_MB="3")
    git(folder, "init", "-q", "-b", "main")
    own_project.write("check.sh", "echo the only one")
    (folder / "large").write_bytes(os.urandom(2_000_000))
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "only")
    suite = {"report": {"format": "none"}, "slug": "git"}
    urls = [f"file://{folder}", f"file://localhost{folder}"]

    def trigger(url):
        source = {"kind": "git", "url": url}
        return own_project.trigger("command", "sh", "check.sh", source=source, **suite)

    runs = [verdict.wait_final(run) for run in [trigger(urls[0]), trigger(urls[0])]]
    (first,) = caches(own_project)
    runs.append(verdict.wait_final(trigger(urls[1])))

    assert [run["state"] for run in runs] == ["passed"] * 3
    (left,) = caches(own_project)
    assert left != first


def test_a_git_source_that_is_not_there_says_it_in_gits_words(project):
    source = {"kind": "git", "url": f"file://{project.folder}/nowhere"}

    run = project.run("command", "true", source=source, report={"format": "none"})

    assert (run["state"], run["reason"]) == ("errored", "source_failed")
    assert "nowhere" in run["reason_detail"]


def test_a_path_outside_the_roots_is_refused(project):
    source = {"kind": "path", "path": "/etc"}

    run = project.run("command", "true", source=source, report={"format": "none"})

    assert (run["state"], run["reason"]) == ("errored", "source_failed")
    assert "VERDICT_SOURCE_ROOTS" in run["reason_detail"]


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


def test_a_worker_that_lost_its_spool_is_heard_all_the_same(own_project):
    verdict = own_project.verdict
    for _ in range(3):
        verdict.stop("executor")
        verdict.start("executor")
    before = verdict.db.value("SELECT incarnation FROM scheduling.worker")
    verdict.stop("executor")
    shutil.rmtree(verdict.folder / "executor" / "spool")
    verdict.start("executor")

    run = own_project.run("command", "true", report={"format": "none"})

    assert run["state"] == "passed"
    assert verdict.db.value("SELECT incarnation FROM scheduling.worker") > before


def test_a_revoked_worker_stays_away_until_it_is_restored(own_project):
    verdict = own_project.verdict
    times = {"VERDICT_HEARTBEAT": "50ms", "VERDICT_ENROL_AGAIN": "500ms"}
    verdict.stop("executor")
    executor = verdict.start("executor", **times)
    (worker,) = verdict.api.get("/v1/workers")["items"]
    path = f"/v1/workers/{worker['id']}"

    verdict.api.delete(path)
    wait_until(lambda: "was revoked" in executor.health()[1], 30, "its enrolment to be refused")
    refused, state = executor.health()[1], verdict.api.get(path)["state"]
    verdict.pause("scheduler")  # each word of it would begin the counting anew
    tries, before = '"error_code":"forbidden"', executor.log_path.read_text()
    enough = before.count(tries) + 9
    wait_until(lambda: executor.log_path.read_text().count(tries) >= enough, 8, "it to try soon")
    verdict.resume("scheduler")
    log = executor.log_tail(20)
    verdict.api.post(f"{path}/restore")
    run = own_project.run("command", "true", report={"format": "none"})

    assert "the worker executor of this pool was revoked" in refused
    assert "the worker executor of this pool was revoked" in log
    assert state == "revoked"
    assert run["state"] == "passed"
    assert verdict.api.get(path)["state"] == "online"


def test_results_that_the_ledger_has_never_heard_of_are_put_aside(own_project):
    """As after an older database was put back."""
    verdict = own_project.verdict
    spool = verdict.folder / "executor" / "spool"
    run = own_project.trigger("command", "true", report={"format": "none"})
    verdict.wait_final(run)
    wait_until(lambda: not list(spool.glob("*.spool")), 30, "the spool to be settled")
    verdict.stop("result-collector")  # so that the second one cannot be settled
    run = own_project.trigger("command", "true", report={"format": "none"})
    held = wait_until(lambda: list(spool.glob("*.spool")), 30, "the second dispatch")[0]
    verdict.stop("scheduler")
    for table in ("dispatch", "task", "run_event", "run_state"):
        verdict.db.query(f"DELETE FROM scheduling.{table} WHERE run_id = %s", run)
    verdict.db.query("DELETE FROM api.run WHERE id = %s", run)

    verdict.start("scheduler")

    wait_until((spool / "aside" / held.name).exists, 30, "the results to be put aside")
    assert not held.exists()


def descriptors(pid):
    return {int(name) for name in os.listdir(f"/proc/{pid}/fd")}


def test_results_that_wait_hold_no_descriptors(own_project):
    """While the collector is away nothing is settled, so each dispatch keeps its spool file."""
    verdict = own_project.verdict
    spool = verdict.folder / "executor" / "spool"
    executor = verdict.services["executor"]
    verdict.wait_final(own_project.trigger("command", "true", report={"format": "none"}))
    wait_until(lambda: not list(spool.glob("*.spool")), 30, "the spool to be settled")
    verdict.stop("result-collector")
    before = descriptors(executor.pid())
    runs = [own_project.trigger("command", "true", report={"format": "none"}) for _ in range(24)]
    find = """SELECT count(*) FROM scheduling.dispatch WHERE run_id = ANY(%s::uuid[])"""
    wait_until(lambda: verdict.db.value(find, runs) == 24, 30, "all to be given out")

    wait_until(lambda: len(list(spool.glob("*.spool"))) == 24, 30, "24 files in the spool")
    few = len(before) + 10
    wait_until(
        lambda: len(descriptors(executor.pid())) < few, 10, "its descriptors to be given back"
    )
    verdict.kill("executor")
    verdict.start("executor")
    assert len(descriptors(executor.pid())) < few
    verdict.start("result-collector")
    assert {verdict.wait_final(run)["state"] for run in runs} == {"passed"}


def test_the_start_fails_when_results_in_the_spool_cannot_be_read(own_project):
    verdict = own_project.verdict
    spool = verdict.folder / "executor" / "spool"
    executor = verdict.services["executor"]
    verdict.stop("executor")
    held = spool / f"{uuid.uuid4()}.spool"
    held.mkdir()  # opening it fails, as it does for the lack of descriptors or rights

    executor.start()
    wait_until(lambda: not executor.is_running(), 10, "the start to fail")

    assert held.name in executor.log_tail(5)
    assert held.exists()
    assert not list((spool / "aside").iterdir())


def test_a_worker_takes_all_descriptors_and_its_tests_keep_their_limit(own_project):
    executor = own_project.verdict.services["executor"]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    own_project.verdict.stop("executor")
    limit = max(descriptors(os.getpid())) + 100  # this process is to live with it as well
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        executor.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    run = own_project.run("command", "sh", "-c", "ulimit -Sn", report={"format": "none"})

    assert own_project.log(run) == f"{limit}\n"
    assert resource.prlimit(executor.pid(), resource.RLIMIT_NOFILE) == (hard, hard)


def leave_descriptors(pid, count):
    """So many free ones."""
    used = descriptors(pid)
    limit = next(n for n in range(1 << 20) if n - len({fd for fd in used if fd < n}) == count)
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, hard))


def test_a_worker_without_descriptors_takes_nothing_new_and_says_why(project):
    verdict = project.verdict
    executor = verdict.services["executor"]
    before = resource.prlimit(executor.pid(), resource.RLIMIT_NOFILE)
    find = "SELECT attempt FROM scheduling.task WHERE run_id = %s"
    try:
        leave_descriptors(executor.pid(), 5)
        run = project.trigger("command", "true", report={"format": "none"})
        wait_until(lambda: "Too many open files" in executor.health()[1], 20, "it to say why")
        heartbeats = (m for m in verdict.bus.read_json("scheduling") if "free_slots" in m)
        free_slots = max(heartbeats, key=lambda m: m["seq"])["free_slots"]
    finally:
        resource.prlimit(executor.pid(), resource.RLIMIT_NOFILE, before)

    assert free_slots == 0
    assert verdict.wait_final(run)["state"] == "passed"
    assert verdict.db.value(find, run) < 5


def test_a_second_executor_keeps_out_of_the_work_directory(project):
    verdict = project.verdict
    first = verdict.services["executor"]
    work = verdict.folder / "executor" / "work"
    script = "touch go; while [ ! -e stop ]; do sleep 0.05; done; test -d $HOME"
    run = project.trigger("command", "sh", "-c", script, report={"format": "none"})
    wait_until((project.folder / "go").exists, 20, "the tests to run")

    second = verdict.start("executor-2", wait=False, VERDICT_WORK_DIR=work)
    wait_until(lambda: not second.is_running(), 10, "the second one to end")
    (project.folder / "stop").touch()

    assert second.exit_status() == 1
    assert f"VERDICT_WORK_DIR {work} belongs to another executor" in second.log_tail(5)
    assert f"process {first.pid()}" in second.log_tail(5)
    assert verdict.wait_final(run)["state"] == "passed"


# The server under test ends when it is told to, and its test says that it has ended too soon.
ENDED_TOO_SOON = """
echo 1..1
trap '' TERM
if [ "$VERDICT_ATTEMPT" = 1 ]; then
    echo >begun
    (trap - TERM; exec sleep 60) || { echo "not ok 1 - server"; exit 1; }
fi
echo "ok 1 - server"
"""


def test_how_tests_die_of_a_hand_back_is_no_result(own_project):
    verdict = own_project.verdict
    verdict.stop("executor")
    verdict.start("executor", VERDICT_STOP_GRACE="4s")
    own_project.write("t.sh", ENDED_TOO_SOON)
    run = own_project.trigger("command", "/bin/bash", "t.sh", report={"format": "tap"})
    wait_until((own_project.folder / "begun").exists, 30, "the test to run")

    verdict.restart("executor")

    assert verdict.wait_final(run)["state"] == "passed"
    attempt = verdict.db.value("SELECT attempt FROM scheduling.task WHERE run_id = %s", run)
    assert attempt == 2


TERMS = """
import pathlib, signal, time
terms = []
signal.signal(signal.SIGTERM, lambda *_: terms.append(1))
pathlib.Path("begun").touch()
while not terms:
    time.sleep(0.01)
time.sleep(0.3)
print(f"TERM came {len(terms)} times")
"""


def test_whoever_is_ended_is_told_so_once(project):
    project.write("terms.py", TERMS)
    policy = {"task_timeout_ms": 1000, "grace_ms": 3000}

    run = project.run("command", "python3", "terms.py", report={"format": "none"}, policy=policy)

    assert run["state"] == "timed_out"
    assert "TERM came 1 times" in project.log(run)


# Where reports lie in a directory of the executor's, whatever its name is.
REPORTS = 'echo "<testsuite><testcase name=\'a\'/></testsuite>" >"$VERDICT_REPORT_DIR/a.xml"'


def test_a_work_dir_may_be_relative_and_have_any_name(own_project):
    folder = own_project.verdict.folder / "w[1]" / "work"
    folder.mkdir(parents=True)
    own_project.verdict.stop("executor")
    own_project.verdict.start("executor", VERDICT_WORK_DIR=os.path.relpath(folder))
    own_project.write("test_a.py", "def test_a(): pass\n")

    streamed = own_project.run("pytest")
    reported = own_project.run("command", "sh", "-c", REPORTS, report={"format": "junit"})

    assert [streamed["state"], reported["state"]] == ["passed", "passed"]


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


def pid_is_gone(path):
    pid = int(path.read_text())
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"


def test_a_daemon_that_stays_behind_is_ended(project):
    script = "setsid sh -c 'trap \"\" TERM; echo $$ >pid; while :; do sleep 1; done' & sleep 0.3"

    run = project.run("command", "sh", "-c", script, report={"format": "none"})

    assert run["state"] == "passed"
    assert pid_is_gone(project.folder / "pid")


def test_the_end_of_the_executor_is_the_end_of_its_tests(own_project):
    script = "setsid sh -c 'trap \"\" TERM; echo $$ >pid; while :; do sleep 1; done' & sleep 30"
    own_project.trigger("command", "sh", "-c", script, report={"format": "none"})
    pid = own_project.folder / "pid"
    wait_until(lambda: pid.exists() and pid.read_text(), 20, "the tests to run")

    own_project.verdict.kill("executor")

    wait_until(lambda: pid_is_gone(pid), 10, "the tests to be gone")


def test_a_worker_that_is_stopped_finishes_what_it_runs(own_project):
    run_id = own_project.trigger(
        "command", "sh", "-c", "echo go >go; sleep 2", report={"format": "none"}
    )
    wait_until(lambda: (own_project.folder / "go").exists(), 20, "the tests to run")

    assert own_project.verdict.stop("executor") == 0

    run = own_project.verdict.wait_final(run_id)
    assert run["state"] == "passed"
    attempts = own_project.verdict.db.value(
        "SELECT max(attempt) FROM scheduling.task WHERE run_id = %s", run_id
    )
    assert attempts == 1


def test_what_does_not_fit_into_the_grace_is_handed_back(own_project):
    own_project.verdict.stop("executor")
    own_project.verdict.start("executor", VERDICT_STOP_GRACE="6s")
    script = "if [ -e again ]; then exit 0; fi; echo >again; sleep 60"
    run_id = own_project.trigger("command", "sh", "-c", script, report={"format": "none"})
    wait_until(lambda: (own_project.folder / "again").exists(), 20, "the tests to run")

    assert own_project.verdict.stop("executor") == 0
    own_project.verdict.start("executor")

    run = own_project.verdict.wait_final(run_id)
    assert run["state"] == "passed"
    dispatches = own_project.verdict.db.query(
        "SELECT ended FROM scheduling.dispatch WHERE run_id = %s ORDER BY attempt", run_id
    )
    assert [row["ended"] for row in dispatches] == ["recorded", "recorded"]


def times_sent(project, dispatch_id):
    """How many times the first item of a dispatch's stream lies in the topic."""
    messages = project.verdict.bus.read_json("results")
    return sum(m["dispatch_id"] == dispatch_id and m["first_seq"] == 1 for m in messages)


def test_what_the_full_set_does_not_hold_is_ended(own_project):
    """And none of its results counts: the task is given out once more."""
    verdict = own_project.verdict
    script = """
        [ -e again ] && exit 0
        touch again
        setsid sh -c 'trap "" TERM; echo $$ >pid; while :; do sleep 1; done' & sleep 60
    """
    run = own_project.trigger("command", "sh", "-c", script, report={"format": "none"})
    pid = own_project.folder / "pid"
    wait_until(lambda: pid.exists() and pid.read_text(), 20, "the tests to run")
    find = "SELECT count(*) FROM scheduling.task WHERE run_id = %s AND state = 'running'"
    wait_until(lambda: verdict.db.value(find, run), 20, "the worker to have said it")
    verdict.pause("scheduler")
    lane = verdict.db.value("SELECT lane FROM api.enrolment")
    topic = next(name for name in verdict.bus.topics() if name.startswith("lanes."))
    told = [json.loads(m.value()) for m in verdict.bus.read(topic, partitions=[lane])]
    full_set = [message for message in told if "incarnation" in message][-1]
    full_set |= {"type": "worker.sync", "heartbeat_seq": 1 << 40, "running": []}
    full_set["seq"] += 1

    verdict.bus.produce(topic, full_set, partition=lane)

    wait_until(lambda: pid_is_gone(pid), 10, "the tests to be gone")
    find = "SELECT ending FROM results.task_record WHERE run_id = %s"
    ending = wait_until(lambda: verdict.db.value(find, run), 20, "its stream to end")
    results = verdict.db.value("SELECT count(*) FROM results.result WHERE run_id = %s", run)
    verdict.resume("scheduler")
    final = verdict.wait_final(run)

    assert (ending, results) == ("cancelled", 0)
    assert (final["state"], final["totals"]["planned"], final["totals"]["passed"]) == (
        "passed",
        1,
        1,
    )
    ended = "SELECT ended FROM scheduling.dispatch WHERE run_id = %s ORDER BY attempt"
    assert [row["ended"] for row in verdict.db.query(ended, run)] == ["lost", "recorded"]


def test_a_resync_token_makes_it_send_the_spool_again(own_project):
    """While the collector is away nothing is settled, so the spool is kept."""
    verdict = own_project.verdict
    verdict.stop("executor")
    verdict.start("executor", VERDICT_RESEND="600s")
    verdict.stop("result-collector")
    run_id = own_project.trigger("command", "true", report={"format": "none"})
    find = "SELECT id::text FROM scheduling.dispatch WHERE run_id = %s"
    dispatch_id = wait_until(lambda: verdict.db.value(find, run_id), 20, "a dispatch")
    wait_until(lambda: times_sent(own_project, dispatch_id) == 1, 20, "the stream to be sent")

    resync = {"version": 1, "type": "resync", "token": str(uuid.uuid4()), "topic": "results"}
    for partition in range(verdict.bus.partitions("scheduling")):
        verdict.bus.produce("scheduling", resync, partition=partition)

    wait_until(lambda: times_sent(own_project, dispatch_id) == 2, 20, "it to be sent again")
    verdict.start("result-collector")
    assert verdict.wait_final(run_id)["state"] == "passed"


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
