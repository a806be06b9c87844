# SPDX-License-Identifier: Apache-2.0
"""What the tests with real parts stand on. `from support.verdict import Verdict`, and the fixtures
`verdict` (shared servers) and `private_verdict` (servers of its own) in tests/conftest.py."""

import pathlib
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]

# The private stack is the library that starts our servers as well.
if str(TOP / "stack") not in sys.path:
    sys.path.insert(0, str(TOP / "stack"))

# A suite that needs no worker to be made, listed and triggered.
SUITE = {
    "slug": "unit",
    "framework": "command",
    "source": {"kind": "path", "path": "/srv/shop"},
    "command": ["true"],
    "report": {"format": "none"},
}
