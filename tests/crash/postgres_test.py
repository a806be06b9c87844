# SPDX-License-Identifier: Apache-2.0
"""P8, P8b: a Postgres that crashes, throws sessions out or was put back to an older copy."""

import shutil

import pytest
from parts.process import wait_until

THROW_OUT = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE usename LIKE 'verdict_%%' AND usename <> 'verdict_admin' AND random() < 0.5"""


@pytest.mark.own("postgres")
def test_a_postgres_that_crashes_again_and_again_loses_nothing(private_verdict, private_work):
    work = private_work.start()
    client = work.client(count=120, gap_s=0.1)

    client.start()
    for _ in range(10):
        wait_until(private_verdict.open_runs, 30, "work in flight")
        private_verdict.servers.postgres.crash_and_restart()
    client.finish(90)
    work.wait_all_final(90)

    work.check()


def test_sessions_thrown_out_at_random_lose_nothing(verdict, work):
    """A COMMIT whose answer never comes is among them."""
    work.start()
    client = work.client(count=40, gap_s=0.05)

    client.start()
    while client.is_alive():
        verdict.db.query(THROW_OUT)
        client.join(0.3)
    client.finish(90)
    work.wait_all_final(90)

    work.check()


@pytest.mark.own("postgres")
def test_an_older_database_put_back_heals(private_verdict, private_work):
    """What was triggered after the copy is gone with it; everything else goes on."""
    work = private_work.start()
    postgres = private_verdict.servers.postgres
    before = [work.trigger() for _ in range(5)]
    work.wait_all_final()
    open_at_copy = [work.trigger() for _ in range(5)]
    promised = dict(work.promised)
    copy = postgres.data.with_name("copy")

    postgres.stop()
    shutil.copytree(postgres.data, copy, symlinks=True)
    give_to_cluster_owner(postgres, copy)
    postgres.start()
    postgres.wait_ready()
    private_verdict.restart("scheduler")
    for _ in range(10):
        work.trigger()
    work.wait_all_final()
    postgres.stop()
    shutil.rmtree(postgres.data)
    copy.rename(postgres.data)
    postgres.start()
    postgres.wait_ready()
    private_verdict.kill("scheduler")  # its epoch comes again with the copy
    private_verdict.start("scheduler")

    work.promised = promised
    after = [work.trigger() for _ in range(5)]
    work.wait_all_final(120)
    states = {private_verdict.api.get(f"/v1/runs/{run}")["state"] for run in after}
    assert states == {"passed"}
    states = {private_verdict.api.get(f"/v1/runs/{run}")["state"] for run in before + open_at_copy}
    assert states == {"passed"}
    work.check()
    check_event_ids(private_verdict)
    spool = private_verdict.folder / "executor-1" / "spool"
    wait_until(lambda: not list(spool.glob("*.spool")), 30, "the spool to be settled")
    known = {
        row["id"] for row in private_verdict.db.query("SELECT id::text FROM scheduling.dispatch")
    }
    aside = {path.stem for path in (spool / "aside").glob("*.spool")}
    assert not aside & known, "only what the ledger no longer knows of is put aside"


def check_event_ids(verdict):
    """Nothing that goes out is named by a sequence, which a restored database counts again."""
    told = {}
    for event in verdict.bus.read_json("events"):
        if event.get("type") != "event" or event["event"] == "run.progress":
            continue
        what = (event["run_id"], event.get("run_version"), event["event"])
        assert told.setdefault(event["id"], what) == what, f"{event['id']} names two events"
    assert told


def give_to_cluster_owner(postgres, folder):
    """The copy belongs to whom the cluster belongs to."""
    if postgres.user is None:
        return
    for path in [folder, *folder.rglob("*")]:
        shutil.chown(path, postgres.user, postgres.user)
