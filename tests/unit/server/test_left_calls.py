"""Rooms that calls of a killed server left: its successor ends them, kernels or not."""

from __future__ import annotations

import json

import pytest

from blustream_widget.config import Config
from blustream_widget.core.call_sfu import CallSfu
from blustream_widget.server.left_calls import LeftCalls
from blustream_widget.session import call_left
from blustream_widget.sfu.videoroom import RoomName
from blustream_widget.testing.fake_media_room import SECRET, FakeSfu

SETTING = {"type": "janus", "url": "http://fake", "api_secret": SECRET}
CONFIG = Config(call_sfu=json.dumps(SETTING))
ONE, OTHER = "1" * 32, "2" * 32


@pytest.fixture
async def left(tmp_path):
    """An SFU with a room of each of two sessions that a former server had."""
    sfu = FakeSfu()
    settings = CallSfu(url="http://fake", api_secret=SECRET)
    for number, session in enumerate((ONE, OTHER), 1):
        folder = tmp_path / session
        folder.mkdir()
        (folder / "call-rooms").write_text(json.dumps([{"number": number, "secret": "s"}]))
        await sfu.make(settings, RoomName(number, "s"), (), lambda _: None).open()
    (tmp_path / ("3" * 32)).mkdir()  # one without a call
    return sfu


def files(folder):
    return sorted(path.parent.name for path in folder.rglob("call-rooms"))


async def end_all(sfu, folder, *, is_open=lambda _: False, config=CONFIG):
    calls = LeftCalls(config, folder, is_open, sweep=sfu.sweep)
    calls.begin()
    await calls._tasks.wait()
    await calls.close()


async def test_they_are_ended_though_no_kernel_comes(left, tmp_path):
    await end_all(left, tmp_path)
    assert (left.rooms, left.n_swept, files(tmp_path)) == ({}, 1, [])


async def test_a_session_that_is_open_again_sees_to_its_own(left, tmp_path):
    await end_all(left, tmp_path, is_open=lambda session: session == OTHER)
    assert (list(left.rooms), files(tmp_path)) == ([2], [OTHER])


async def test_a_file_of_a_session_that_is_opened_meanwhile_stays(left, tmp_path):
    is_open = set()

    async def sweep(settings, names):
        is_open.add(OTHER)
        await left.sweep(settings, names)

    calls = LeftCalls(CONFIG, tmp_path, is_open.__contains__, sweep=sweep)
    calls.begin()
    await calls._tasks.wait()
    assert (left.rooms, files(tmp_path)) == ({}, [OTHER])


async def test_it_is_tried_until_the_sfu_answers(left, tmp_path, monkeypatch):
    monkeypatch.setattr(call_left, "FIRST_PAUSE_S", 0.0)
    left.is_cut = True

    async def sweep(settings, names):
        if left.n_swept == 3:
            left.start()
        await left.sweep(settings, names)

    calls = LeftCalls(CONFIG, tmp_path, lambda _: False, sweep=sweep)
    calls.begin()
    await calls._tasks.wait()
    assert (left.rooms, left.n_swept, files(tmp_path)) == ({}, 4, [])


@pytest.mark.parametrize("setting", ["", "no json"])
async def test_without_an_sfu_nothing_is_asked(left, tmp_path, setting):
    await end_all(left, tmp_path, config=Config(call_sfu=setting))
    assert (left.n_swept, files(tmp_path)) == (0, [ONE, OTHER])


async def test_where_nothing_is_left_nothing_is_asked(left, tmp_path):
    await end_all(left, tmp_path / "none")
    assert left.n_swept == 0


async def test_a_server_that_ends_waits_for_no_sfu(left, tmp_path):
    left.answers.clear()
    calls = LeftCalls(CONFIG, tmp_path, lambda _: False, sweep=left.sweep)
    calls.begin()
    await calls.close()
    assert files(tmp_path) == [ONE, OTHER]
