# SPDX-License-Identifier: Apache-2.0
"""One trace of a run over all five services, as a collector of traces sees it."""

import re
import secrets

import pytest
from parts.process import wait_until
from support.receiver import Answer
from support.traces import Traces

SERVICES = {"api-ingest", "scheduler", "executor", "result-collector", "notifier"}


@pytest.fixture(scope="module")
def traces():
    with Traces() as made:
        yield made


@pytest.fixture(scope="module")
def traced(shared_verdict, traces):
    shared_verdict.start_all(**traces.settings())
    shared_verdict.api.put("/v1/projects/shop", {"title": "Shop"})
    return shared_verdict


@pytest.fixture(autouse=True)
def webhook(traced, receiver):
    hook = {"url": receiver.url, "events": ["run.finished"]}
    made = traced.api.post("/v1/projects/shop/webhooks", hook, expect=201)
    yield
    traced.api.delete(f"/v1/projects/shop/webhooks/{made['id']}")


def trigger(verdict, flags="01", **suite):
    """A run in a trace of ours: of one test that prints its environment, or of `suite`."""
    trace, span = secrets.token_hex(16), "1" + secrets.token_hex(8)[1:]
    suite = suite or {
        "source": {"kind": "path", "path": str(verdict.folder)},
        "command": ["/usr/bin/env"],
        "report": {"format": "none"},
    }
    header = f"00-{trace}-{span}-{flags}"
    body = {"project": "shop", "suite": {"slug": "one", "framework": "command", **suite}}
    run = verdict.api.post("/v1/runs", body, expect=201, headers={"traceparent": header})
    return run["id"], trace, span


def told(receiver, count):
    """The parents that webhooks carried, when there are so many."""
    wait_until(lambda: len(receiver.requests) >= count, 60, "the run's webhook")
    return [request.headers["traceparent"].split("-") for request in receiver.requests]


def parent_of_test(verdict, run):
    text = verdict.api.get(f"/v1/runs/{run}/logs")
    return re.search("TRACEPARENT=(.*)", text).group(1).split("-")


def dropped(verdict):
    text = "".join(service.health("/metrics")[1] for service in verdict.services.values())
    return sum(map(int, re.findall(r"^verdict_spans_dropped_total (\d+)$", text, re.MULTILINE)))


def test_a_run_is_one_tree_of_spans(traced, traces, receiver):
    run, trace, caller = trigger(traced)

    traced.wait_final(run)
    [webhook] = told(receiver, 1)
    names = {"trigger", "run", "plan", "dispatch", "attempt", "record", "deliver"}
    wait_until(lambda: {s.name for s in traces.spans(trace)} >= names, 60, "each kind of span")

    spans = traces.spans(trace)
    by_id = {span.id: span for span in spans}
    by_name = {span.name: span for span in spans}
    assert len(by_id) == len(by_name) == len(spans) == len(names)
    assert {span.service for span in spans} == {f"verdict-{name}" for name in SERVICES}
    assert by_name["trigger"].parent == caller
    above = {span.name: by_id[span.parent].name for span in spans if span.name != "trigger"}
    assert above == {
        "run": "trigger",
        "plan": "run",
        "dispatch": "run",
        "deliver": "run",
        "attempt": "dispatch",
        "record": "dispatch",
    }
    assert parent_of_test(traced, run) == ["00", trace, by_name["attempt"].id, "01"]
    assert webhook == ["00", trace, by_name["deliver"].id, "01"]
    assert all(span.attributes["verdict.run.id"] == run for span in spans)
    assert all(span.start_ns <= span.end_ns for span in spans)
    assert by_name["run"].attributes["verdict.run.state"] == "passed"
    assert not any(span.failed for span in spans)


def test_uploaded_results_are_part_of_the_tree(traced, traces):
    run, trace, _ = trigger(traced, source={"kind": "upload"})
    path = f"/v1/runs/{run}/results?format=tap&complete=true"
    traced.api.post(path, data=b"TAP version 13\n1..1\nok 1 - one\n")

    assert traced.wait_final(run)["state"] == "passed"
    names = {"trigger", "run", "dispatch", "record", "deliver"}
    wait_until(lambda: {s.name for s in traces.spans(trace)} >= names, 60, "each kind of span")

    spans = traces.spans(trace)
    assert {span.name for span in spans} == names
    assert {span.parent for span in spans} - {span.id for span in spans} == {
        span.parent for span in spans if span.name == "trigger"
    }


def test_who_does_not_take_spans_delays_nothing(traced, traces, receiver, monkeypatch):
    quiet, quiet_trace, _ = trigger(traced, flags="00")
    traced.wait_final(quiet)
    monkeypatch.setattr(traces, "said", Answer(503))
    traces.let_go.clear()

    before = dropped(traced)
    run, trace, _ = trigger(traced)
    traced.wait_final(run)
    wait_until(lambda: traces.asked > len(traces.requests), 60, "spans to be on their way")
    parents = told(receiver, 2)
    assert not traces.spans(trace)  # none is answered yet
    traces.let_go.set()
    wait_until(lambda: dropped(traced) > before, 60, "dropped spans to be counted")

    assert {parent[1] for parent in parents} == {quiet_trace, trace}
    assert not traces.spans(quiet_trace)  # who began it does not record it
