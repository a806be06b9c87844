# SPDX-License-Identifier: Apache-2.0
"""A collector of traces: what OTLP/HTTP brings as JSON, by the ids of the spans."""

import json
import threading
from dataclasses import dataclass
from urllib.parse import quote

from .receiver import Answer, Receiver

AUTHORIZATION = "Bearer of-traces"


@dataclass
class Span:
    service: str
    name: str
    kind: int
    trace: str
    id: str
    parent: str  # "": none
    start_ns: int
    end_ns: int
    attributes: dict
    failed: bool


def _value(value):
    return int(value["intValue"]) if "intValue" in value else value["stringValue"]


def _attributes(of):
    return {entry["key"]: _value(entry["value"]) for entry in of["attributes"]}


def _span(service, json_span):
    return Span(
        service=service,
        name=json_span["name"],
        kind=json_span["kind"],
        trace=json_span["traceId"],
        id=json_span["spanId"],
        parent=json_span.get("parentSpanId", ""),
        start_ns=int(json_span["startTimeUnixNano"]),
        end_ns=int(json_span["endTimeUnixNano"]),
        attributes=_attributes(json_span),
        failed=json_span.get("status", {}).get("code") == 2,
    )


class Traces(Receiver):
    """Answers `said`; while `let_go` is clear it takes requests and says nothing."""

    def __init__(self):
        self.let_go = threading.Event()
        self.let_go.set()
        self.said = Answer(200, {"Content-Type": "application/json"}, b"{}")
        super().__init__(self._answer)

    def _answer(self, *_):
        said = self.said
        self.let_go.wait(60)
        return said

    def settings(self):
        """Of services that are to send their spans here."""
        return {
            "VERDICT_OTLP_ENDPOINT": self.url,
            "VERDICT_OTLP_HEADERS": f"authorization={quote(AUTHORIZATION)}",
        }

    def spans(self, trace=None):
        """Those that were taken, of one trace or of all."""
        found = []
        for request in list(self.requests):
            if request.answered != 200:
                continue
            assert request.path == "/v1/traces"
            assert request.headers["content-type"] == "application/json"
            assert request.headers["authorization"] == AUTHORIZATION
            for part in json.loads(request.body)["resourceSpans"]:
                service = _attributes(part["resource"])["service.name"]
                for scope in part["scopeSpans"]:
                    found += [_span(service, one) for one in scope["spans"]]
        return [span for span in found if trace in (None, span.trace)]

    def close(self):
        self.let_go.set()
        super().close()
