#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI document against the table of routes and the code, both ways: each route is an
operation and each operation a route; each parameter that a handler reads is in the document, and
each that is in the document is read."""

import json
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
API = TOP / "services" / "api-ingest"
METHODS = ("get", "post", "put", "patch", "delete")

ROUTE = re.compile(r"^\| (\w+) \| `([^`]+)` \|", re.MULTILINE)
QUERY = re.compile(r'request_query(?:_int|_duration|_choice)?\(\s*request,\s*"([^"]+)"')
HEADER = re.compile(r'request_header\(\s*request,\s*"([^"]+)"')

# Of every request: their place is in docs/api.md.
COMMON_HEADERS = {"Authorization", "Content-Type", "Accept", "traceparent"}


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                yield method.upper(), path, operation


def parameters(document, where):
    names = set()
    for _, _, operation in operations(document):
        for parameter in operation["parameters"]:
            name = parameter.get("$ref", "").rpartition("/")[2]
            parameter = document["components"]["parameters"][name] if name else parameter
            if parameter["in"] == where:
                names.add(parameter["name"])
    return names


def read_by(pattern):
    return {name for path in API.rglob("*.c") for name in pattern.findall(path.read_text())}


def compare(what, left, have, right, wanted):
    yield from (f"{what} {name} is in {left}, but not in {right}" for name in sorted(have - wanted))
    yield from (f"{what} {name} is in {right}, but not in {left}" for name in sorted(wanted - have))


def main():
    document = json.loads((TOP / "docs/generated/openapi.json").read_text())
    routes = set(ROUTE.findall((TOP / "docs/generated/routes.md").read_text()))
    described = {(method, path) for method, path, _ in operations(document)}
    used = {json.dumps(o["parameters"]) for _, _, o in operations(document)}
    faults = [
        *compare("route", "the document", described, "routes.md", routes),
        *compare(
            "?parameter", "the document", parameters(document, "query"), "code", read_by(QUERY)
        ),
        *compare(
            "header",
            "the document",
            parameters(document, "header"),
            "code",
            read_by(HEADER) - COMMON_HEADERS,
        ),
        *(
            f"parameter {name} of components is used by no operation"
            for name in document["components"]["parameters"]
            if not any(f'parameters/{name}"' in list_ for list_ in used)
        ),
    ]
    print("\n".join(map(str, faults)) or f"{len(routes)} routes are described")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
