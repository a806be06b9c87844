# SPDX-License-Identifier: Apache-2.0
"""P5: a scheduler that was thought dead and wakes up again is harmless."""

import time

from parts.process import wait_until

OWNER = """SELECT instance FROM scheduling.partition_owner
           WHERE partition = (SELECT partition FROM scheduling.run_state LIMIT 1)"""
EPOCH = """SELECT max(epoch) FROM scheduling.inbox_offset
           WHERE partition = (SELECT partition FROM scheduling.run_state LIMIT 1)"""


def start_two_schedulers(verdict, work):
    work.start(executors=2)
    verdict.start("scheduler-2")
    first = work.trigger()
    verdict.wait_final(first)
    return verdict.db.value(OWNER)


def other(instance):
    return "scheduler-2" if instance == "scheduler-1" else "scheduler"


def name_of(instance):
    return "scheduler" if instance == "scheduler-1" else instance


def losses(verdict, name):
    """How often this scheduler has learned that what it held is another's: by the fence inside
    a transaction, or by the group before it began one. Which comes first is chance; that the
    fence holds inside a transaction is shown by service/ledger_test.py."""
    service = verdict.services[name]
    text = service.health("/metrics")[1]
    fenced = [x for x in text.splitlines() if x.startswith("verdict_ledger_fenced_total ")]
    given_back = service.log_path.read_text().count('"partition given back"')
    return (float(fenced[0].split()[1]) if fenced else 0) + given_back


def wait_loss(verdict, name, before):
    wait_until(lambda: losses(verdict, name) > before, 30, f"{name} to learn that it is replaced")


def test_a_zombie_scheduler_is_fenced(verdict, work):
    owner = start_two_schedulers(verdict, work)
    client = work.client(count=40, gap_s=0.2)
    epoch = verdict.db.value(EPOCH)
    before = losses(verdict, name_of(owner))

    client.start()
    verdict.pause(name_of(owner))
    wait_until(lambda: verdict.db.value(OWNER) != owner, 30, "the other scheduler to take over")
    verdict.resume(name_of(owner))
    wait_loss(verdict, name_of(owner), before)
    client.finish(60)
    work.wait_all_final()

    assert verdict.db.value(EPOCH) > epoch
    work.check()


def test_a_scheduler_stopped_at_any_moment_is_fenced(verdict, work):
    """Under load, so that some of the stops fall inside a transaction."""
    start_two_schedulers(verdict, work)
    client = work.client(count=60, gap_s=0.1)

    client.start()
    for _ in range(3):
        owner = verdict.db.value(OWNER)
        before = losses(verdict, name_of(owner))
        verdict.pause(name_of(owner))
        changed = lambda owner=owner: verdict.db.value(OWNER) != owner  # noqa: E731
        wait_until(changed, 30, "the other scheduler to take over")
        verdict.resume(name_of(owner))
        wait_loss(verdict, name_of(owner), before)
    client.finish(60)
    work.wait_all_final()

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
