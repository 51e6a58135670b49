"""Whom Jupyter's extension holds while a killed server's place is empty, and for how long."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import pytest

from blustream_widget.errors import ConfigError
from blustream_widget.server import extension


class Attempts:
    """What comes of connecting, one after the other; the last goes on for ever."""

    def __init__(self, monkeypatch, *outcomes) -> None:
        self.outcomes = list(outcomes)
        self.n = 0
        self.now_s = 100.0
        monkeypatch.setattr(extension, "_connect", self)
        monkeypatch.setattr(extension, "SUCCESSOR_STEP_S", 0.0)
        monkeypatch.setattr(extension, "time", SimpleNamespace(monotonic=lambda: self.now_s))

    def __call__(self):
        self.n += 1
        self.now_s += 1.0
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@pytest.fixture
def lease():
    with socket.socket(socket.AF_UNIX) as made:
        yield made


async def test_who_comes_while_a_killed_servers_place_is_empty_gets_the_next(monkeypatch, lease):
    # The socket has no listener; then the next server removes it; then it has made its own.
    attempts = Attempts(monkeypatch, ConnectionRefusedError(), FileNotFoundError(), lease)
    assert await extension._Door().open() is lease
    assert attempts.n == 3


@pytest.mark.parametrize("error", [FileNotFoundError(), BlockingIOError(), ConfigError("unusable")])
async def test_where_no_server_was_killed_nobody_is_held(monkeypatch, error):
    attempts = Attempts(monkeypatch, error)
    assert await extension._Door().open() is None
    assert attempts.n == 1


async def test_a_place_that_stays_empty_holds_nobody_after_some_seconds(monkeypatch, lease):
    attempts = Attempts(monkeypatch, ConnectionRefusedError())
    door = extension._Door()
    assert await door.open() is None
    assert attempts.n == extension.SUCCESSOR_TIMEOUT_S + 1
    attempts.n = 0
    assert await door.open() is None
    assert attempts.n == 1
    # When there was a server again, the next death is another one.
    attempts.outcomes = [lease]
    assert await door.open() is lease
    attempts.outcomes = [ConnectionRefusedError(), lease]
    assert await door.open() is lease
