# SPDX-License-Identifier: Apache-2.0
"""The executor as a worker: its spool, its means, its slots, its end."""

import json
import os
import resource
import shutil
import uuid

from parts.process import wait_until
from support.project import pid_is_gone


def test_a_worker_that_lost_its_spool_is_heard_all_the_same(own_project):
    verdict = own_project.verdict
    for _ in range(3):
        verdict.stop("executor")
        verdict.start("executor")
    before = verdict.db.value("SELECT incarnation FROM scheduling.worker")
    verdict.stop("executor")
    shutil.rmtree(verdict.folder / "executor" / "spool")
    verdict.start("executor")

    run = own_project.run("command", "true", report={"format": "none"})

    assert run["state"] == "passed"
    assert verdict.db.value("SELECT incarnation FROM scheduling.worker") > before


def test_a_revoked_worker_stays_away_until_it_is_restored(own_project):
    verdict = own_project.verdict
    times = {"VERDICT_HEARTBEAT": "50ms", "VERDICT_ENROL_AGAIN": "500ms"}
    verdict.stop("executor")
    executor = verdict.start("executor", **times)
    (worker,) = verdict.api.get("/v1/workers")["items"]
    path = f"/v1/workers/{worker['id']}"

    verdict.api.delete(path)
    wait_until(lambda: "was revoked" in executor.health()[1], 30, "its enrolment to be refused")
    refused, state = executor.health()[1], verdict.api.get(path)["state"]
    verdict.pause("scheduler")  # each word of it would begin the counting anew
    tries, before = '"error_code":"forbidden"', executor.log_path.read_text()
    enough = before.count(tries) + 9
    wait_until(lambda: executor.log_path.read_text().count(tries) >= enough, 8, "it to try soon")
    verdict.resume("scheduler")
    log = executor.log_tail(20)
    verdict.api.post(f"{path}/restore")
    run = own_project.run("command", "true", report={"format": "none"})

    assert "the worker executor of this pool was revoked" in refused
    assert "the worker executor of this pool was revoked" in log
    assert state == "revoked"
    assert run["state"] == "passed"
    assert verdict.api.get(path)["state"] == "online"


def test_results_that_the_ledger_has_never_heard_of_are_put_aside(own_project):
    """As after an older database was put back."""
    verdict = own_project.verdict
    spool = verdict.folder / "executor" / "spool"
    run = own_project.trigger("command", "true", report={"format": "none"})
    verdict.wait_final(run)
    wait_until(lambda: not list(spool.glob("*.spool")), 30, "the spool to be settled")
    verdict.stop("result-collector")  # so that the second one cannot be settled
    run = own_project.trigger("command", "true", report={"format": "none"})
    held = wait_until(lambda: list(spool.glob("*.spool")), 30, "the second dispatch")[0]
    verdict.stop("scheduler")
    for table in ("dispatch", "task", "run_event", "run_state"):
        verdict.db.query(f"DELETE FROM scheduling.{table} WHERE run_id = %s", run)
    verdict.db.query("DELETE FROM api.run WHERE id = %s", run)

    verdict.start("scheduler")

    wait_until((spool / "aside" / held.name).exists, 30, "the results to be put aside")
    assert not held.exists()


def descriptors(pid):
    return {int(name) for name in os.listdir(f"/proc/{pid}/fd")}


def test_results_that_wait_hold_no_descriptors(own_project):
    """While the collector is away nothing is settled, so each dispatch keeps its spool file."""
    verdict = own_project.verdict
    spool = verdict.folder / "executor" / "spool"
    executor = verdict.services["executor"]
    verdict.wait_final(own_project.trigger("command", "true", report={"format": "none"}))
    wait_until(lambda: not list(spool.glob("*.spool")), 30, "the spool to be settled")
    verdict.stop("result-collector")
    before = descriptors(executor.pid())
    runs = [own_project.trigger("command", "true", report={"format": "none"}) for _ in range(24)]
    find = """SELECT count(*) FROM scheduling.dispatch WHERE run_id = ANY(%s::uuid[])"""
    wait_until(lambda: verdict.db.value(find, runs) == 24, 30, "all to be given out")

    wait_until(lambda: len(list(spool.glob("*.spool"))) == 24, 30, "24 files in the spool")
    few = len(before) + 10
    wait_until(
        lambda: len(descriptors(executor.pid())) < few, 10, "its descriptors to be given back"
    )
    verdict.kill("executor")
    verdict.start("executor")
    assert len(descriptors(executor.pid())) < few
    verdict.start("result-collector")
    assert {verdict.wait_final(run)["state"] for run in runs} == {"passed"}


def test_the_start_fails_when_results_in_the_spool_cannot_be_read(own_project):
    verdict = own_project.verdict
    spool = verdict.folder / "executor" / "spool"
    executor = verdict.services["executor"]
    verdict.stop("executor")
    held = spool / f"{uuid.uuid4()}.spool"
    held.mkdir()  # opening it fails, as it does for the lack of descriptors or rights

    executor.start()
    wait_until(lambda: not executor.is_running(), 10, "the start to fail")

    assert held.name in executor.log_tail(5)
    assert held.exists()
    assert not list((spool / "aside").iterdir())


def test_a_worker_takes_all_descriptors_and_its_tests_keep_their_limit(own_project):
    executor = own_project.verdict.services["executor"]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    own_project.verdict.stop("executor")
    limit = max(descriptors(os.getpid())) + 100  # this process is to live with it as well
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        executor.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    run = own_project.run("command", "sh", "-c", "ulimit -Sn", report={"format": "none"})

    assert own_project.log(run) == f"{limit}\n"
    assert resource.prlimit(executor.pid(), resource.RLIMIT_NOFILE) == (hard, hard)


def leave_descriptors(pid, count):
    """So many free ones."""
    used = descriptors(pid)
    limit = next(n for n in range(1 << 20) if n - len({fd for fd in used if fd < n}) == count)
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, hard))


def test_a_worker_without_descriptors_takes_nothing_new_and_says_why(project):
    verdict = project.verdict
    executor = verdict.services["executor"]
    before = resource.prlimit(executor.pid(), resource.RLIMIT_NOFILE)
    find = "SELECT attempt FROM scheduling.task WHERE run_id = %s"
    try:
        leave_descriptors(executor.pid(), 5)
        run = project.trigger("command", "true", report={"format": "none"})
        wait_until(lambda: "Too many open files" in executor.health()[1], 20, "it to say why")
        heartbeats = (m for m in verdict.bus.read_json("scheduling") if "free_slots" in m)
        free_slots = max(heartbeats, key=lambda m: m["seq"])["free_slots"]
    finally:
        resource.prlimit(executor.pid(), resource.RLIMIT_NOFILE, before)

    assert free_slots == 0
    assert verdict.wait_final(run)["state"] == "passed"
    assert verdict.db.value(find, run) < 5


def test_a_second_executor_keeps_out_of_the_work_directory(project):
    verdict = project.verdict
    first = verdict.services["executor"]
    work = verdict.folder / "executor" / "work"
    script = "touch go; while [ ! -e stop ]; do sleep 0.05; done; test -d $HOME"
    run = project.trigger("command", "sh", "-c", script, report={"format": "none"})
    wait_until((project.folder / "go").exists, 20, "the tests to run")

    second = verdict.start("executor-2", wait=False, VERDICT_WORK_DIR=work)
    wait_until(lambda: not second.is_running(), 10, "the second one to end")
    (project.folder / "stop").touch()

    assert second.exit_status() == 1
    assert f"VERDICT_WORK_DIR {work} belongs to another executor" in second.log_tail(5)
    assert f"process {first.pid()}" in second.log_tail(5)
    assert verdict.wait_final(run)["state"] == "passed"


# The server under test ends when it is told to, and its test says that it has ended too soon.
ENDED_TOO_SOON = """
echo 1..1
trap '' TERM
if [ "$VERDICT_ATTEMPT" = 1 ]; then
    echo >begun
    (trap - TERM; exec sleep 60) || { echo "not ok 1 - server"; exit 1; }
fi
echo "ok 1 - server"
"""


def test_how_tests_die_of_a_hand_back_is_no_result(own_project):
    verdict = own_project.verdict
    verdict.stop("executor")
    verdict.start("executor", VERDICT_STOP_GRACE="4s")
    own_project.write("t.sh", ENDED_TOO_SOON)
    run = own_project.trigger("command", "/bin/bash", "t.sh", report={"format": "tap"})
    wait_until((own_project.folder / "begun").exists, 30, "the test to run")

    verdict.restart("executor")

    assert verdict.wait_final(run)["state"] == "passed"
    attempt = verdict.db.value("SELECT attempt FROM scheduling.task WHERE run_id = %s", run)
    assert attempt == 2


TERMS = """
import pathlib, signal, time
terms = []
signal.signal(signal.SIGTERM, lambda *_: terms.append(1))
pathlib.Path("begun").touch()
while not terms:
    time.sleep(0.01)
time.sleep(0.3)
print(f"TERM came {len(terms)} times")
"""


def test_whoever_is_ended_is_told_so_once(project):
    project.write("terms.py", TERMS)
    policy = {"task_timeout_ms": 1000, "grace_ms": 3000}

    run = project.run("command", "python3", "terms.py", report={"format": "none"}, policy=policy)

    assert run["state"] == "timed_out"
    assert "TERM came 1 times" in project.log(run)


# Where reports lie in a directory of the executor's, whatever its name is.
REPORTS = 'echo "<testsuite><testcase name=\'a\'/></testsuite>" >"$VERDICT_REPORT_DIR/a.xml"'


def test_a_work_dir_may_be_relative_and_have_any_name(own_project):
    folder = own_project.verdict.folder / "w[1]" / "work"
    folder.mkdir(parents=True)
    own_project.verdict.stop("executor")
    own_project.verdict.start("executor", VERDICT_WORK_DIR=os.path.relpath(folder))
    own_project.write("test_a.py", "def test_a(): pass\n")

    streamed = own_project.run("pytest")
    reported = own_project.run("command", "sh", "-c", REPORTS, report={"format": "junit"})

    assert [streamed["state"], reported["state"]] == ["passed", "passed"]


def test_the_end_of_the_executor_is_the_end_of_its_tests(own_project):
    script = "setsid sh -c 'trap \"\" TERM; echo $$ >pid; while :; do sleep 1; done' & sleep 30"
    own_project.trigger("command", "sh", "-c", script, report={"format": "none"})
    pid = own_project.folder / "pid"
    wait_until(lambda: pid.exists() and pid.read_text(), 20, "the tests to run")

    own_project.verdict.kill("executor")

    wait_until(lambda: pid_is_gone(pid), 10, "the tests to be gone")


def test_a_worker_that_is_stopped_finishes_what_it_runs(own_project):
    run_id = own_project.trigger(
        "command", "sh", "-c", "echo go >go; sleep 2", report={"format": "none"}
    )
    wait_until(lambda: (own_project.folder / "go").exists(), 20, "the tests to run")

    assert own_project.verdict.stop("executor") == 0

    run = own_project.verdict.wait_final(run_id)
    assert run["state"] == "passed"
    attempts = own_project.verdict.db.value(
        "SELECT max(attempt) FROM scheduling.task WHERE run_id = %s", run_id
    )
    assert attempts == 1


def test_what_does_not_fit_into_the_grace_is_handed_back(own_project):
    own_project.verdict.stop("executor")
    own_project.verdict.start("executor", VERDICT_STOP_GRACE="6s")
    script = "if [ -e again ]; then exit 0; fi; echo >again; sleep 60"
    run_id = own_project.trigger("command", "sh", "-c", script, report={"format": "none"})
    wait_until(lambda: (own_project.folder / "again").exists(), 20, "the tests to run")

    assert own_project.verdict.stop("executor") == 0
    own_project.verdict.start("executor")

    run = own_project.verdict.wait_final(run_id)
    assert run["state"] == "passed"
    dispatches = own_project.verdict.db.query(
        "SELECT ended FROM scheduling.dispatch WHERE run_id = %s ORDER BY attempt", run_id
    )
    assert [row["ended"] for row in dispatches] == ["recorded", "recorded"]


def times_sent(project, dispatch_id):
    """How many times the first item of a dispatch's stream lies in the topic."""
    messages = project.verdict.bus.read_json("results")
    return sum(m["dispatch_id"] == dispatch_id and m["first_seq"] == 1 for m in messages)


def test_what_the_full_set_does_not_hold_is_ended(own_project):
    """And none of its results counts: the task is given out once more."""
    verdict = own_project.verdict
    script = """
        [ -e again ] && exit 0
        touch again
        setsid sh -c 'trap "" TERM; echo $$ >pid; while :; do sleep 1; done' & sleep 60
    """
    run = own_project.trigger("command", "sh", "-c", script, report={"format": "none"})
    pid = own_project.folder / "pid"
    wait_until(lambda: pid.exists() and pid.read_text(), 20, "the tests to run")
    find = "SELECT count(*) FROM scheduling.task WHERE run_id = %s AND state = 'running'"
    wait_until(lambda: verdict.db.value(find, run), 20, "the worker to have said it")
    verdict.pause("scheduler")
    lane = verdict.db.value("SELECT lane FROM api.enrolment")
    topic = next(name for name in verdict.bus.topics() if name.startswith("lanes."))
    told = [json.loads(m.value()) for m in verdict.bus.read(topic, partitions=[lane])]
    full_set = [message for message in told if "incarnation" in message][-1]
    full_set |= {"type": "worker.sync", "heartbeat_seq": 1 << 40, "running": []}
    full_set["seq"] += 1

    verdict.bus.produce(topic, full_set, partition=lane)

    wait_until(lambda: pid_is_gone(pid), 10, "the tests to be gone")
    find = "SELECT ending FROM results.task_record WHERE run_id = %s"
    ending = wait_until(lambda: verdict.db.value(find, run), 20, "its stream to end")
    results = verdict.db.value("SELECT count(*) FROM results.result WHERE run_id = %s", run)
    verdict.resume("scheduler")
    final = verdict.wait_final(run)

    assert (ending, results) == ("cancelled", 0)
    assert (final["state"], final["totals"]["planned"], final["totals"]["passed"]) == (
        "passed",
        1,
        1,
    )
    ended = "SELECT ended FROM scheduling.dispatch WHERE run_id = %s ORDER BY attempt"
    assert [row["ended"] for row in verdict.db.query(ended, run)] == ["lost", "recorded"]


def test_a_resync_token_makes_it_send_the_spool_again(own_project):
    """While the collector is away nothing is settled, so the spool is kept."""
    verdict = own_project.verdict
    verdict.stop("executor")
    verdict.start("executor", VERDICT_RESEND="600s")
    verdict.stop("result-collector")
    run_id = own_project.trigger("command", "true", report={"format": "none"})
    find = "SELECT id::text FROM scheduling.dispatch WHERE run_id = %s"
    dispatch_id = wait_until(lambda: verdict.db.value(find, run_id), 20, "a dispatch")
    wait_until(lambda: times_sent(own_project, dispatch_id) == 1, 20, "the stream to be sent")

    resync = {"version": 1, "type": "resync", "token": str(uuid.uuid4()), "topic": "results"}
    for partition in range(verdict.bus.partitions("scheduling")):
        verdict.bus.produce("scheduling", resync, partition=partition)

    wait_until(lambda: times_sent(own_project, dispatch_id) == 2, 20, "it to be sent again")
    verdict.start("result-collector")
    assert verdict.wait_final(run_id)["state"] == "passed"
