# SPDX-License-Identifier: Apache-2.0
"""P5: a scheduler that was thought dead and wakes up again is harmless."""

import json
import time

from parts.process import wait_until
from support.size import size

TAKEN, LOST = "partition taken over", ("partition given back", "partition dropped")


class Pair:
    """Two schedulers, and the partition that the first run has gone to."""

    def __init__(self, verdict, work):
        self.verdict = verdict
        work.start(executors=2)
        verdict.start("scheduler-2")
        verdict.wait_final(work.trigger())
        self.partition = verdict.db.value("SELECT partition FROM scheduling.run_state LIMIT 1")

    def epoch(self):
        return self.verdict.db.value(
            "SELECT max(epoch) FROM scheduling.inbox_offset WHERE partition = %s", self.partition
        )

    def owner(self):
        instance = self.verdict.db.value(
            "SELECT instance FROM scheduling.partition_owner WHERE partition = %s", self.partition
        )
        return "scheduler" if instance == "scheduler-1" else instance

    def said(self, name):
        """What this scheduler has said of getting and losing the partition, in order."""
        text = self.verdict.services[name].log_path.read_text()
        lines = map(json.loads, text[: text.rfind("\n") + 1].splitlines())
        ours = (x["message"] for x in lines if x.get("partition") == self.partition)
        return [x for x in ours if x in (TAKEN, *LOST)]

    def losses(self, name):
        return sum(x in LOST for x in self.said(name))

    def pause_holder(self):
        """Stops a scheduler that holds the partition. While a group settles the owner that the
        database names may have given it back already: such a one goes on, and it is tried again."""

        def paused():
            name = self.owner()
            self.verdict.pause(name)
            if self.said(name)[-1:] == [TAKEN]:
                return name
            self.verdict.resume(name)
            return None

        return wait_until(paused, 30, "a scheduler to hold the partition")

    def replace_holder(self):
        """Stops the holder until the other has taken over, then wakes it up. It learns that what it
        held is another's by the fence inside a transaction, or by the group before it began one.
        Which comes first is chance; that the fence holds is shown by service/ledger_test.py."""
        name = self.pause_holder()
        lost = self.losses(name)
        wait_until(lambda: self.owner() != name, 60, "the other scheduler to take over")
        self.verdict.resume(name)
        learned = lambda: self.losses(name) > lost  # noqa: E731
        wait_until(learned, 60, f"{name} to learn that it is replaced")


def test_a_zombie_scheduler_is_fenced(verdict, work):
    pair = Pair(verdict, work)
    client = work.client(count=40, gap_s=0.2)
    epoch = pair.epoch()

    client.start()
    pair.replace_holder()
    client.finish(60)
    work.wait_all_final()

    assert pair.epoch() > epoch
    work.check()


def test_a_scheduler_stopped_at_any_moment_is_fenced(verdict, work, tell):
    """Under load, so that some of the stops fall inside a transaction."""
    pair = Pair(verdict, work)
    client = work.client(count=3600, gap_s=0.1)
    stops = size(3, 8)

    client.start()
    for _ in range(stops):
        pair.replace_holder()
    client.stop()
    client.finish(60)
    work.wait_all_final()
    tell(stops=stops)

    work.check()


def test_a_killed_scheduler_goes_on_at_once(verdict, work):
    work.start()
    client = work.client(count=30, gap_s=0.05)

    client.start()
    for _ in range(3):
        wait_until(verdict.open_runs, 30, "work in flight")
        verdict.kill("scheduler")
        verdict.start("scheduler")
    client.finish(60)
    began = time.monotonic()
    work.wait_all_final()

    print(f"final {time.monotonic() - began:.1f} s after the last trigger")
    work.check()
