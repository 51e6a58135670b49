"""A session without a worker, and the kernel that listens to it."""

from __future__ import annotations

import pytest
from tests.unit.session.sharing_kit import Kernel, workerless_session


@pytest.fixture
async def session(monkeypatch):
    async with workerless_session(monkeypatch) as made:
        yield made


@pytest.fixture
async def kernel(session):
    kernel = Kernel()
    session.attach(kernel)
    return kernel
