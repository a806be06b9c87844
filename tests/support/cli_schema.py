# SPDX-License-Identifier: Apache-2.0
"""docs/schemas/cli.schema.json: what the users' command says with --json."""

import functools
import json

import jsonschema
import referencing
from referencing.jsonschema import DRAFT202012

from . import TOP

SCHEMAS = "file:///docs/"


def conforms(name, text):
    """What `verdict NAME --json` wrote, held against its schema; returns the value."""
    value = json.loads(text)
    validator({"$ref": f"{SCHEMAS}schemas/cli.schema.json#/$defs/{name}"}).validate(value)
    return value


@functools.cache
def schema_registry():
    files = ("schemas/cli.schema.json", "generated/openapi.json")
    return referencing.Registry().with_resources(
        (SCHEMAS + name, DRAFT202012.create_resource(json.loads((TOP / "docs" / name).read_text())))
        for name in files
    )


def validator(schema):
    return jsonschema.Draft202012Validator(schema, registry=schema_registry())
