# SPDX-License-Identifier: Apache-2.0
"""`make install` installs all of it: an installation runs from there, and only from there."""

import json
import os
import pty
import select
import shutil
import subprocess
import time
import uuid

import pytest
from support import TOP

TESTS = "def test_one():\n    pass\n\n\ndef test_two():\n    pass\n"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    command = ["make", "--no-print-directory", "install", f"DESTDIR={root}", "PREFIX=/usr"]
    subprocess.run(command, cwd=TOP, check=True, capture_output=True)
    return root / "usr"


def test_an_installed_tree_runs_tests(installed, verdict, tmp_path):
    folder = tmp_path / "suite"
    folder.mkdir()
    (folder / "test_some.py").write_text(TESTS)
    verdict.source_roots.append(folder)
    verdict.binaries = installed / "bin"
    verdict.start_all(executors=0)
    verdict.start("executor-1", VERDICT_PLUGIN_DIR="")

    command = verdict.cli("run", "--json", "--", "pytest", "test_some.py", HOME=str(tmp_path))
    done = subprocess.run(
        **command, cwd=folder, capture_output=True, text=True, timeout=90, check=False
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["totals"]["passed"] == 2


def test_an_installed_tree_migrates_a_database(installed, shared_servers, tmp_path):
    name = f"installed_{uuid.uuid4().hex[:8]}"
    shared_servers.postgres.create_database(name)
    environment = {"VERDICT_POSTGRES_URL": shared_servers.postgres.url(database=name)}
    done = subprocess.run(
        [installed / "bin" / "verdict-admin", "migrate"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    count = shared_servers.postgres.query("SELECT count(*) FROM public.schema_migration", name)
    shared_servers.postgres.query(f"DROP DATABASE {name} WITH (FORCE)", "postgres")

    assert done.returncode == 0, done.stderr
    assert int(count) == len(list((TOP / "migrations").glob("*.sql")))


def shell(name, script, *arguments):
    """What a shell's script prints; skips where that shell is not."""
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    flags = {"bash": ["--norc", "-c"], "zsh": ["-fc"], "fish": ["--no-config", "-c"]}[name]
    words = [name, *flags, script, *(["_"] if name != "fish" else []), *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


BASH = """
    source "$1"; shift
    COMP_WORDS=(verdict "$@"); COMP_CWORD=$#
    _verdict 2>/dev/null
    printf '%s\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["tok"], ["token"]),
        (["token", "re"], ["revoke"]),
        (["token", "create", "--na"], ["--name"]),
        (["run", "--ci", "git"], ["github", "gitlab"]),
        (["run", "--ci", "=", "bui"], ["buildkite"]),
        (["report", "12", "--format", "=", ""], ["html", "junit", "json", "markdown", "ctrf"]),
        (["upload", "--format", "t"], ["tap", "trx"]),
        (["show", "--st"], []),
        (["report", "--url", "ht"], []),
    ],
)
def test_bash_completes_what_is_typed(installed, typed, expected):
    script = installed / "share" / "bash-completion" / "completions" / "verdict"
    assert shell("bash", BASH, script, *typed) == expected


def test_bash_completes_at_its_prompt(installed, tmp_path):
    script = installed / "share" / "bash-completion" / "completions" / "verdict"
    (tmp_path / "some report.html").touch()
    rc = tmp_path / "rc"
    rc.write_text(f"PS1='ready> '\nbind 'set bell-style none'\nsource '{script}'\n")
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.environ["TERM"] = "dumb"
        os.execvp("bash", ["bash", "--noprofile", "--rcfile", str(rc), "-i"])
    typed = [(b"", b"ready> "), (b"verdict work\t", b"er "), (b"li\t", b"st ")]
    typed += [(b"\x15verdict report 1 --output so\t", b"me\\ report.html ")]
    for keys, answer in typed:
        os.write(terminal, keys)
        seen, deadline = b"", time.monotonic() + 60
        while answer not in seen and time.monotonic() < deadline:
            if select.select([terminal], [], [], 1)[0]:
                seen += os.read(terminal, 4096)
        assert answer in seen
    os.write(terminal, b"\x15exit\n")
    os.waitpid(pid, 0)
    os.close(terminal)


def test_zsh_and_fish_take_their_completions(installed):
    share = installed / "share"
    zsh = 'autoload -Uz compinit && compinit -D -u; source "$1"; print $_comps[verdict]'
    fish = 'source $argv[1]; complete -C "verdict token re"; complete -C "verdict run --ci bui"'

    assert shell("zsh", zsh, share / "zsh" / "site-functions" / "_verdict") == ["_verdict"]
    completed = shell("fish", fish, share / "fish" / "vendor_completions.d" / "verdict.fish")
    assert completed[0] == "revoke" and "buildkite" in completed


@pytest.mark.parametrize(
    ("page", "parts"),
    [
        ("man1/verdict.1", (".SS verdict token create", "\\-\\-ci\\-dir")),
        ("man8/verdict-admin.8", (".SS verdict\\-admin pool join\\-token", "\\-\\-partitions")),
    ],
)
def test_the_manual_is_a_page_without_a_fault(installed, page, parts):
    page = installed / "share" / "man" / page
    checkers = {"mandoc": ["-T", "lint", "-W", "warning"], "groff": ["-man", "-ww", "-z", "-Kutf8"]}
    there = {name: words for name, words in checkers.items() if shutil.which(name)}
    for name, words in there.items():
        command = [name, *words, page]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.stdout + done.stderr, done.returncode) == ("", 0), name

    text = page.read_text()
    assert all(part in text for part in parts)
    if not there:
        pytest.skip("neither mandoc nor groff is installed")
