# SPDX-License-Identifier: Apache-2.0
"""How much of a long history is read for a list of runs."""

from parts.process import wait_until
from support import SUITE
from support.copies import copies

HISTORY = 4000

READ = """
SELECT ((SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname IN ('run', 'run_state'))
  + (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname IN ('run', 'run_state')))::int
"""
SESSIONS = """SELECT count(*) FROM pg_stat_activity
WHERE usename LIKE 'verdict_api%%' AND datname = current_database()"""

# As an owner says it of its partition: each has had one for hours.
OWNERS = """
INSERT INTO scheduling.partition_owner (partition, instance, epoch, taken_at, alive_at)
SELECT n, 'one', 1, now() - interval '5 hours', now() FROM generate_series(0, 63) n
"""
ENDED = """
INSERT INTO scheduling.run_state (run_id, project_id, pool_id, partition, state, priority,
  run_deadline, finished_at)
SELECT id, project_id, pool_id, 0, 'passed', priority, now(), now() FROM api.run;
INSERT INTO results.run_totals (run_id, project_id) SELECT id, project_id FROM api.run;
"""
# A run of long ago that still goes on.
RUNNING = """
UPDATE scheduling.run_state SET state = 'running', finished_at = NULL, wait_class = 'tests',
  wait_text = 'tests are running', wait_since = now()
WHERE run_id = %s
"""


def read_of_history(verdict):
    """What sessions have read that are over: theirs is counted then, whatever the delay."""
    verdict.stop("api-ingest")
    verdict.db.close()
    wait_until(lambda: verdict.db.value(SESSIONS) == 0, 60, "the sessions to end")
    return verdict.db.value(READ)


def test_a_list_that_finds_little_reads_little(verdict):
    verdict.start("api-ingest")
    api = verdict.api
    api.put("/v1/projects/shop", {"title": "Shop"}, expect=201)
    api.post("/v1/pools", {"slug": "gpu", "all_projects": True}, expect=201)
    run = api.post("/v1/runs", {"project": "shop", "suite": SUITE}, expect=201)
    verdict.db.query(ENDED)
    verdict.db.query(OWNERS)
    old, *_ = sorted(copies(verdict, run["id"], HISTORY, age="3 days"))
    verdict.db.query(RUNNING, old)
    before = read_of_history(verdict)
    verdict.start("api-ingest")
    new = api.post("/v1/runs", {"project": "shop", "suite": SUITE}, expect=201)["id"]

    def listed(query):
        return [run["id"] for run in api.get(f"/v1/runs?{query}")["items"]]

    assert listed("state=running") == listed("state=running&project=shop&pool=default") == [old]
    assert listed("state=queued,running") == [new, old]
    assert listed("state=queued") == listed("state=queued&project=shop&since=1h") == [new]
    for query in (
        "state=draft",
        "state=running&pool=gpu",
        "pool=gpu",
        "pool=gpu&state=passed",
        "pool=nothing",
        "template=nothing",
        "environment=nothing",
        "parent_run=999999",
        "until=2020-01-01T00:00:00Z",
        "since=2099-01-01T00:00:00Z",
    ):
        assert listed(query) == [], query
    assert len(listed("pool=default&state=passed&limit=7")) == 7
    assert read_of_history(verdict) - before < HISTORY
