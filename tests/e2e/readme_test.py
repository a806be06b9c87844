# SPDX-License-Identifier: Apache-2.0
"""What README tells newcomers to type does what it says."""

import re
import subprocess

from support import TOP

TOURS = re.compile(r"^## Five minutes with .*?\n\n```\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_tours_of_the_readme_can_be_typed(verdict):
    tours = TOURS.findall((TOP / "README.md").read_text())
    verdict.source_roots.append(TOP)
    verdict.start_all(VERDICT_BLOB_URL=f"file://{verdict.folder / 'files'}")
    environment = {
        "HOME": str(verdict.folder),
        "PATH": "/usr/bin:/bin",
        "VERDICT_URL": verdict.api_url,
        "VERDICT_TOKEN": verdict.admin_token.read_text().strip(),
    }
    report = TOP / "examples/shop/report.html"

    said = []
    for tour in tours:
        # `.stack/env` is of another installation; that this one's variables are set is its effect.
        script = "set -u\n" + tour.replace(". .stack/env", "true")
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=TOP,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        said.append(done.stdout + done.stderr)
    page = report.read_text()
    report.unlink()

    runs = verdict.api.get("/v1/runs?project=shop")["items"]
    ended = sorted((run["suite"]["slug"], run["state"]) for run in runs)
    assert len(tours) == 2
    assert ended == [
        ("shop", "failed"),
        ("shop", "failed"),
        ("shop-pytest", "failed"),
        ("shop-pytest", "failed"),
        ("smoke", "passed"),
    ], said
    assert '"status":"passed"' in said[0].replace(" ", "")
    assert "test_a_cart_of_gifts_has_an_invoice" in said[1] and "final already" in said[1]
    assert page.startswith("<!doctype html>")
    assert not re.search(r"command not found|\busage\b|problem\+json", "".join(said))
