# SPDX-License-Identifier: Apache-2.0
"""Tests run on files that were sent along: by the command, and what a worker makes of a bundle that
is none of ours."""

import hashlib
import io
import subprocess
import tarfile
import textwrap

import pytest
from parts.process import wait_until


@pytest.fixture(scope="module")
def installation(shared_verdict):
    shared_verdict.files = shared_verdict.folder / "files"
    shared_verdict.start_all(VERDICT_BLOB_URL=f"file://{shared_verdict.files}")
    shared_verdict.api.put("/v1/projects/shop", {"title": "Shop"})
    return shared_verdict


class Tree:
    """A directory that no worker may look into, and the command in it."""

    def __init__(self, verdict, folder):
        self.verdict = verdict
        self.folder = folder

    def write(self, **texts):
        for name, text in texts.items():
            path = self.folder / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))

    def run(self, *words, status=0):
        command = self.verdict.cli("run", "--bundle", ".", *words)
        done = subprocess.run(**command, cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def tree(installation, tmp_path):
    return Tree(installation, tmp_path)


def test_a_suite_runs_from_a_directory_without_git(tree):
    tree.write(
        _gitignore="secret*\n!secret.not\n",
        secret="x",
        secret_not="x",
        deep__data="there",
        run_sh="""
            ls -A
            test "$(cat deep/data)" = there && test ! -e secret && test -e secret.not
        """,
    )
    words = ("--project", "shop", "--", "sh", "run.sh")

    first = tree.run(*words)
    again = tree.run(*words)
    tree.write(deep__data="else")
    changed = tree.run(*words, status=1)

    assert "KiB sent" in first
    assert "KiB were there already" in again
    assert "KiB sent" in changed


def test_a_suite_of_verdict_yaml_runs_where_it_lies_in_the_bundle(tree):
    tree.write(
        verdict_yaml="""
            project: shop
            suites:
              unit:
                framework: command
                source: {path: tests}
                command: [sh, run.sh]
                report: {format: none}
        """,
        tests__run_sh="cat ../beside",
        beside="x",
    )

    tree.run()

    assert "--bundle goes with -- COMMAND" in tree.run("--suite", "another", status=2)


def test_what_leads_outside_is_not_sent(tree):
    (tree.folder / "link").symlink_to("/etc/passwd")
    before = tree.verdict.db.value("SELECT count(*) FROM api.run")

    said = tree.run("--project", "shop", "--", "true", status=2)

    assert "link is a link that leads outside, to /etc/passwd" in said
    assert tree.verdict.db.value("SELECT count(*) FROM api.run") == before


def tar(*members):
    """A bundle by others: (name, content or what else the member is)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        for name, content, *more in members:
            info = tarfile.TarInfo(name)
            for key, value in dict(*more).items():
                setattr(info, key, value)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def trigger(verdict, content, command, **source):
    name = hashlib.sha256(content).hexdigest()
    verdict.api.put(f"/v1/bundles/{name}?project=shop", data=content, expect=201)
    suite = {
        "slug": "sent",
        "framework": "command",
        "source": {"kind": "bundle", "bundle": name, **source},
        "command": command,
        "report": {"format": "none"},
    }
    return verdict.api.post("/v1/runs", {"project": "shop", "suite": suite}, expect=201)["id"]


def run(verdict, content, *command, **source):
    return verdict.wait_final(trigger(verdict, content, list(command), **source))


SCRIPT = b"#!/bin/sh\ntest -f '\xc3\xbc.txt' && test ! -x '\xc3\xbc.txt' && cat ../said\n"


def test_tests_run_on_what_was_sent(installation):
    content = tar(
        ("./said", b"it is what was sent\n"),
        ("./sub/run.sh", SCRIPT, {"mode": 0o4755}),
        ("./sub/\u00fc.txt", b"x"),
    )

    made = run(installation, content, "./run.sh", path="sub")

    assert made["state"] == "passed"
    assert "it is what was sent" in installation.api.get(f"/v1/runs/{made['id']}/logs")
    again = installation.api.post(f"/v1/runs/{made['id']}/rerun", {"cases": "all"}, expect=201)
    assert installation.wait_final(again["id"])["state"] == "passed"
    kept = installation.db.value("SELECT bundle FROM api.run WHERE id = %s", again["id"])
    assert bytes(kept).hex() == hashlib.sha256(content).hexdigest()


SYMLINK = {"type": tarfile.SYMTYPE, "linkname": "../../../../etc/passwd"}
HARD_LINK = {"type": tarfile.LNKTYPE, "linkname": "/etc/passwd"}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (tar(("../out", b"x")), "the bundle, at ../out: its path leads outside"),
        (tar(("a", b"", SYMLINK)), "the bundle, at a: it is a link that leads outside"),
        (tar(("a", b"", HARD_LINK)), "the bundle, at a: it is a hard link"),
        (tar(("a", b"", {"type": tarfile.CHRTYPE})), "the bundle, at a: it is neither a file"),
        (tar(("a", b"x" * 100_000))[:60], "the bundle"),
        (b"no archive", "the bundle"),
    ],
    # Archives hold the time at which they were made: two workers would not collect the same names.
    ids=["path", "symbolic link", "hard link", "device", "cut", "nothing"],
)
def test_what_is_hostile_or_broken_ends_the_run_and_says_why(installation, content, why):
    made = run(installation, content, "true")

    assert (made["state"], made["reason"]) == ("errored", "source_failed")
    told = installation.api.get(f"/v1/runs/{made['id']}/why")
    assert why in str(told)


def test_other_content_than_was_named_is_not_unpacked(installation):
    content = tar(("a", b"right"))
    name = hashlib.sha256(content).hexdigest()
    installation.stop("executor-1")
    waiting = trigger(installation, content, ["true"])
    (blob,) = installation.files.rglob(name)
    blob.chmod(0o600)
    blob.write_bytes(tar(("a", b"wrong")))

    installation.start("executor-1")

    made = installation.wait_final(waiting)
    assert (made["state"], made["reason"]) == ("errored", "source_failed")
    told = installation.api.get(f"/v1/runs/{made['id']}/why")
    assert "the bundle came with other content" in str(told)


def test_a_worker_waits_for_an_api_that_is_away(installation):
    installation.stop("executor-1")
    waiting = trigger(installation, tar(("a", b"patience")), ["cat", "a"])
    installation.stop("api-ingest")
    installation.start("executor-1")
    given_out = "SELECT count(*) FROM scheduling.dispatch WHERE run_id = %s"
    wait_until(lambda: installation.db.value(given_out, waiting), 60, "it to be given out")

    installation.start("api-ingest")

    assert installation.wait_final(waiting)["state"] == "passed"
