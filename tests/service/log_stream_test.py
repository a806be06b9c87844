# SPDX-License-Identifier: Apache-2.0
"""Reading along what tests write. The rows are put there by the test."""

import concurrent.futures
import itertools
import json
import subprocess
import uuid

import pytest
from support import SUITE
from support.seats import ask_and_reset, take_all


class Run:
    def __init__(self, verdict):
        self.verdict, self.db, self.api = verdict, verdict.db, verdict.api
        verdict.start("api-ingest")
        self.api.put("/v1/projects/shop", {"title": "Shop"}, expect=201)
        self.id = self.api.post("/v1/runs", {"project": "shop", "suite": SUITE}, expect=201)["id"]
        self.db.query(
            "CREATE TABLE results.log_chunk_all PARTITION OF results.log_chunk DEFAULT;"
            "GRANT SELECT ON results.log_chunk_all TO PUBLIC"
        )
        self.tasks = []

    def task(self):
        task, dispatch = str(uuid.uuid4()), str(uuid.uuid4())
        self.db.query(
            """INSERT INTO scheduling.task (id, run_id, pool_id, partition, ordinal, kind, state,
                 attempt, dispatch_id, deadline)
               SELECT %s, id, pool_id, 0, %s, 'automated', 'running', 1, %s, now()
               FROM api.run WHERE id = %s""",
            *(task, len(self.tasks), dispatch, self.id),
        )
        self.db.query(
            """INSERT INTO scheduling.dispatch (id, task_id, run_id, attempt, worker_id,
                 results_partition) VALUES (%s, %s, %s, 1, %s, 0)""",
            *(dispatch, task, self.id, str(uuid.uuid4())),
        )
        self.tasks.append((task, dispatch))
        return len(self.tasks) - 1

    def write(self, ordinal, *chunks):
        """(number in the dispatch's stream, text)"""
        task, dispatch = self.tasks[ordinal]
        for seq, text in chunks:
            self.db.query(
                """INSERT INTO results.log_chunk (run_id, task_id, dispatch_id, attempt, seq,
                     stream, text) VALUES (%s, %s, %s, 1, %s, 'stdout', %s)""",
                *(self.id, task, dispatch, seq, text),
            )

    def finish(self):
        self.db.query(
            """INSERT INTO scheduling.run_state (run_id, project_id, pool_id, partition, state,
                 priority, run_deadline, finished_at)
               SELECT id, project_id, pool_id, 0, 'passed', 50, now(), now() FROM api.run
               WHERE id = %s""",
            self.id,
        )

    def stream(self, more="", chunk_size=1):
        """(event, data), as they come."""
        path = f"/v1/runs/{self.id}/logs/stream{more}"
        answer = self.api.request("GET", path, stream=True, timeout=20)
        assert answer.headers["Content-Type"] == "text/event-stream"
        answer.encoding = "utf-8"  # as that type always is
        name = None
        for line in answer.iter_lines(chunk_size=chunk_size, decode_unicode=True):
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                yield name, json.loads(line[6:])


@pytest.fixture
def run(verdict):
    return Run(verdict)


def test_what_is_there_comes_first_then_what_is_written_then_the_end(run):
    first, second = run.task(), run.task()
    run.write(first, (3, "a"), (9, "b\n"))
    events = run.stream()

    told = [next(events), next(events)]
    run.write(second, (1, "x ✓"))
    told.append(next(events))
    run.write(first, (12, "c"))
    told.append(next(events))
    run.finish()

    texts = [(d["ordinal"], d["seq"], d["text"]) for _, d in told]
    assert texts == [(0, 3, "a"), (0, 9, "b\n"), (1, 1, "x ✓"), (0, 12, "c")]
    assert told[0][1]["task_id"] == run.tasks[0][0] and told[0][1]["stream"] == "stdout"
    assert list(events) == [("end", {})]


def test_one_task_alone_is_read_along(run):
    first, second = run.task(), run.task()
    run.write(first, (1, "a"))
    run.write(second, (1, "b"))
    run.finish()

    told = list(run.stream(f"?task={run.tasks[1][0]}"))

    assert [d.get("text") for _, d in told] == ["b", None] and told[-1][0] == "end"


def test_a_large_log_is_sent_as_far_as_its_reader_takes_it(run):
    task, dispatch = run.tasks[run.task()]
    run.db.query(
        """INSERT INTO results.log_chunk (run_id, task_id, dispatch_id, attempt, seq, stream, text)
           SELECT %s, %s, %s, 1, i, 'stdout', repeat(chr(1), 30000)
           FROM generate_series(1, 100) i""",
        *(run.id, task, dispatch),
    )
    run.finish()

    numbers = [d.get("seq") for _, d in run.stream(chunk_size=1 << 20)]

    assert numbers == [*range(1, 101), None]


def test_a_log_is_followed_in_a_terminal_and_a_restart_of_the_server_doubles_nothing(run):
    run.task()
    run.write(0, (1, "one\n"))
    command = run.verdict.cli("logs", "-f", run.id)
    process = subprocess.Popen(**command, stdout=subprocess.PIPE, text=True)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert pool.submit(process.stdout.readline).result(15) == "one\n"
        run.verdict.restart("api-ingest")
        run.write(0, (2, "two\n"))
        run.finish()
        assert pool.submit(process.stdout.read).result(20) == "two\n"
    assert process.wait(10) == 0


def test_who_resets_before_the_answer_does_not_read_on(run):
    run.task()
    path, numbers = f"/v1/runs/{run.id}/logs/stream", itertools.count(1)
    for _ in range(500):
        ask_and_reset(run.verdict.api_port, path, run.verdict.admin_token.read_text().strip())

    opened = take_all(
        200,
        lambda: run.api.request("GET", path, stream=True),
        lambda: run.write(0, (next(numbers), "a")),
    )

    assert run.api.request("GET", path, stream=True).status_code == 429
    for answer in opened:
        answer.close()


def test_another_projects_log_is_not_there(run):
    run.api.put("/v1/projects/bank", {"title": "Bank"}, expect=201)
    made = run.api.post("/v1/tokens", {"name": "t", "scopes": ["runs:read"], "project": "bank"})

    run.api.with_token(made["token"]).get(f"/v1/runs/{run.id}/logs/stream", expect=404)
    run.api.get(f"/v1/runs/{run.id}/logs/stream?task=x", expect=404)
