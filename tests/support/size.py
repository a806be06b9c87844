# SPDX-License-Identifier: Apache-2.0
"""How large a test is: a short cut in `make test`, whole in `make chaos`."""

import os

WHOLE = os.environ.get("VERDICT_WHOLE_SIZE") == "1"


def size(short, whole):
    return whole if WHOLE else short
