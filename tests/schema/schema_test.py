# SPDX-License-Identifier: Apache-2.0
"""schemathesis against all services: whatever it asks, there is no 500, no status and no body that
the document does not describe, and nothing that the document forbids is accepted.
VERDICT_SCHEMA_EXAMPLES says how many examples of each operation (3: seconds, as a part of
`make test`; 100: minutes, `make test-schema`). The seed is a
fixed one unless VERDICT_SEED gives another."""

import os
import subprocess

import pytest
from support import TOP

EXAMPLES = int(os.environ.get("VERDICT_SCHEMA_EXAMPLES", "3"))
SEED = int(os.environ.get("VERDICT_SEED") or 2)
SUITE = {
    "slug": "unit",
    "framework": "command",
    "source": {"kind": "path", "path": str(TOP / "examples" / "shop")},
    "command": ["true"],
    "report": {"format": "none"},
}


@pytest.fixture
def things(verdict):
    """One of each thing that a path can name."""
    verdict.start_all()
    api = verdict.api
    api.put("/v1/projects/shop", {}, expect=201)
    api.put("/v1/projects/shop/environments/prod", {}, expect=201)
    api.put("/v1/projects/shop/suites/unit", SUITE, expect=201)
    api.put("/v1/projects/shop/templates/nightly", {"suite": "unit"}, expect=201)
    hook = api.post("/v1/projects/shop/webhooks", {"url": "http://127.0.0.1:9/"}, expect=201)
    api.post(f"/v1/projects/shop/webhooks/{hook['id']}/test", expect=202)
    run = api.post("/v1/runs", {"project": "shop", "suite": "unit"}, expect=201)
    verdict.wait_final(run["id"])
    spare = api.post("/v1/tokens", {"name": "spare", "scopes": ["runs:read"]}, expect=201)
    share = api.post(f"/v1/runs/{run['id']}/share", expect=201)
    return {
        "project": "shop",
        "environment": "prod",
        "suite": "unit",
        "template": "nightly",
        "webhook": hook["id"],
        "pool": "default",
        "run": run["number"],
        "token": spare["id"],
        "link": share["url"].rpartition("/")[2],
    }


@pytest.fixture
def removable(verdict, things):
    """Operation → the thing that it may remove."""
    api = verdict.api
    api.put("/v1/projects/gone", {}, expect=201)
    api.put("/v1/projects/emptied", {}, expect=201)
    run = api.post("/v1/runs", {"project": "shop", "suite": "unit"}, expect=201)
    verdict.wait_final(run["id"])
    return {
        "projects_remove": ("project", "gone"),
        "projects_remove_runs": ("project", "emptied"),
        "runs_remove": ("run", run["number"]),
    }


def settings_with(folder, things, removable):
    """The configuration, with paths that name what is there."""
    text = (TOP / "tests/schema/schemathesis.toml").read_text()
    for operation, (name, value) in removable.items():
        own = f'include-operation-id = "{operation}"\nparameters = {{"path.{name}" = "{value}"}}'
        text += f"\n[[operations]]\n{own}\n"
    given = "\n".join(f'"path.{name}" = "{value}"' for name, value in things.items())
    path = folder / "schemathesis.toml"
    path.write_text(f"{text}\n[parameters]\n{given}\n")
    return path


def let_loose(verdict, settings, seed, examples, phases):
    token = verdict.admin_token.read_text().strip()
    command = [
        TOP / ".venv/bin/schemathesis",
        f"--config-file={settings}",
        "run",
        f"{verdict.api_url}/v1/openapi.json",
        f"--header=Authorization: Bearer {token}",
        f"--seed={seed}",
        f"--max-examples={examples}",
        f"--phases={phases}",
        "--workers=1",
        "--generation-database=none",
        "--suppress-health-check=all",
        "--warnings=off",
        "--no-color",
        "--continue-on-failure",
        "--request-timeout=70",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=verdict.folder)
    print(done.stdout, done.stderr)
    return done.returncode


PHASES = "examples,coverage,fuzzing,stateful" if EXAMPLES >= 100 else "examples,fuzzing,stateful"


@pytest.mark.timeout(900)
def test_nothing_is_answered_that_is_not_described(verdict, things, removable, tmp_path):
    there = settings_with(tmp_path, things, removable)

    status = let_loose(verdict, there, SEED, EXAMPLES, PHASES)

    assert status == 0, f"what it found stands above; VERDICT_SEED={SEED} repeats it"
    assert verdict.services["api-ingest"].is_running()
    verdict.api.get(f"/v1/runs/{removable['runs_remove'][1]}", expect=404)
    verdict.api.get(f"/v1/runs/{things['run']}")
