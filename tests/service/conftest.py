# SPDX-License-Identifier: Apache-2.0
"""Fixtures that several of these files use."""

import re

import pytest
from support.pool import Pool
from support.project import Project, start


@pytest.fixture(scope="module")
def started_verdict(shared_verdict):
    start(shared_verdict)
    return shared_verdict


@pytest.fixture
def project(started_verdict, request):
    """On services that all these tests share."""
    name = re.sub(r"\W", "_", request.node.name)  # pytest finds nothing below a folder[x]
    return Project(started_verdict, name)


@pytest.fixture
def own_project(verdict):
    """On services of its own, which the test may stop and kill."""
    start(verdict)
    return Project(verdict, "own")


@pytest.fixture
def pool(verdict):
    made = Pool(verdict)
    try:
        yield made
    finally:
        made.close()
