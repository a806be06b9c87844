# SPDX-License-Identifier: Apache-2.0
"""P1 at length: clients that trigger with keys, and repeat on every error, while api-ingest dies
again and again."""

import random
import threading
import time
import uuid

import pytest
import requests

CLIENTS = 8
TRIGGERS = 2000
KILLS = 10
GAP_S = 0.03  # more than enough runs, and no more
# No worker: what is asked is whether it is taken, not what becomes of it.
SERVICES = ("api-ingest", "scheduler", "result-collector")


class Client(threading.Thread):
    """Triggers until told to stop; each trigger is repeated until it is acknowledged."""

    def __init__(self, work, stopped):
        super().__init__(daemon=True)
        self.work = work
        self.stopped = stopped
        self.retries = 0
        self.acknowledged = {}  # key → id

    def run(self):
        with requests.Session() as session:
            session.headers["Authorization"] = (
                f"Bearer {self.work.verdict.admin_token.read_text().strip()}"
            )
            while not self.stopped.is_set():
                self._trigger(session, uuid.uuid4().hex)
                self.stopped.wait(GAP_S)

    def _trigger(self, session, key):
        url = f"{self.work.verdict.api_url}/v1/runs"
        while True:
            try:
                answer = session.post(
                    url, json=self.work.body(), headers={"Idempotency-Key": key}, timeout=10
                )
            except requests.RequestException:
                answer = None
            if answer is not None and answer.status_code in (200, 201):
                self.acknowledged[key] = answer.json()["id"]
                return
            assert answer is None or answer.status_code >= 429, answer.text
            self.retries += 1
            time.sleep(0.02)


@pytest.mark.timeout(900)
def test_triggers_survive_an_api_that_dies_again_and_again(verdict, work, seed, tell):
    for name in SERVICES:
        verdict.start(name)
    verdict.api.post("/v1/projects", {"slug": work.project, "title": "Work"})
    stopped = threading.Event()
    clients = [Client(work, stopped) for _ in range(CLIENTS)]
    chance = random.Random(seed)
    kills = 0

    for client in clients:
        client.start()
    while kills < KILLS or sum(len(client.acknowledged) for client in clients) < TRIGGERS:
        stopped.wait(chance.uniform(2, 5))
        verdict.kill("api-ingest")  # in work: each client has a request under way nearly always
        verdict.start("api-ingest")
        kills += 1
    stopped.set()
    for client in clients:
        client.join(120)
        assert not client.is_alive(), "a trigger was not acknowledged within two minutes"

    keys = {key: run for client in clients for key, run in client.acknowledged.items()}
    retries = sum(client.retries for client in clients)
    tell(triggers=len(keys), kills=kills, retries=retries)
    runs = {str(row["id"]) for row in verdict.db.query("SELECT id FROM api.run")}
    assert retries >= kills, "the kills met no request"
    assert len(set(keys.values())) == len(keys), "one run for two keys"
    assert runs == set(keys.values()), "lost, or two runs for one key"
