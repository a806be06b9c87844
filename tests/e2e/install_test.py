# SPDX-License-Identifier: Apache-2.0
"""`make install` installs all of it: an installation runs from there, and only from there."""

import json
import subprocess
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
