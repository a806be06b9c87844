# SPDX-License-Identifier: Apache-2.0
"""verdict-admin on real servers: the operator's command does what it says, and refuses by name."""

import os
import pathlib
import shutil
import stat
import subprocess
import uuid

import pytest
from parts.services import PROGRAMS, TOP


class Operator:
    """Runs verdict-admin against the servers of the session."""

    def __init__(self, settings):
        self.environment = {"PATH": os.environ["PATH"], **{k: str(v) for k, v in settings.items()}}

    def start(self, *words):
        return subprocess.Popen(
            [PROGRAMS / "verdict-admin", *map(str, words)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words):
        """(exit status, stdout, stderr)"""
        process = self.start(*words)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def must(self, *words):
        status, out, err = self.run(*words)
        assert status == 0, err
        return out


@pytest.fixture
def operator(verdict):
    return Operator(verdict.settings)


@pytest.fixture
def empty(shared_servers):
    """An operator with a database in which nothing is yet."""
    name = f"empty_{uuid.uuid4().hex[:8]}"
    shared_servers.postgres.create_database(name)
    yield Operator({"VERDICT_POSTGRES_URL": shared_servers.postgres.url(database=name)})
    shared_servers.postgres.query(f"DROP DATABASE {name} WITH (FORCE)", "postgres")


@pytest.fixture
def folder(tmp_path):
    """A copy of the migrations, to be spoilt."""
    return shutil.copytree(TOP / "migrations", tmp_path / "migrations")


# migrate --------------------------------------------------------------------------------------


def test_migrate_twice_and_at_once_is_as_once(empty):
    processes = [empty.start("migrate") for _ in range(4)]
    said = [process.communicate(timeout=120) for process in processes]

    assert [process.returncode for process in processes] == [0] * 4, said
    applied = sum(out.count("applied ") for out, _ in said)
    count = len(list((TOP / "migrations").glob("*.sql")))
    assert applied == count
    assert f"{count} migrations, 0 of them new" in empty.must("migrate")


def test_a_changed_migration_is_refused_by_name(empty, folder):
    empty.must("migrate", "--dir", folder)
    with (folder / "0002_api.sql").open("a") as file:
        file.write("-- a remark\n")

    status, _, err = empty.run("migrate", "--dir", folder)

    assert status == 1
    assert "0002_api.sql was changed" in err


def test_a_lost_migration_is_refused_by_number(empty, folder):
    (folder / "0003_scheduling.sql").unlink()

    status, _, err = empty.run("migrate", "--dir", folder)

    assert status == 1
    assert "migration 0003 is missing" in err


def test_a_database_of_a_newer_version_is_refused(empty, folder):
    newest = sorted(folder.glob("*.sql"))[-1]
    empty.must("migrate", "--dir", folder)
    newest.unlink()

    status, _, err = empty.run("migrate", "--dir", folder)

    assert status == 1
    assert newest.name in err
    assert "older" in err


def test_a_migration_that_fails_leaves_nothing_of_itself(empty, folder, shared_servers):
    number = len(list(folder.glob("*.sql"))) + 1
    bad = folder / f"{number:04d}_bad.sql"
    bad.write_text("CREATE TABLE api.half (n int);\nSELECT 1 / 0;\n")

    status, _, err = empty.run("migrate", "--dir", folder)
    bad.write_text("CREATE TABLE api.half (n int);\n")

    assert status == 1
    assert bad.name in err
    assert "1 of them new" in empty.must("migrate", "--dir", folder)


def test_migrate_waits_for_postgres_and_then_gives_up():
    nowhere = Operator({"VERDICT_POSTGRES_URL": "postgresql://127.0.0.1:9/verdict"})

    status, _, err = nowhere.run("migrate", "--wait", "300ms")

    assert status == 1
    assert "127.0.0.1" in err


# topics ---------------------------------------------------------------------------------------


def test_topics_twice_is_as_once_and_other_counts_are_refused(operator, verdict):
    before = verdict.bus.topics()

    operator.must("topics")
    status, _, err = operator.run("topics", "--partitions", "scheduling=9")

    assert verdict.bus.topics() == before
    assert status == 1
    assert "cannot be changed to 9" in err


# pools and tokens -----------------------------------------------------------------------------


def test_a_pool_is_made_with_its_lanes_and_granted(operator, verdict):
    verdict.db.query(
        """INSERT INTO api.project (id, slug, title, created_by)
           VALUES (gen_random_uuid(), 'shop', 'Shop', gen_random_uuid())"""
    )
    operator.must("pool", "create", "--pool", "gpu", "--title", "With GPUs")
    operator.must("pool", "grant", "--pool", "gpu", "--project", "shop")

    pool_id = verdict.db.value("SELECT id FROM api.pool WHERE slug = 'gpu'")
    assert f"lanes.{pool_id}" in verdict.bus.topics()
    assert "gpu" in operator.must("pool", "list")
    assert operator.run("pool", "grant", "--pool", "gpu", "--project", "nobody")[0] == 1


def test_a_secret_goes_into_a_file_that_only_its_owner_reads(operator, tmp_path):
    output = tmp_path / "token"
    output.touch(mode=0o644)

    said = operator.must("token", "create", "--scopes", "runs:read", "--output", output)

    assert output.read_text().startswith("vd_")
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert output.read_text().strip() not in said


SECRETS = [("pool", "join-token"), ("token", "create", "--name", "lost")]


def credentials(verdict):
    return verdict.db.query(
        """SELECT array(SELECT join_token_hash FROM api.pool ORDER BY id) AS pools,
                  array(SELECT name FROM api.token ORDER BY id) AS tokens,
                  array(SELECT name FROM api.principal ORDER BY id) AS principals"""
    )


@pytest.mark.parametrize("words", SECRETS)
@pytest.mark.parametrize("where", ["no folder", "a link", "a full file", "full", "closed"])
def test_what_cannot_be_handed_out_is_not_made(operator, verdict, tmp_path, words, where):
    link = tmp_path / "link"
    link.symlink_to("target")
    files = {"no folder": "/no/such/file", "a link": link, "a full file": "/dev/full"}
    output = ["--output", str(files[where])] if where in files else []
    before = credentials(verdict)

    redirected = {"full": ">/dev/full", "closed": ">&-"}.get(where, "")
    command = ["sh", "-c", f'exec "$@" {redirected}', "sh", PROGRAMS / "verdict-admin", *words]
    done = subprocess.run(
        [*command, *output],
        env=operator.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert str(files.get(where, "stdout")) in done.stderr
    assert credentials(verdict) == before


def test_what_is_refused_leaves_the_file_as_it_was(operator, tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("as it was")
    for output in (old, new):
        words = ["pool", "join-token", "--pool", "nowhere", "--output", output]
        assert operator.run(*words)[0] == 1
        words = ["token", "create", "--project", "nobody", "--output", output]
        assert operator.run(*words)[0] == 1
    assert old.read_text() == "as it was"
    assert not new.exists()


def test_a_list_that_is_lost_is_no_success(operator):
    with pathlib.Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [PROGRAMS / "verdict-admin", "pool", "list"],
            env=operator.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, b"stdout" in done.stderr) == (1, True)


def test_a_token_works_until_it_is_revoked(operator, verdict):
    verdict.start("api-ingest")
    token = operator.must("token", "create", "--name", "ci", "--scopes", "runs:read").strip()
    verdict.api.with_token(token).get("/v1/me", expect=200)
    listed = {line.split("\t")[1]: line.split("\t")[0] for line in _lines(operator)}

    operator.must("token", "revoke", "--id", listed["ci"])

    assert any("ci\t" in line and "revoked" in line for line in _lines(operator))


def _lines(operator):
    return operator.must("token", "list").splitlines()


# doctor and usage -----------------------------------------------------------------------------


def test_the_doctor_finds_a_whole_installation_well(operator):
    said = operator.must("doctor")

    assert [line.split()[0] for line in said.splitlines()] == ["ok"] * 5


def test_the_doctor_says_what_to_do(operator, verdict):
    verdict.bus.delete("events")
    operator.environment["VERDICT_REDIS_URL"] = "redis://127.0.0.1:9"

    status, said, _ = operator.run("doctor")

    assert status == 1
    assert "run verdict-admin topics" in said
    assert "see that Redis runs at 127.0.0.1:9" in said


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["dance"],
        ["pool"],
        ["migrate", "--pool", "x"],
        ["migrate", "--wait", "soon"],
        ["migrate", "extra"],
        ["token", "create", "--scopes", "everything"],
        ["topics", "--partitions", "cats=1"],
    ],
)
def test_usage_is_exit_2(operator, words):
    status, _, err = operator.run(*words)

    assert status == 2
    assert "verdict-admin" in err


def test_help_names_every_command():
    said = Operator({}).must("--help")

    for words in ("migrate", "topics", "pool join-token", "token create", "doctor"):
        assert words in said
