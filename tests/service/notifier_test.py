# SPDX-License-Identifier: Apache-2.0
"""The notifier with api-ingest beside it on real Kafka and Postgres; receivers of every manner.
Signatures are verified by the official library of Standard Webhooks."""

import contextlib
import email.utils
import os
import socket
import struct
import subprocess
import threading
import time
import uuid
import zlib

import pytest
from parts.process import wait_until
from standardwebhooks.webhooks import Webhook
from support import SUITE
from support.receiver import Answer, Receiver, RudeReceiver
from support.size import size

HASTE = {"VERDICT_WEBHOOK_SCHEDULE": "0s,200ms,400ms,600ms", "VERDICT_WEBHOOK_TIMEOUT": "1s"}


def new_id():
    """A UUIDv7 of now."""
    number = (int(time.time() * 1000) << 80) | (7 << 76) | (2 << 62)
    return str(uuid.UUID(int=number | int.from_bytes(os.urandom(7), "big")))


class Shop:
    """One project, its endpoints, and a writer of events in the scheduler's place."""

    def __init__(self, verdict, **settings):
        self.verdict = verdict
        self.settings = {**HASTE, **settings}
        verdict.start("api-ingest")
        verdict.start("notifier", **self.settings)
        self.project = verdict.api.put("/v1/projects/shop", {"title": "Shop"}, expect=201)
        self.url = "/v1/projects/shop"

    def endpoint(self, url, events=("*",), **more):
        return self.verdict.api.post(
            f"{self.url}/webhooks", {"url": url, "events": list(events), **more}, expect=201
        )

    def message(self, type_="run.finished", project_id=None, **more):
        return {
            "version": 1,
            "type": "event",
            "id": new_id(),
            "event": type_,
            "project_id": project_id or self.project["id"],
            "run_id": new_id(),
            "run_version": 3,
            "at": int(time.time() * 1000),
            "data": {"state": "passed", "title": "läuft ✓"},
            **more,
        }

    def send(self, message):
        partitions = self.verdict.bus.partitions("events")
        partition = zlib.crc32(message["project_id"].encode()) % partitions
        self.verdict.bus.produce("events", message, partition, key=message["project_id"])
        return message["id"]

    def emit(self, type_="run.finished", **more):
        return self.send(self.message(type_, **more))

    def delivery(self, event_id, endpoint):
        rows = self.verdict.db.query(
            "SELECT * FROM notify.delivery WHERE event_id = %s AND endpoint_id = %s",
            event_id,
            endpoint["id"],
        )
        return rows[0] if rows else None

    def attempts(self, event_id, endpoint):
        return self.verdict.db.query(
            """SELECT a.* FROM notify.delivery_attempt a JOIN notify.delivery d
               ON d.id = a.delivery_id WHERE event_id = %s AND endpoint_id = %s
               ORDER BY attempt""",
            event_id,
            endpoint["id"],
        )

    def ended(self, event_id, endpoint, timeout_s=20):
        """The delivery when it is no longer pending."""

        def look():
            row = self.delivery(event_id, endpoint)
            return row if row and row["state"] != "pending" else None

        return wait_until(look, timeout_s, f"the end of the delivery of {event_id}")

    def recorded(self, event_id):
        return self.verdict.db.query("SELECT * FROM notify.event WHERE id = %s", event_id)


@pytest.fixture
def shop(verdict):
    return Shop(verdict)


def check(request, endpoint):
    """The official library accepts the signature; returns the body."""
    return Webhook(endpoint["secret"]).verify(request.body, request.headers)


SLOW_NAMES = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

/* A name server that does not answer for slow.example. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        dlsym(RTLD_NEXT, "getaddrinfo");
    if (node != NULL && strcmp(node, "slow.example") == 0) {
        sleep(20);
        return EAI_AGAIN;
    }
    return real(node, service, hints, found);
}
"""


def test_a_name_that_does_not_resolve_holds_up_nobody_else(verdict, receiver, tmp_path):
    source, library = tmp_path / "names.c", tmp_path / "names.so"
    source.write_text(SLOW_NAMES)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    shop = Shop(verdict, LD_PRELOAD=str(library))
    slow, good = shop.endpoint("http://slow.example/"), shop.endpoint(receiver.url)

    events = [shop.emit() for _ in range(5)]
    failed = shop.ended(events[0], slow, 40)
    events += [shop.emit() for _ in range(5)]
    for event in events:
        assert shop.ended(event, good, 5)["state"] == "delivered"

    assert failed["state"] == "exhausted"
    waits = verdict.db.value(
        """SELECT max(extract(epoch FROM finished_at - created_at))::float8 FROM notify.delivery
           WHERE endpoint_id = %s""",
        good["id"],
    )
    assert waits < 5


# what is sent ---------------------------------------------------------------------------------


def test_an_event_is_recorded_signed_and_delivered(shop, receiver):
    endpoint = shop.endpoint(receiver.url + "/hook?a=1", ["run.finished"])
    message = shop.message()

    event_id = shop.send(message)
    delivery = shop.ended(event_id, endpoint)

    (request,) = receiver.requests
    body = check(request, endpoint)
    assert request.path == "/hook?a=1"
    assert request.headers["webhook-id"] == event_id == body["id"]
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("Verdict/")
    assert body["type"] == "run.finished"
    assert body["version"] == 3
    assert body["data"] == message["data"]
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(message["at"] / 1000))
    assert body["timestamp"] == f"{at}.{message['at'] % 1000:03d}Z"
    assert delivery["state"] == "delivered"
    (attempt,) = shop.attempts(event_id, endpoint)
    assert (attempt["attempt"], attempt["status_code"], attempt["error"]) == (1, 204, None)
    (event,) = shop.recorded(event_id)
    assert (event["generation"], event["run_version"]) == (1, 3)


def test_a_webhook_is_in_the_trace_of_its_trigger(shop, receiver):
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    endpoint = shop.endpoint(receiver.url)
    body = {"project": "shop", "suite": SUITE}
    run = shop.verdict.api.post("/v1/runs", body, expect=201, headers={"traceparent": trace})

    traced = shop.emit(run_id=run["id"])
    other = shop.emit()
    shop.ended(traced, endpoint)
    shop.ended(other, endpoint)

    told = {r.headers["webhook-id"]: r.headers.get("traceparent") for r in receiver.requests}
    assert told == {traced: trace, other: None}


def test_only_what_an_endpoint_asked_for_is_sent_to_it(shop, receiver):
    everything = shop.endpoint(receiver.url + "/all", ["*"])
    runs = shop.endpoint(receiver.url + "/runs", ["run.*"])
    finished = shop.endpoint(receiver.url + "/finished", ["run.finished"])
    disabled = shop.endpoint(receiver.url + "/disabled", ["*"], enabled=False)
    other = shop.verdict.api.put("/v1/projects/other", {"title": "Other"}, expect=201)

    sent = [shop.emit(t) for t in ("run.queued", "worker.lost", "run.finished")]
    progress = shop.emit("run.progress")
    foreign = shop.emit(project_id=other["id"])
    wait_until(lambda: len(receiver.requests) == 6, 20, "six deliveries")
    wait_until(lambda: shop.recorded(foreign), 20, "the other project's event")

    def told(path):
        return {r.headers["webhook-id"] for r in receiver.requests if r.path == path}

    assert told("/all") == set(sent)
    assert told("/runs") == {sent[0], sent[2]}
    assert told("/finished") == {sent[2]}
    assert shop.recorded(progress) == []
    for endpoint in (everything, runs, finished, disabled):
        assert shop.delivery(progress, endpoint) is None
        assert shop.delivery(foreign, endpoint) is None
    assert shop.delivery(sent[0], disabled) is None


def test_an_event_that_comes_twice_is_sent_once(shop, receiver):
    endpoint = shop.endpoint(receiver.url)
    message = shop.message()

    event_id = shop.send(message)
    shop.send(message)
    last = shop.emit("run.queued")
    shop.ended(last, endpoint)
    shop.ended(event_id, endpoint)

    assert [r.headers["webhook-id"] for r in receiver.requests].count(event_id) == 1


def test_a_bad_message_is_a_dead_letter_and_blocks_nothing(shop, receiver):
    endpoint = shop.endpoint(receiver.url)
    partitions = shop.verdict.bus.partitions("events")
    partition = zlib.crc32(shop.project["id"].encode()) % partitions
    for payload in (
        b"\xff\x00",
        "{}",
        {**shop.message(), "at": "yesterday"},
        {**shop.message(), "type": "x"},
    ):
        shop.verdict.bus.produce("events", payload, partition)
    nul = shop.message(data={"text": "a\u0000b"})
    shop.send(nul)

    event_id = shop.emit()

    assert shop.ended(event_id, endpoint)["state"] == "delivered"
    assert shop.verdict.db.value("SELECT count(*) FROM notify.dead_letter") == 5
    wait_until(
        lambda: (
            [m["type"] for m in shop.verdict.bus.read_json("dead-letters")] == ["dead.letter"] * 5
        ),
        20,
        "the copies of the dead letters",
    )


# tests and redeliveries -----------------------------------------------------------------------


def test_a_test_delivery_is_sent_also_to_a_disabled_endpoint(shop, receiver):
    endpoint = shop.endpoint(receiver.url, ["run.finished"], enabled=False)

    shop.verdict.api.post(f"{shop.url}/webhooks/{endpoint['id']}/test", {}, expect=202)
    wait_until(lambda: receiver.requests, 20, "the test delivery")

    body = check(receiver.requests[0], endpoint)
    assert body["type"] == "endpoint.test"
    assert body["data"]["endpoint_id"] == endpoint["id"]


def test_a_redelivery_has_the_same_id_and_body(shop, receiver):
    endpoint = shop.endpoint(receiver.url)
    event_id = shop.emit()
    delivery = shop.ended(event_id, endpoint)

    shop.verdict.api.post(f"/v1/deliveries/{delivery['id']}/redeliver", {}, expect=202)
    wait_until(lambda: len(receiver.requests) == 2, 20, "the redelivery")

    first, second = receiver.requests
    assert second.headers["webhook-id"] == first.headers["webhook-id"] == event_id
    assert second.body == first.body
    check(second, endpoint)
    listed = shop.verdict.api.get(f"{shop.url}/deliveries")["items"]
    assert len(listed) == 2
    wait_until(
        lambda: (
            {d["state"] for d in shop.verdict.api.get(f"{shop.url}/deliveries")["items"]}
            == {"delivered"}
        ),
        10,
        "both to be delivered",
    )


def test_a_redelivery_of_an_event_that_is_gone_is_refused(shop, receiver):
    endpoint = shop.endpoint(receiver.url)
    event_id = shop.emit()
    delivery = shop.ended(event_id, endpoint)
    shop.verdict.db.query("DELETE FROM notify.event")  # as when its run was removed

    path = f"/v1/deliveries/{delivery['id']}/redeliver"
    refused = shop.verdict.api.post(path, {}, expect=410)

    assert refused["code"] == "gone" and "event" in refused["detail"]
    assert shop.verdict.db.value("SELECT count(*) FROM api.delivery_request") == 0


def test_a_request_whose_hint_was_lost_is_answered_all_the_same(shop, receiver):
    endpoint = shop.endpoint(receiver.url)
    shop.verdict.stop("notifier")
    shop.verdict.db.query(
        """INSERT INTO api.delivery_request (id, kind, endpoint_id, created_by, created_at)
           VALUES (%s, 'test', %s, %s, now() - interval '1 minute')""",
        new_id(),
        endpoint["id"],
        new_id(),
    )

    shop.verdict.start("notifier")
    wait_until(lambda: receiver.requests, 40, "the test delivery")

    assert check(receiver.requests[0], endpoint)["type"] == "endpoint.test"


def test_a_new_secret_signs_from_then_on(shop, receiver):
    endpoint = shop.endpoint(receiver.url)
    renewed = shop.verdict.api.post(f"{shop.url}/webhooks/{endpoint['id']}/secret", {})

    shop.ended(shop.emit(), endpoint)

    check(receiver.requests[0], renewed)
    with pytest.raises(Exception, match="signature"):
        check(receiver.requests[0], endpoint)


# answers --------------------------------------------------------------------------------------


def test_a_failure_is_tried_again_with_the_same_id(shop):
    with Receiver(lambda number, *_: Answer(500 if number < 2 else 204, body=b"no")) as receiver:
        endpoint = shop.endpoint(receiver.url)
        event_id = shop.emit()
        delivery = shop.ended(event_id, endpoint)

        assert delivery["state"] == "delivered"
        assert delivery["attempts"] == 3
        assert {r.headers["webhook-id"] for r in receiver.requests} == {event_id}
        assert len({r.body for r in receiver.requests}) == 1
        for request in receiver.requests:
            check(request, endpoint)
        attempts = shop.attempts(event_id, endpoint)
        assert [a["status_code"] for a in attempts] == [500, 500, 204]
        assert [a["response"] for a in attempts] == ["no", "no", ""]


def test_after_the_last_attempt_it_is_exhausted_and_logged(shop):
    with Receiver(Answer(503)) as receiver:
        endpoint = shop.endpoint(receiver.url)
        event_id = shop.emit()

        delivery = shop.ended(event_id, endpoint)

        assert (delivery["state"], delivery["attempts"]) == ("exhausted", 4)
        assert [a["status_code"] for a in shop.attempts(event_id, endpoint)] == [503] * 4
        shown = shop.verdict.api.get(f"{shop.url}/webhooks/{endpoint['id']}")
        assert shown["failures_in_a_row"] == 4
        assert shown["last_failure_at"]


def test_410_disables_the_endpoint_until_its_owner_changes_it(shop):
    answers = [Answer(410)]
    with Receiver(lambda *_: answers[0]) as receiver:
        endpoint = shop.endpoint(receiver.url)
        first = shop.emit()
        assert shop.ended(first, endpoint)["state"] == "disabled"
        shown = shop.verdict.api.get(f"{shop.url}/webhooks/{endpoint['id']}")
        assert "410" in shown["disabled_reason"]

        second = shop.emit()
        wait_until(lambda: shop.recorded(second), 10, "the second event")
        assert shop.delivery(second, endpoint) is None
        assert len(receiver.requests) == 1

        answers[0] = Answer(204)
        body = {"url": receiver.url, "events": ["*"]}
        shop.verdict.api.put(f"{shop.url}/webhooks/{endpoint['id']}", body)
        third = shop.emit()
        assert shop.ended(third, endpoint)["state"] == "delivered"
        shown = shop.verdict.api.get(f"{shop.url}/webhooks/{endpoint['id']}")
        assert shown.get("disabled_at") is None


def test_an_answer_that_was_on_its_way_enables_nothing_that_410_has_disabled(verdict):
    shop = Shop(verdict, VERDICT_WEBHOOK_TIMEOUT="20s")
    go_on = threading.Event()

    def answer(number, *_):
        if number > 0:
            return Answer(410)
        go_on.wait(15)
        return Answer(200)

    with Receiver(answer) as receiver:
        endpoint = shop.endpoint(receiver.url)
        first = shop.emit()
        wait_until(lambda: receiver.asked == 1, 10, "the first request")
        second = shop.emit()
        assert shop.ended(second, endpoint)["state"] == "disabled"
        go_on.set()
        assert shop.ended(first, endpoint)["state"] == "delivered"

    shown = verdict.api.get(f"{shop.url}/webhooks/{endpoint['id']}")
    assert "410" in shown["disabled_reason"]


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_waited_for(shop, form):
    def answer(number, *_):
        if number > 0:
            return Answer(204)
        wait = "2" if form == "seconds" else email.utils.formatdate(time.time() + 3, usegmt=True)
        return Answer(429, {"Retry-After": wait})

    with Receiver(answer) as receiver:
        endpoint = shop.endpoint(receiver.url)
        event_id = shop.emit()
        delivery = shop.ended(event_id, endpoint)

        assert delivery["state"] == "delivered"
        first, second = shop.attempts(event_id, endpoint)
        assert first["status_code"] == 429
        assert (second["at"] - first["at"]).total_seconds() > 1.5


def test_retry_after_holds_the_whole_endpoint_and_no_other(shop, receiver):
    """Ten more events while it is asked for patience: none of them is sent before its end."""

    def answer(number, *_):
        return Answer(429, {"Retry-After": "3"}) if number == 0 else Answer(204)

    with Receiver(answer) as busy:
        endpoint, other = shop.endpoint(busy.url), shop.endpoint(receiver.url)
        first = shop.emit()
        wait_until(lambda: shop.attempts(first, endpoint), 20, "the first attempt")
        answered = shop.attempts(first, endpoint)[0]["at"]
        events = [shop.emit() for _ in range(10)]

        for event_id in events:
            assert shop.ended(event_id, other)["state"] == "delivered"
        for event_id in [first, *events]:
            assert shop.ended(event_id, endpoint)["state"] == "delivered"
        seconds = [
            (shop.attempts(event_id, endpoint)[-1]["at"] - answered).total_seconds()
            for event_id in [first, *events]
        ]
        assert min(seconds) > 2.5, seconds
        assert len(busy.requests) == 12


def test_a_redirect_is_a_failure_and_not_followed(shop, receiver):
    with Receiver(Answer(302, {"Location": receiver.url})) as redirecting:
        endpoint = shop.endpoint(redirecting.url)
        event_id = shop.emit()

        assert shop.ended(event_id, endpoint)["state"] == "exhausted"
        attempts = shop.attempts(event_id, endpoint)
        assert {a["status_code"] for a in attempts} == {302}
        assert {a["error"] for a in attempts} == {"redirects are not followed"}
        assert receiver.requests == []


def hang(connection, _):
    connection.recv(65536)
    time.sleep(30)


def drip(connection, _):
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def reset(connection, _):
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def rubbish(connection, _):
    connection.recv(65536)
    connection.sendall(b"\x00\xff\xfe rubbish\r\n\r\n" * 100)
    connection.close()


@pytest.mark.parametrize("behave", [hang, drip, reset, rubbish])
def test_a_rude_receiver_ends_in_logged_exhaustion(verdict, behave):
    shop = Shop(verdict, VERDICT_WEBHOOK_SCHEDULE="0s,100ms")
    with RudeReceiver(behave) as rude:
        endpoint = shop.endpoint(rude.url)
        event_id = shop.emit()

        assert shop.ended(event_id, endpoint)["state"] == "exhausted"
        attempts = shop.attempts(event_id, endpoint)
        assert len(attempts) == 2
        for attempt in attempts:
            assert attempt["status_code"] is None
            assert attempt["error"]
            assert attempt["duration_ms"] < 3000


def test_an_answer_without_end_is_cut_and_its_status_stands(shop):
    def flood(connection, _):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            connection.sendall(b"y" * 65536)

    with RudeReceiver(flood) as rude:
        endpoint = shop.endpoint(rude.url)
        event_id = shop.emit()

        assert shop.ended(event_id, endpoint)["state"] == "delivered"
        (attempt,) = shop.attempts(event_id, endpoint)
        assert attempt["response"] == "y" * 1024


def test_nobody_there_is_a_failure_with_its_reason(verdict):
    shop = Shop(verdict, VERDICT_WEBHOOK_SCHEDULE="0s")
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as closed:
        port = closed.getsockname()[1]
    refused = shop.endpoint(f"http://127.0.0.1:{port}/")
    unknown = shop.endpoint("http://no-such-host.invalid/")
    event_id = shop.emit()

    for endpoint, word in ((refused, "connect"), (unknown, "resolve")):
        assert shop.ended(event_id, endpoint)["state"] == "exhausted"
        (attempt,) = shop.attempts(event_id, endpoint)
        assert word in attempt["error"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
def test_private_addresses_are_refused_unless_allowed(verdict, receiver, host):
    shop = Shop(verdict, VERDICT_WEBHOOK_ALLOW_PRIVATE="false", VERDICT_WEBHOOK_SCHEDULE="0s")
    endpoint = shop.endpoint(receiver.url.replace("127.0.0.1", host))
    event_id = shop.emit()

    assert shop.ended(event_id, endpoint)["state"] == "exhausted"
    (attempt,) = shop.attempts(event_id, endpoint)
    assert "not public" in attempt["error"]
    assert receiver.requests == []


# one receiver does not harm another -------------------------------------------------------------


def test_bad_endpoints_never_delay_a_good_one(verdict, receiver, tell):
    """Five endpoints hang, drip or reset; the good one's p99 stays below a second."""
    shop = Shop(verdict, VERDICT_WEBHOOK_SCHEDULE="0s,1s,1s", VERDICT_WEBHOOK_TIMEOUT="5s")
    with contextlib.ExitStack() as stack:
        for behave in (hang, hang, drip, drip, reset):
            shop.endpoint(stack.enter_context(RudeReceiver(behave)).url)
        # One more bad one on the good one's own host and port.
        answers = {"/good": Answer(204), "/bad": Answer(500)}
        receiver.answer = lambda _number, path, *_: answers[path]
        shop.endpoint(receiver.url + "/bad")
        good = shop.endpoint(receiver.url + "/good")

        events = [shop.emit() for _ in range(size(40, 1000))]
        for event_id in events:
            assert shop.ended(event_id, good)["state"] == "delivered"

        waits = sorted(
            row["wait"]
            for row in verdict.db.query(
                """SELECT extract(epoch FROM d.finished_at - e.recorded_at)::float8 AS wait
                   FROM notify.delivery d JOIN notify.event e ON e.id = d.event_id
                   WHERE d.endpoint_id = %s""",
                good["id"],
            )
        )
        print(f"good endpoint: median {waits[len(waits) // 2]:.3f} s, worst {waits[-1]:.3f} s")
        tell(events=len(waits), p99_ms=round(1000 * waits[len(waits) * 99 // 100]))
        assert waits[len(waits) * 99 // 100] < 1


# crashes and stops ----------------------------------------------------------------------------


def test_kill_9_loses_no_delivery(verdict, tell):
    """Killed again and again while it sends: each event has its 2xx, with the same id."""
    shop = Shop(verdict, VERDICT_WEBHOOK_SCHEDULE="0s,100ms,200ms,400ms,800ms,1s,1s,1s,1s,1s")
    with Receiver(lambda number, *_: Answer(500 if number % 4 == 1 else 204)) as receiver:
        endpoint = shop.endpoint(receiver.url)
        events = []
        for _ in range(size(4, 20)):
            events += [shop.emit() for _ in range(25)]
            verdict.kill("notifier")
            events += [shop.emit() for _ in range(5)]
            verdict.start("notifier")
        for event_id in events:
            assert shop.ended(event_id, endpoint, 60)["state"] == "delivered"

        accepted = {r.headers["webhook-id"] for r in receiver.requests if r.answered == 204}
        tell(events=len(events), requests=len(receiver.requests))
        assert accepted == set(events)
        for request in receiver.requests:
            check(request, endpoint)
        for event_id in events:
            assert shop.attempts(event_id, endpoint)[-1]["status_code"] == 204


def test_a_killed_notifier_takes_its_claims_back_at_once(verdict):
    """Killed while a receiver hangs: after the start nobody waits for the old lease to run out."""
    shop = Shop(verdict, VERDICT_WEBHOOK_TIMEOUT="60s")
    with RudeReceiver(lambda c, number: hang(c, number) if number == 1 else ok(c)) as receiver:
        endpoint = shop.endpoint(receiver.url)
        event_id = shop.emit()
        wait_until(lambda: receiver.connections == 1, 20, "the first request")
        verdict.kill("notifier")
        verdict.start("notifier")

        assert shop.ended(event_id, endpoint, 20)["state"] == "delivered"


def ok(connection):
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")


def test_lost_connections_to_postgres_lose_no_delivery(verdict, receiver):
    """Its backends are ended again and again under load, also between request and record."""
    shop = Shop(verdict)
    endpoint = shop.endpoint(receiver.url)
    events = []
    for _ in range(8):
        events += [shop.emit() for _ in range(10)]
        verdict.db.query(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE usename = 'verdict_notifier' AND datname = current_database()"""
        )

    for event_id in events:
        assert shop.ended(event_id, endpoint, 90)["state"] == "delivered"
    assert {r.headers["webhook-id"] for r in receiver.requests} == set(events)


def test_a_graceful_stop_waits_for_what_is_in_flight(verdict):
    shop = Shop(verdict, VERDICT_WEBHOOK_TIMEOUT="10s")

    def slow(connection, _):
        connection.recv(65536)
        time.sleep(1)
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with RudeReceiver(slow) as receiver:
        endpoint = shop.endpoint(receiver.url)
        event_id = shop.emit()
        wait_until(lambda: receiver.connections == 1, 20, "the request")

        assert verdict.stop("notifier") == 0

        delivery = shop.delivery(event_id, endpoint)
        assert (delivery["state"], delivery["attempts"]) == ("delivered", 1)
        assert receiver.connections == 1


def test_a_stop_within_a_short_grace_gives_the_claims_back(verdict):
    shop = Shop(verdict, VERDICT_WEBHOOK_TIMEOUT="60s", VERDICT_STOP_GRACE="2s")
    with RudeReceiver(hang) as receiver:
        endpoint = shop.endpoint(receiver.url)
        event_id = shop.emit()
        wait_until(lambda: receiver.connections == 1, 20, "the request")

        assert verdict.stop("notifier") == 0

        delivery = shop.delivery(event_id, endpoint)
        assert (delivery["state"], delivery["attempts"]) == ("pending", 0)
        assert delivery["claimed_by"] is None


def test_two_notifiers_share_the_work_and_send_once(verdict, receiver):
    shop = Shop(verdict)
    verdict.start("notifier-2", **shop.settings)
    endpoint = shop.endpoint(receiver.url)

    events = [shop.emit() for _ in range(60)]
    for event_id in events:
        assert shop.ended(event_id, endpoint)["state"] == "delivered"

    ids = [r.headers["webhook-id"] for r in receiver.requests]
    assert sorted(ids) == sorted(events)


def test_a_topic_made_again_begins_a_new_generation(verdict, receiver):
    shop = Shop(verdict)
    endpoint = shop.endpoint(receiver.url)
    for _ in range(3):
        shop.ended(shop.emit(), endpoint)

    verdict.bus.make_again("events")

    def arrived():
        event_id = shop.emit()
        with contextlib.suppress(Exception):
            return shop.ended(event_id, endpoint, 5)
        return None

    wait_until(arrived, 90, "an event of the new log")
    generations = verdict.db.query("SELECT DISTINCT generation FROM notify.event ORDER BY 1")
    assert [row["generation"] for row in generations] == [1, 2]
    asked = [m for m in verdict.bus.read_json("scheduling") if m["type"] == "resync"]
    assert asked
    assert asked[0]["topic"] == verdict.bus.topic("events")


def test_what_was_lost_with_the_topic_is_told_again(verdict, receiver):
    """An event went with the topic that was made again: the scheduler has it still."""
    shop = Shop(verdict)
    verdict.start("scheduler")
    endpoint = shop.endpoint(receiver.url)
    for _ in range(4):
        shop.ended(shop.emit(), endpoint)
    run_id, event_id = new_id(), new_id()
    verdict.db.query(
        """INSERT INTO scheduling.run_state
             (run_id, project_id, pool_id, partition, state, priority, run_deadline, finished_at)
           VALUES (%s, %s, %s, 0, 'passed', 50, now(), now())""",
        run_id,
        shop.project["id"],
        new_id(),
    )
    verdict.db.query(
        """INSERT INTO scheduling.run_event (run_id, version, id, project_id, type, data)
           VALUES (%s, 4, %s, %s, 'run.finished', '{"state": "passed"}')""",
        run_id,
        event_id,
        shop.project["id"],
    )

    verdict.bus.make_again("events")

    assert shop.ended(event_id, endpoint, 90)["state"] == "delivered"
    body = check(receiver.requests[-1], endpoint)
    assert (body["id"], body["version"]) == (event_id, 4)


def test_the_metrics_tell_of_it(shop, receiver):
    endpoint = shop.endpoint(receiver.url)
    shop.ended(shop.emit(), endpoint)

    _, text = shop.verdict.services["notifier"].health("/metrics")

    assert 'verdict_webhook_deliveries_total{state="delivered"} 1' in text
    assert 'verdict_webhook_attempts_total{answer="2xx"} 1' in text
    assert "verdict_events_recorded_total 1" in text
