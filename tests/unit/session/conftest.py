"""A session without a worker, and the kernel that listens to it."""

from __future__ import annotations

import pytest
from tests.unit.session.call_scene import Scene, at_once
from tests.unit.session.sharing_kit import Kernel, workerless_session

from blustream_widget.session import (
    call_kept,
    call_left,
    call_media,
    call_relay,
    left_behind,
    publish_tap,
    publishing,
)


@pytest.fixture
async def session(monkeypatch):
    async with workerless_session(monkeypatch) as made:
        yield made


@pytest.fixture
async def kernel(session):
    kernel = Kernel()
    session.attach(kernel)
    return kernel


@pytest.fixture
def no_call_pauses(monkeypatch):
    """Large calls wait for nobody, and begin anew less often than pages may."""
    for module in (call_relay, call_left):
        monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(call_media, "AGAIN_S", 0.0)
    monkeypatch.setattr(call_media, "AGREE_S", 0.0)
    monkeypatch.setattr(call_media, "SOON_S", 0.0)
    monkeypatch.setattr(call_relay, "BEGINS_BURST", 4.0)
    monkeypatch.setattr(call_kept, "to_thread", at_once)


@pytest.fixture
async def scene(no_call_pauses):
    made = Scene()
    yield made
    await made.close()


@pytest.fixture
def no_pauses(monkeypatch):
    """Try at once what is tried again after a while."""
    monkeypatch.setattr(publishing, "FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(left_behind, "FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(publish_tap, "LOOK_S", 0.0)
    monkeypatch.setattr(publish_tap, "REST_S", 1000.0)
