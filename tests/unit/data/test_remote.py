"""A storage that fails, keeps silent and comes back, by a source that does as it is told."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from blustream_widget.data.remote import RemoteSource
from blustream_widget.data.retry import backoff_s
from blustream_widget.data.source import BrickKey
from blustream_widget.errors import (
    BrickReadError,
    StorageUnreachableError,
    VolumeAccessError,
)
from blustream_widget.testing.waiting import wait_until

KEYS = [BrickKey(0, 0, n, 0, 0) for n in range(4)]
BRICK = np.zeros((2, 2, 2), np.float32)
GONE = StorageUnreachableError("gone")


class Storage:
    """What the sources below do: answer at once, or keep the requests."""

    def __init__(self):
        self.answer = BRICK
        self.held = []
        self.n_opened = 0
        self.asked = []
        self.open_error = None
        self.of_key = {}

    def open(self):
        self.n_opened += 1
        if self.n_opened > 1 and self.open_error is not None:
            raise self.open_error
        return _Source(self)


class _Request:
    def __init__(self, done, key):
        self._done, self._key = done, key

    def cancel(self):
        self._done(self._key, None)


class _Source:
    def __init__(self, storage):
        self._storage = storage
        self.info = type("Info", (), {"name": "v"})()

    def request_brick(self, key, done, *, prefetch=False):
        self._storage.asked.append(key)
        if self._storage.answer is None:
            self._storage.held.append((key, done))
        else:
            done(key, self._storage.of_key.get(key, self._storage.answer))
        return _Request(done, key)

    def close(self):
        pass


@pytest.fixture
def storage():
    return Storage()


@pytest.fixture
def remote(storage):
    source = RemoteSource(storage.open, pause_s=lambda _: 0.005, silent_s=0.02, give_up_s=0.05)
    yield source
    source.close()


class Answers(dict):
    def __call__(self, key, result):
        assert key not in self, "once only"
        self[key] = result

    def of(self, key):
        wait_until(lambda: key in self, timeout_s=5.0, what="the answer")
        return self[key]


def test_a_brick_comes_through(remote):
    answers = Answers()
    remote.request_brick(KEYS[0], answers)
    assert answers[KEYS[0]] is BRICK


def test_what_fails_for_the_network_s_sake_is_asked_for_until_it_comes(storage, remote):
    answers, heard = Answers(), threading.Event()
    remote.on_trouble(heard.set)
    storage.answer = GONE
    for key in KEYS:
        remote.request_brick(key, answers)
    assert heard.wait(5.0)
    assert remote.trouble is GONE
    assert not answers
    wait_until(lambda: storage.n_opened >= 3, timeout_s=5.0, what="tries")
    storage.answer = BRICK
    for key in KEYS:
        assert answers.of(key) is BRICK
    assert remote.trouble is None


def test_while_it_is_gone_nothing_more_is_asked_until_it_opens(storage, remote):
    storage.answer = storage.open_error = GONE
    for key in KEYS:
        remote.request_brick(key, Answers())
    wait_until(lambda: storage.n_opened >= 4, timeout_s=5.0, what="tries to open")
    assert storage.asked == KEYS[:1]


def test_one_brick_that_always_fails_is_given_up_while_others_come(storage, remote):
    answers = Answers()
    storage.of_key[KEYS[1]] = GONE
    remote.request_brick(KEYS[1], answers)
    while KEYS[1] not in answers:
        others = Answers()
        remote.request_brick(KEYS[0], others)
        assert others.of(KEYS[0]) is BRICK
    assert answers[KEYS[1]] is GONE
    assert storage.asked.count(KEYS[1]) == 5


def test_what_is_cancelled_while_it_is_gone_ends_at_once(storage, remote):
    answers = Answers()
    storage.answer = GONE
    remote.request_brick(KEYS[0], Answers())
    request = remote.request_brick(KEYS[1], answers)
    request.cancel()
    assert answers.of(KEYS[1]) is None


def test_what_is_asked_after_all_was_cancelled_is_tried_too(storage, remote):
    answers = Answers()
    storage.answer = GONE
    remote.request_brick(KEYS[0], Answers()).cancel()
    wait_until(lambda: not remote._parked, timeout_s=5.0, what="nothing to wait for")
    storage.answer = BRICK
    remote.request_brick(KEYS[1], answers)
    assert answers.of(KEYS[1]) is BRICK


def test_a_broken_brick_is_not_tried_again(storage, remote):
    answers = Answers()
    storage.answer = broken = BrickReadError("broken")
    remote.request_brick(KEYS[0], answers)
    assert answers[KEYS[0]] is broken
    assert len(storage.asked) == 1
    assert remote.trouble is None


def test_silence_is_told_and_then_the_volume_is_opened_anew(storage, remote):
    answers, heard = Answers(), threading.Event()
    remote.on_trouble(heard.set)
    storage.answer = None
    remote.request_brick(KEYS[0], answers)
    assert heard.wait(5.0)
    assert isinstance(remote.trouble, StorageUnreachableError)
    storage.answer = BRICK
    assert answers.of(KEYS[0]) is BRICK
    assert storage.n_opened == 2
    assert remote.trouble is None
    storage.held[0][1](KEYS[0], BRICK)  # the old connection wakes up: nobody hears it


def test_expired_credentials_are_resolved_anew_once(storage, remote):
    answers = Answers()
    storage.answer = refused = VolumeAccessError("expired")
    remote.request_brick(KEYS[0], answers)
    assert answers.of(KEYS[0]) is refused
    assert storage.n_opened == 2
    remote.request_brick(KEYS[1], answers)
    assert answers.of(KEYS[1]) is refused
    assert storage.n_opened == 2


def test_refused_when_opened_anew_it_gives_up(storage, remote):
    answers = Answers()
    storage.answer = VolumeAccessError("expired")
    storage.open_error = VolumeAccessError("signed off")
    remote.request_brick(KEYS[0], answers)
    assert answers.of(KEYS[0]) is storage.open_error
    assert remote.trouble is None


def test_closing_answers_what_waits(storage, remote):
    answers = Answers()
    storage.answer = GONE
    remote.request_brick(KEYS[0], answers)
    remote.close()
    remote.close()
    assert answers.of(KEYS[0]) is None
    remote.request_brick(KEYS[1], answers)
    assert answers[KEYS[1]] is None


def test_pauses_double_up_to_ten_seconds_and_differ():
    assert [backoff_s(n, 1.0) for n in (1, 2, 3)] == [0.5, 1.0, 2.0]
    assert backoff_s(1000, 1.0) == 10.0
    assert backoff_s(3, 0.0) == 1.0
