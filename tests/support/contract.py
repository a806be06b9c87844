# SPDX-License-Identifier: Apache-2.0
"""Holds each request that was accepted, and each answer, against the OpenAPI document. Answers may
not have members that it does not name, so that nothing is told that nobody has described."""

import functools
import json
import re
import urllib.parse

import jsonschema_rs

from . import TOP

DOCUMENT = TOP / "docs" / "generated" / "openapi.json"
HINT = f"if that is right, describe it in services/api-ingest/openapi ({DOCUMENT.name}: make docs)"


@functools.cache
def document():
    return json.loads(DOCUMENT.read_text())


@functools.cache
def _strict():
    """The components, closed: what is not named may not be there."""

    def close(schema):
        if isinstance(schema, list):
            return [close(entry) for entry in schema]
        if not isinstance(schema, dict):
            return schema
        closed = {name: close(part) for name, part in schema.items()}
        if isinstance(schema.get("properties"), dict) and "type" in schema:
            closed.setdefault("additionalProperties", False)
        return closed

    return close(document()["components"])


@functools.cache
def _validator(schema_text, strict):
    components = _strict() if strict else document()["components"]
    schema = {**json.loads(schema_text), "components": components}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def _check(schema, value, strict, what):
    errors = _validator(json.dumps(schema, sort_keys=True), strict).iter_errors(value)
    for error in errors:
        at = "/".join(map(str, error.instance_path))
        raise AssertionError(f"{what}: {at}: {error.message}; {HINT}")


@functools.cache
def _paths():
    """Patterns without parameters first: /v1/runs/{run} takes no other path's name."""
    paths = sorted(document()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in paths]


def find_operation(method, path):
    """The operation, or None: there is no such route."""
    for pattern, name in _paths():
        operation = document()["paths"][name].get(method.lower())
        if operation is not None and pattern.fullmatch(path):
            return operation
    return None


def _resolve(part):
    reference = part.get("$ref")
    if reference is None:
        return part
    at = document()
    for name in reference.split("/")[1:]:
        at = at[name]
    return at


def _typed(text, schema):
    """A parameter is a text; one that must be a number is compared as such."""
    try:
        return int(text) if schema.get("type") == "integer" else text
    except ValueError:
        return text


def _check_request(operation, request, what):
    known = {(p["in"], p["name"]): p["schema"] for p in map(_resolve, operation["parameters"])}
    query = urllib.parse.parse_qsl(urllib.parse.urlsplit(request.url).query, True)
    for name, value in query:
        assert ("query", name) in known, f"{what}: ?{name}= is not described; {HINT}"
        schema = known["query", name]
        _check(schema, _typed(value, schema), False, f"{what}: ?{name}=")
    body = operation.get("requestBody")
    if body is None or not request.body:
        assert body is None or not body["required"], f"{what}: accepted without a body; {HINT}"
        return
    if isinstance(request.body, (bytes, str)) and "application/json" in body["content"]:
        schema = body["content"]["application/json"]["schema"]
        _check(schema, json.loads(request.body), False, f"{what}: its body")


def check(answer, has_body=True):
    """`answer` is one of requests; without its body when that is a stream."""
    request = answer.request
    path = urllib.parse.unquote(urllib.parse.urlsplit(request.url).path)
    what = f"{request.method} {path}"
    operation = find_operation("GET" if request.method == "HEAD" else request.method, path)
    if operation is None:
        assert answer.status_code in (404, 405), f"{what}: {answer.status_code} without a route"
        return
    if answer.ok:
        _check_request(operation, request, what)
    what += f" → {answer.status_code}"
    response = operation["responses"].get(str(answer.status_code))
    assert response is not None, f"{what}: a status that is not described; {HINT}"
    _check_response(_resolve(response), answer, has_body, what)


def _check_response(response, answer, has_body, what):
    for name, header in response.get("headers", {}).items():
        is_there = name in answer.headers
        assert is_there or not _resolve(header).get("required"), f"{what}: no header {name}"
    if not has_body or not answer.content:
        return
    content = response.get("content", {})
    kind = answer.headers.get("Content-Type")
    assert kind in content, f"{what}: {kind} is not described; {HINT}"
    if kind.endswith("json"):
        _check(content[kind]["schema"], answer.json(), True, what)
