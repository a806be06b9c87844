# SPDX-License-Identifier: Apache-2.0
"""Where the tests come from: git, its cache, and directories on the worker."""

import contextlib
import functools
import http.server
import os
import threading

import pytest
from support.project import git


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
