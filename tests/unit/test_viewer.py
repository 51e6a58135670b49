"""The widget follows the server, and the server follows the widget, without echoes."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import traitlets
from tests.unit.viewer_kit import INFO, FakeLink

from blustream_widget import _token, errors
from blustream_widget._kernel_loop import KernelLoop
from blustream_widget._trait_lock import TRAIT_LOCK
from blustream_widget.core import link_protocol as lp
from blustream_widget.core.state import first_state
from blustream_widget.core.types import Capabilities
from blustream_widget.shared import PREFIX, shared_folder
from blustream_widget.testing.waiting import wait_until
from blustream_widget.viewer import Viewer


def shared_files() -> list[str]:
    """Arrays of this process in shared memory."""
    return sorted(path.name for path in shared_folder().glob(f"{PREFIX}{os.getpid()}-*"))


def test_an_open_volume_sets_the_traits(viewer: Viewer) -> None:
    assert (viewer.axis, viewer.slice_idx, viewer.slice_no) == ("inline", 50, 1050.0)
    assert viewer.shape == (100, 80, 50)
    assert viewer.capabilities["encoders"] == {"h264_nvenc": "no device", "libx264": "works"}


def test_setting_a_trait_patches_the_server_once(viewer: Viewer, link: FakeLink) -> None:
    viewer.slice_idx = 12
    assert link.patches == [{"slice_idx": 12}]
    assert viewer.slice_no == 1012.0


def test_what_is_set_again_is_told_a_page_may_have_moved_meanwhile(
    viewer: Viewer, link: FakeLink
) -> None:
    viewer.slice_idx = 20
    viewer.slice_idx = 20
    assert link.patches[-2:] == [{"slice_idx": 20}] * 2
    link.mirror(seq=1, slice_idx=33)  # older than what was set last
    assert viewer.slice_idx == 20
    n = len(link.patches)
    viewer.fit()
    assert link.patches[n:] == [{"zoom": 1.0, "pan": (0.5, 0.5)}]


def test_what_observers_set_again_while_the_traits_follow_is_not_told(
    viewer: Viewer, link: FakeLink
) -> None:
    def echo(change: Any) -> None:
        viewer.slice_idx = change.new  # as two viewers that are linked by observers

    viewer.observe(echo, "slice_idx")
    link.mirror(slice_idx=33)
    assert viewer.slice_idx == 33
    assert link.patches == []


def test_a_crosshair_is_three_slices_that_meet(viewer: Viewer, link: FakeLink) -> None:
    assert (viewer.crosshair, viewer.crosshair_idx) == (False, (50, 40, 25))
    viewer.crosshair = True
    viewer.crosshair_idx = (7, 8, 9)
    assert link.patches == [{"crosshair": True}, {"slice_idx": (7, 8, 9)}]
    assert viewer.slice_idx == 7
    viewer.axis = "sample"
    assert viewer.slice_idx == 9


def test_a_crosshair_that_moves_in_the_browser_fires_observers(viewer, link) -> None:
    seen: list[tuple[int, int, int]] = []
    viewer.observe(lambda change: seen.append(change["new"]), "crosshair_idx")
    link.mirror(slice_idx=(1, 2, 3), crosshair=True)
    assert seen == [(1, 2, 3)]
    assert viewer.crosshair is True
    assert link.patches == []


def test_a_survey_number_and_an_axis_name_become_indices(viewer: Viewer, link: FakeLink) -> None:
    viewer.axis = "crossline"
    viewer.slice_no = 2040
    assert link.patches == [{"axis": 1}, {"slice_idx": 20}]
    assert (viewer.slice_idx, viewer.slice_no) == (20, 2040.0)


def test_an_axis_is_given_by_number_too(viewer: Viewer, link: FakeLink) -> None:
    viewer.axis = 2
    assert (viewer.axis, link.patches) == ("sample", [{"axis": 2}])
    viewer.panes[0].axis = 1
    assert viewer.panes[0].axis == viewer.axis == "crossline"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("slice_idx", 100, "0 to 99"),
        ("slice_no", 900.0, "1000 to 1099"),
        ("slice_no", float("nan"), "slice_no"),
        ("slice_no", float("inf"), "slice_no"),
        ("crosshair_idx", (0, 80, 0), "crossline = 80 is out of range. Allowed: 0 to 79"),
        ("axis", "x", "inline, crossline, sample"),
        ("axis", 3, "inline, crossline, sample, or 0 to 2"),
        ("colormap", "rainbow", "seismic"),
        ("colormap", "rainbow_r", "rainbow_r"),
        ("colormap", "user-00000000", "user-00000000"),
        ("colormap", [[0, 0], [1, 1]], "not a table of colours"),
        ("below_color", "no such", "below_color"),
        ("label_colors", {9: "red"}, "no label 9"),
        ("window", -1.0, "window"),
        ("zoom", float("nan"), "zoom"),
    ],
)
def test_a_wrong_value_is_refused_where_it_is_set(viewer, link, name, value, words) -> None:
    before = getattr(viewer, name)
    with pytest.raises(traitlets.TraitError, match=words) as caught:
        setattr(viewer, name, value)
    assert isinstance(caught.value, errors.StateError)
    assert caught.value.__suppress_context__  # a cell shows one error, not two
    assert getattr(viewer, name) == before
    assert link.patches == []


def test_a_move_in_the_browser_fires_observers_and_is_not_sent_back(viewer, link) -> None:
    seen: list[int] = []
    viewer.observe(lambda change: seen.append(change["new"]), "slice_idx")
    link.mirror(slice_idx=77)
    assert seen == [77]
    assert viewer.slice_no == 1077.0
    assert (viewer.transport, viewer.latency_ms) == ("webrtc", 21.0)
    assert link.patches == []


def test_an_observer_may_set_another_trait(viewer, link) -> None:
    viewer.observe(lambda change: setattr(viewer, "zoom", 2.0), "slice_idx")
    viewer.slice_idx = 5
    assert link.patches == [{"slice_idx": 5}, {"zoom": 2.0}]


def test_an_observer_of_a_browser_move_may_set_another_trait(viewer, link) -> None:
    viewer.observe(lambda change: setattr(viewer, "zoom", 3.0), "slice_idx")
    link.mirror(slice_idx=9)
    assert link.patches == [{"zoom": 3.0}]


def test_a_late_mirror_does_not_undo_what_was_just_set(viewer, link) -> None:
    viewer.slice_idx = 30
    link.mirror(seq=0, slice_idx=49)
    assert viewer.slice_idx == 30
    link.mirror(seq=1, slice_idx=31)
    assert viewer.slice_idx == 31


def test_what_the_browser_set_is_not_patched_again(viewer, link) -> None:
    viewer.set_state({"slice_idx": 66})
    assert viewer.slice_idx == 66
    assert link.patches == []


def test_keyword_arguments_are_the_first_view(volume) -> None:
    link = FakeLink()
    viewer = Viewer(volume, axis="sample", slice_no=80, colormap="grey", zoom=2.0, _link=link)
    assert link.first_patch == {"colormap": "grey", "zoom": 2.0}
    assert (viewer.axis, viewer.slice_idx, viewer.zoom) == ("sample", 20, 2.0)
    viewer.close()


def test_a_wrong_keyword_starts_nothing(volume) -> None:
    link = FakeLink()
    with pytest.raises(errors.StateError, match="colour map 'nope'"):
        Viewer(volume, colormap="nope", _link=link)
    assert link.ref is None


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("transports", "websoket"),
        ("transports", ""),
        ("transports", "webrtc"),
        ("transports", None),
        ("height", 50),
        ("height", "tall"),
        ("height", 500.5),
        ("kind", "seismik"),
    ],
)
def test_an_argument_that_cannot_work_starts_nothing_and_leaves_no_memory(
    link, argument, value
) -> None:
    before = shared_files()
    with pytest.raises(errors.ConfigError, match=argument[:9]):
        Viewer(np.ones((2, 3, 4), np.float32), _link=link, **{argument: value})
    assert link.ref is None
    assert shared_files() == before


def test_a_viewer_that_cannot_be_made_leaves_no_memory() -> None:
    class NoLink(FakeLink):
        def open_session(self, *_args: Any) -> None:
            raise RuntimeError("no thread")

    before = shared_files()
    with pytest.raises(RuntimeError, match="no thread"):
        Viewer(np.ones((2, 3, 4), np.float32), _link=NoLink())
    assert shared_files() == before


def test_a_wrong_first_slice_ends_the_session(volume) -> None:
    link = FakeLink()
    with pytest.raises(traitlets.TraitError, match="0 to 99"):
        Viewer(volume, slice_idx=500, _link=link)
    assert link.calls == ["close"]


def test_a_volume_that_cannot_be_opened_is_an_error_that_the_view_shows(volume) -> None:
    error = errors.VolumeFormatError("survey.vds is damaged.", hint="Copy it again.")
    viewer = Viewer(volume, _link=FakeLink(error=error))
    assert viewer._error == {
        "code": "volume-format",
        "message": "survey.vds is damaged.",
        "hint": "Copy it again.",
    }
    with pytest.raises(errors.VolumeFormatError, match="damaged"):
        _ = viewer.shape
    viewer.close()


def test_an_array_goes_through_shared_memory_and_refresh_copies_it(link) -> None:
    array = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6) - 60
    viewer = Viewer(array, _link=link)
    assert link.ref is not None
    assert link.ref.array is not None
    shared = link.ref.array
    seen = np.memmap(shared.path, dtype=shared.dtype, mode="r", shape=shared.shape)
    assert seen.min() == -60
    np.testing.assert_array_equal(seen, array)
    array[1, 2, 3] = 999
    viewer.refresh()
    assert seen[1, 2, 3] == 999
    assert link.calls == ["refresh"]
    viewer.close()
    with pytest.raises(FileNotFoundError):
        np.memmap(shared.path, dtype=shared.dtype, mode="r", shape=shared.shape)


def test_an_array_is_shared_only_while_a_worker_has_use_for_it(link) -> None:
    viewer = Viewer(np.ones((4, 5, 6), np.float32), _link=link)
    assert link.ref.array is not None
    path = Path(link.ref.array.path)
    link.listener.on_message(lp.Mirror(link.session, link.state, worker="ready"))
    assert path.exists()
    link.listener.on_message(lp.Mirror(link.session, link.state, worker="idle"))
    assert not path.exists()
    viewer.refresh()
    link.listener.on_message(lp.Mirror(link.session, link.state, worker="starting", viewers=1))
    wait_until(lambda: "reopen" in link.calls, timeout_s=5, what="the server is asked again")
    assert path.exists()
    viewer.close()
    assert not path.exists()


def test_a_worker_that_misses_the_copy_is_no_error_of_the_user_s(link) -> None:
    viewer = Viewer(np.ones((4, 5, 6), np.float32), _link=link)
    link.listener.on_message(lp.Mirror(link.session, link.state, worker="idle"))
    gone = lp.SessionError(link.session, "volume-not-found", "It is not there.", fatal=True)
    link.listener.on_message(gone)
    wait_until(lambda: "reopen" in link.calls, timeout_s=5, what="the server is asked again")
    assert viewer.error is None
    viewer.close()


def test_an_observer_of_the_error_that_raises_is_logged_and_harms_nobody(
    viewer, link, caplog
) -> None:
    def broken(change: Any) -> None:
        raise RuntimeError("my own mistake")

    viewer.observe(broken, "error")
    link.listener.on_message(lp.SessionError(link.session, "state", "Too far."))
    assert "my own mistake" in caplog.text
    assert isinstance(viewer.error, errors.StateError)
    link.mirror(slice_idx=33)
    assert viewer.slice_idx == 33


def test_the_page_hears_that_an_error_is_mended_though_the_kernel_is_busy(viewer, link) -> None:
    viewer._kernel.call = lambda body: None
    link.listener.on_message(lp.SessionError(link.session, "worker", "It died.", fatal=True))
    assert viewer._error["code"] == "worker"
    link.listener.on_message(lp.VolumeOpened(link.session, INFO, link.state, Capabilities()))
    assert viewer._error == {}


def test_no_token_is_a_trait(viewer, link) -> None:
    assert "secret-token" not in str(viewer.get_state())


async def test_the_token_is_sent_again_until_a_page_has_joined(monkeypatch) -> None:
    monkeypatch.setattr(_token, "_AGAIN_S", 0.0)
    sent: list[dict[str, str]] = []
    third = asyncio.Event()

    def send(content: dict[str, str]) -> None:
        sent.append(content)
        if len(sent) == 3:
            giver.stop()
            third.set()

    giver = _token.TokenGiver(send)
    giver.give("first")
    await asyncio.wait_for(third.wait(), 5)
    for _ in range(5):
        await asyncio.sleep(0)
    assert sent == [{"kind": "token", "token": "first"}] * 3
    giver.give("renewed")
    assert sent[-1]["token"] == "renewed"


def test_refresh_of_a_file_says_why_not(viewer) -> None:
    with pytest.raises(errors.StateError, match="Viewer\\(array\\)"):
        viewer.refresh()


def test_close_ends_the_session_once(viewer, link) -> None:
    viewer.close()
    viewer.close()
    assert link.calls == ["close"]


def test_the_token_and_connection_never_show_in_the_repr_or_an_error(volume) -> None:
    link = FakeLink()
    viewer = Viewer(volume, connection="AccountKey=topsecret", _link=link)
    assert "topsecret" not in repr(viewer)
    assert (
        "topsecret"
        not in msgspec.json.encode(viewer.get_state(drop_defaults=True), enc_hook=str).decode()
    )
    viewer.close()


def test_a_relayed_browser_reaches_the_server_and_back(viewer, link) -> None:
    sent: list[tuple[Any, Any]] = []
    viewer._relay._send = lambda content, buffers=None: sent.append((content, buffers))
    viewer._on_browser(viewer, {"kind": "relay-open", "channel": "tab-1"}, [])
    viewer._on_browser(viewer, {"kind": "relay", "channel": "tab-1", "text": "{}"}, [])
    assert link.relayed == [(7, "{}")]
    viewer.on_relay(7, "welcome")
    viewer.on_relay(7, b"frame")
    assert sent == [
        ({"kind": "relay", "channel": "tab-1", "text": "welcome"}, None),
        ({"kind": "relay-frame", "channel": "tab-1"}, [b"frame"]),
    ]


@pytest.mark.parametrize(
    "content", [None, 5, "x", {}, {"kind": "relay"}, {"kind": "relay", "channel": 3}]
)
def test_a_strange_message_of_a_page_is_ignored(viewer, link, content) -> None:
    viewer._on_browser(viewer, content, [])
    assert link.relayed == []


def test_another_channel_comes_with_its_own_range_and_colours(viewer, link) -> None:
    viewer.channel = 1
    assert (viewer.colormap, viewer.window, viewer.interpolate) == ("labels", 1.0, False)
    assert len(link.patches) == 1


def test_a_channel_chosen_in_the_browser_keeps_what_was_set_there(viewer, link) -> None:
    link.mirror(channel=1, window=5.0, colormap="grey")
    assert (viewer.channel, viewer.window, viewer.colormap) == (1, 5.0, "grey")
    assert link.patches == []


@pytest.fixture
def busy_threads():
    """Have threads take turns at nearly every step, as on a machine that is very busy."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


class LateLink(FakeLink):
    """Opens the volume when it is told to, on a thread and loop of its own as the real link."""

    def open_session(self, session, ref, patch, listener, palettes=()) -> None:
        self.palettes = list(palettes)
        self.session, self.listener, self.state = session, listener, first_state(INFO)

    async def opens(self) -> None:
        opened = lp.VolumeOpened(self.session, INFO, self.state, Capabilities())
        self.listener.on_message(opened)
        has_taken = asyncio.Event()
        self.listener._kernel.call(has_taken.set)
        await has_taken.wait()


@pytest.mark.usefixtures("busy_threads")
def test_what_a_script_sets_while_the_volume_opens_is_not_overwritten(volume: str) -> None:
    with ThreadPoolExecutor(1) as thread:
        for _ in range(20):
            link = LateLink()
            viewer = Viewer(volume, _link=link)
            opening = thread.submit(asyncio.run, link.opens())
            viewer.crosshair_idx = (10, 12, 14)
            opening.result(10)
            assert viewer.crosshair_idx == (10, 12, 14)
            assert link.patches == [{"slice_idx": (10, 12, 14)}]
            viewer.close()


async def test_the_link_does_not_wait_for_a_thread_that_sets_something() -> None:
    ran: list[int] = []

    def make() -> KernelLoop:
        return KernelLoop()  # as in a script: no loop runs on this thread

    loop = await asyncio.to_thread(make)
    may_end, has_begun = threading.Event(), asyncio.Event()
    here = asyncio.get_running_loop()

    def sets() -> None:
        with TRAIT_LOCK:
            here.call_soon_threadsafe(has_begun.set)
            assert may_end.wait(10)

    setting = asyncio.create_task(asyncio.to_thread(sets))
    await has_begun.wait()
    for number in (1, 2):
        loop.call(partial(ran.append, number))
    have_run = asyncio.Event()
    loop.call(have_run.set)
    assert ran == []
    may_end.set()
    await setting
    async with asyncio.timeout(10):
        await have_run.wait()
    assert ran == [1, 2]
