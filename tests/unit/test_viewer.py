"""The widget follows the server, and the server follows the widget, without echoes."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import traitlets

from blustream_widget import _token, errors
from blustream_widget.annotations import annotation
from blustream_widget.core import link_protocol as lp
from blustream_widget.core.annotation_messages import Measurement
from blustream_widget.core.horizon import Gate, TrackedGrid
from blustream_widget.core.sections import Fence, Oblique
from blustream_widget.core.state import first_state
from blustream_widget.core.types import (
    Axis,
    Capabilities,
    Channel,
    EncoderTrial,
    VolumeInfo,
    VolumeRef,
)
from blustream_widget.shared import PREFIX, shared_folder
from blustream_widget.testing.waiting import wait_until
from blustream_widget.viewer import Viewer

INFO = VolumeInfo(
    name="survey.vds",
    kind="seismic",
    axes=(
        Axis("inline", "", 100, 1000, 1, 25.0),
        Axis("crossline", "", 80, 2000, 2, 12.5),
        Axis("sample", "ms", 50, 0, 4, 10.0),
    ),
    channels=(
        Channel("Amplitude", "", "float32", -8.0, 8.0),
        Channel("Salt", "", "uint8", 0, 1, is_label=True),
    ),
)


def shared_files() -> list[str]:
    """Arrays of this process in shared memory."""
    return sorted(path.name for path in shared_folder().glob(f"{PREFIX}{os.getpid()}-*"))


class FakeLink:
    """Stands for the link: opens every volume at once as INFO, keeps what it was told."""

    def __init__(self, *, error: errors.BlustreamError | None = None) -> None:
        self.patches: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.relayed: list[tuple[int, str]] = []
        self.ref: VolumeRef | None = None
        self._error = error

    def open_session(
        self,
        session: str,
        ref: VolumeRef,
        patch: dict[str, Any],
        listener: Any,
        palettes: tuple[Any, ...] = (),
    ) -> None:
        self.palettes = list(palettes)
        self.ref, self.session, self.listener, self.first_patch = ref, session, listener, patch
        listener.on_message(lp.SessionOpened(session=session, token="secret-token"))
        if self._error is not None:
            e = self._error
            listener.on_message(
                lp.SessionError(
                    session=session, code=e.code, message=e.message, hint=e.hint, fatal=True
                )
            )
            return
        self.state = first_state(INFO).with_patch(patch, INFO)
        tried = (EncoderTrial("h264_nvenc", "no device"), EncoderTrial("libx264", ""))
        capabilities = Capabilities(encoder="libx264", codec="avc1.42c01f", encoders=tried)
        listener.on_message(lp.VolumeOpened(session, INFO, self.state, capabilities))

    def patch(self, session: str, patch: dict[str, Any], seq: int) -> None:
        self.patches.append(patch)
        self.seq = seq

    def put_palette(self, session: str, palette: Any) -> None:
        self.palettes.append(palette)

    def mirror(self, *, seq: int = 0, **patch: Any) -> None:
        self.state = self.state.with_patch(patch, INFO)
        self.listener.on_message(
            lp.Mirror(
                session=self.session, state=self.state, seq=seq, transport="webrtc", latency_ms=21.0
            )
        )

    def refresh(self, session: str) -> None:
        self.calls.append("refresh")

    def close_session(self, session: str) -> None:
        self.calls.append("close")

    def reopen_session(self, session: str) -> None:
        self.calls.append("reopen")

    def tell(self, message: lp.ToServer) -> None:
        is_nothing = isinstance(message, lp.EditItems) and not message.edits and not message.history
        if not is_nothing:  # every session is told that there were no annotations before it
            self.calls.append(type(message).__name__)

    def renew_token(self, session: str) -> None:
        self.calls.append("renew")

    def open_relay(self, session: str) -> int:
        return 7

    def relay(self, channel: int, text: str) -> None:
        self.relayed.append((channel, text))

    def close_relay(self, channel: int) -> None:
        self.calls.append(f"close-relay {channel}")


@pytest.fixture
def volume(tmp_path):
    path = tmp_path / "survey.vds"
    path.write_bytes(b"VDS")
    return path


@pytest.fixture
def link() -> FakeLink:
    return FakeLink()


@pytest.fixture
def viewer(volume, link):
    viewer = Viewer(volume, _link=link)
    yield viewer
    viewer.close()


def test_an_open_volume_sets_the_traits(viewer: Viewer) -> None:
    assert (viewer.axis, viewer.slice_idx, viewer.slice_no) == ("inline", 50, 1050.0)
    assert viewer.shape == (100, 80, 50)
    assert viewer.capabilities["encoders"] == {"h264_nvenc": "no device", "libx264": "works"}


def test_setting_a_trait_patches_the_server_once(viewer: Viewer, link: FakeLink) -> None:
    viewer.slice_idx = 12
    assert link.patches == [{"slice_idx": 12}]
    assert viewer.slice_no == 1012.0


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


# -------------------------------------------------- several panes


def test_a_layout_brings_panes_with_traits_of_their_own(viewer: Viewer, link: FakeLink) -> None:
    assert [pane.axis for pane in viewer.panes] == ["inline"]
    viewer.view_layout = "orthogonal"
    assert link.patches == [{"layout": "orthogonal"}]
    assert [pane.axis for pane in viewer.panes] == ["inline", "crossline", "sample"]
    assert [pane.slice_no for pane in viewer.panes] == [1050.0, 2080.0, 100.0]


def test_a_pane_that_is_set_moves_its_slice_and_leaves_the_active_one(viewer, link) -> None:
    viewer.view_layout = "orthogonal"
    viewer.panes[1].slice_idx = 40 - 1
    viewer.panes[2].zoom = 3.0
    assert (viewer.active, viewer.axis, viewer.slice_idx, viewer.zoom) == (0, "inline", 50, 1.0)
    assert viewer.crosshair_idx == (50, 39, 25)
    assert [pane.zoom for pane in viewer.panes] == [1.0, 1.0, 3.0]
    assert link.patches[1] == {"slice_idx": (50, 39, 25)}


def test_the_traits_of_the_viewer_are_those_of_the_active_pane(viewer, link) -> None:
    viewer.view_layout = "orthogonal"
    viewer.active = 2
    assert (viewer.axis, viewer.slice_idx) == ("sample", 25)
    viewer.slice_idx = 7
    assert viewer.panes[2].slice_idx == 7
    viewer.view_layout = "single"
    assert (viewer.axis, viewer.slice_idx, len(viewer.panes)) == ("sample", 7, 1)


def test_panes_to_compare_differ(viewer: Viewer) -> None:
    viewer.view_layout = "compare"
    viewer.panes[1].slice_no = 1010
    viewer.panes[1].colormap = "viridis"
    assert (viewer.slice_no, viewer.colormap) == (1050.0, viewer.panes[0].colormap)
    assert (viewer.panes[1].slice_no, viewer.panes[1].colormap) == (1010.0, "viridis")
    assert viewer.panes[0].colormap != "viridis"


def test_a_pane_that_moves_in_the_browser_fires_its_observers(viewer, link) -> None:
    viewer.view_layout = "orthogonal"
    link.state = viewer._state
    seen: list[int] = []
    viewer.panes[1].observe(lambda change: seen.append(change["new"]), "slice_idx")
    link.mirror(seq=link.seq, slice_idx=(1, 2, 3))
    assert seen == [2]
    assert len(link.patches) == 1


@pytest.mark.parametrize(
    ("index", "name", "value", "words"),
    [
        (1, "slice_idx", 80, "0 to 79"),
        (1, "slice_no", 1.0, "2000 to 2158"),
        (2, "axis", "depth", "inline, crossline, sample"),
        (2, "zoom", 0.0, "zoom"),
        (0, "window", -1.0, "window"),
        (1, "colormap", "rainbow", "seismic"),
    ],
)
def test_a_wrong_value_of_a_pane_is_refused_and_changes_nothing(
    viewer, link, index, name, value, words
) -> None:
    viewer.view_layout = "orthogonal"
    pane = viewer.panes[index]
    before = getattr(pane, name)
    with pytest.raises(traitlets.TraitError, match=words) as caught:
        setattr(pane, name, value)
    assert isinstance(caught.value, errors.StateError)
    assert getattr(pane, name) == before
    assert len(link.patches) == 1


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("view_layout", "mosaic", "orthogonal"),
        ("active", 3, "has 3"),
        ("columns", (0.5,), "2 of them"),
    ],
)
def test_a_layout_that_cannot_be_is_refused(viewer, link, name, value, words) -> None:
    viewer.view_layout = "orthogonal"
    with pytest.raises(traitlets.TraitError, match=words) as caught:
        setattr(viewer, name, value)
    assert isinstance(caught.value, errors.StateError)
    assert (viewer.view_layout, viewer.active, viewer.columns) == ("orthogonal", 0, ())


def test_a_map_of_ones_own_is_sent_once_and_then_named(viewer, link) -> None:
    viewer.colormap = [(0, 0, 0), (255, 128, 0)]
    name = viewer.colormap
    assert name.startswith("user-")
    assert [palette.name for palette in link.palettes] == [name]
    viewer.colormap = "vik"
    viewer.colormap = ["#000000", "#ff8000"]
    assert viewer.colormap == name
    assert viewer.add_colormap([(0, 0, 0), (255, 128, 0)]) == name
    assert len(link.palettes) == 1
    assert link.patches == [{"colormap": name}, {"colormap": "vik"}, {"colormap": name}]


def test_r_behind_a_name_reverses(viewer, link) -> None:
    viewer.colormap = "vik_r"
    assert (viewer.colormap, viewer.reverse) == ("vik", True)
    viewer.colormap = "batlow"
    assert viewer.reverse is True
    viewer.reverse = False
    viewer.colormap = "batlow_r"
    assert (viewer.colormap, viewer.reverse) == ("batlow", True)


def test_clip_colours_are_normalised_and_taken_away(viewer, link) -> None:
    viewer.above_color, viewer.no_value_color = "orange", (0.0, 0.0, 1.0)
    assert (viewer.above_color, viewer.no_value_color) == ("#ffa500", "#0000ff")
    viewer.above_color = None
    assert link.patches == [
        {"above_color": "#ffa500"},
        {"no_value_color": "#0000ff"},
        {"above_color": ""},
    ]


def test_label_colours_and_names_are_one_style_by_content(viewer, link) -> None:
    viewer.label_colors = {1: "#ff8800"}
    viewer.label_names = {1: "salt"}
    assert [(p.colors, p.names) for p in link.palettes] == [
        ({1: "#ff8800"}, {}),
        ({1: "#ff8800"}, {1: "salt"}),
    ]
    viewer.label_colors, viewer.label_names = {}, {}
    assert link.patches[-1] == {"label_style": ""}


def test_a_viewer_may_begin_with_colours_of_ones_own() -> None:
    link = FakeLink()
    viewer = Viewer(np.zeros((2, 2, 2)), colormap=["black", "red"], below_color="blue", _link=link)
    assert [palette.name for palette in link.palettes] == [viewer.colormap]
    assert link.first_patch == {"colormap": viewer.colormap, "below_color": "#0000ff"}
    viewer.close()
    reversed_link = FakeLink()
    Viewer(np.zeros((2, 2, 2)), colormap="vik_r", _link=reversed_link).close()
    assert reversed_link.first_patch == {"colormap": "vik", "reverse": True}


def test_a_channel_comes_back_as_it_was_left(viewer, link) -> None:
    viewer.colormap, viewer.window = "vik", 3.0
    viewer.channel = 1
    viewer.channel = 0
    assert (viewer.colormap, viewer.window, viewer.interpolate) == ("vik", 3.0, True)
    link.mirror(seq=link.seq, channel=1, colormap="grey")
    viewer.channel = 0
    viewer.channel = 1
    assert viewer.colormap == "grey"


def test_presets_are_those_of_the_shown_channel(viewer, link) -> None:
    assert viewer.presets["Full range"] == (16.0, 0.0)
    viewer.window = 1.0
    viewer.use_preset("Full range")
    assert (viewer.window, viewer.level) == (16.0, 0.0)
    with pytest.raises(errors.StateError, match="no window 'Lung' for Amplitude"):
        viewer.use_preset("Lung")


@pytest.mark.parametrize(
    ("kind", "points", "fields"),
    [
        ("rectangle", [(5, 5, 5), (5, 9, 9)], {}),  # on no section
        ("polygon", [(5, 5, 5), (5, 9, 9), (6, 5, 9)], {"axis": 0}),
        ("point", [(500, 5, 5)], {}),
    ],
)
def test_what_cannot_be_an_annotation_cannot_be_measured(viewer, kind, points, fields) -> None:
    with pytest.raises(errors.AnnotationError):
        viewer.measure(annotation(kind, points, **fields), want=("geometry",))


def test_questions_take_numpys_numbers_and_refuse_what_is_no_number_at_once(viewer, link) -> None:
    def answered(message):
        message = lp.to_server_decoder.decode(lp.encoder.encode(message))
        if isinstance(message, lp.TrackHorizon):
            grid = np.zeros((1, 1), "<f4").tobytes()
            found = TrackedGrid(
                message.n, done=True, shape=(1, 1), samples=grid, likeness=grid, amplitude=grid
            )
            link.listener.on_message(lp.Tracked(link.session, found))
        else:
            found = Measurement(n=message.n, id=message.item.id, done=True)
            link.listener.on_message(lp.Measured(link.session, found))

    viewer._questions._post = answered
    box = annotation("box", [(0, 0, 0), (5, 5, 5)])
    one, gate = np.int64(1), Gate(window=np.int64(4), reach=np.float32(2))
    assert viewer.measure(box, channel=0 * one, bins=8 * one).done
    assert viewer.track_horizon([(1, 1, 1)], gate, channel=0 * one, span=9 * one).n_picked == 1
    for wrong in ({"bins": 8.5}, {"channel": "0"}):
        with pytest.raises(errors.AnnotationError, match="whole number"):
            viewer.measure(box, **wrong)
    with pytest.raises(errors.AnnotationError, match="span"):
        viewer.track_horizon([(1, 1, 1)], span=9.5)


def test_an_axis_given_with_a_layout_is_the_pane_in_use(volume, link) -> None:
    viewer = Viewer(volume, view_layout="orthogonal", axis="crossline", slice_idx=3, _link=link)
    assert [pane.axis for pane in viewer.panes] == ["inline", "crossline", "sample"]
    assert (viewer.active, viewer.axis, viewer.panes[1].slice_idx) == (1, "crossline", 3)
    viewer.close()


def test_layout_stays_the_css_of_ipywidgets(volume, link) -> None:
    viewer = Viewer(volume, layout={"width": "50%"}, view_layout="orthogonal", _link=link)
    assert viewer.layout.width == "50%"
    viewer.close()
    with pytest.raises(errors.ConfigError, match="view_layout='quad'"):
        Viewer(volume, layout="quad", _link=link)


def test_a_pane_has_its_own_slab_and_turn(viewer, link) -> None:
    viewer.view_layout = "orthogonal"
    viewer.slab, viewer.slab_mode = 9, "mean"
    viewer.panes[1].rotation = 90
    viewer.panes[1].pan = (0.2, 0.7)
    viewer.panes[1].flip_x = True
    assert [pane.slab for pane in viewer.panes] == [9, 1, 1]
    assert [pane.rotation for pane in viewer.panes] == [0, 90, 0]
    assert viewer.panes[1].pan == pytest.approx((0.8, 0.7))
    assert (viewer.rotation, viewer.flip_x) == (0, False)
    with pytest.raises(traitlets.TraitError, match="quarter"):
        viewer.rotation = 45


def test_a_pane_has_its_own_wiggles(viewer, link) -> None:
    viewer.view_layout = "orthogonal"
    viewer.display, viewer.wiggle_excursion = "wiggle+density", 1.5
    viewer.panes[1].display = "wiggle"
    viewer.panes[1].wiggle_polarity = "reverse"
    assert [pane.display for pane in viewer.panes] == ["wiggle+density", "wiggle", "density"]
    assert [pane.wiggle_excursion for pane in viewer.panes] == [1.5, 1.0, 1.0]
    assert (viewer.wiggle_polarity, viewer.wiggle_fill) == ("normal", True)
    with pytest.raises(traitlets.TraitError, match="density, wiggle, wiggle\\+density"):
        viewer.panes[2].display = "wiggles"


def test_a_fence_is_unrolled_in_a_pane_that_shows_no_horizontal_slice(viewer, link) -> None:
    viewer.view_layout, viewer.active = "orthogonal", 2
    assert viewer.fence == ()
    viewer.fence = [(0, 0), (50, 79.5)]
    assert [type(pane.section) for pane in viewer.panes] == [Fence, type(None), type(None)]
    assert viewer.fence == ((0.0, 0.0), (50.0, 79.5))
    viewer.fence = [(3, 4), (5, 6), (7, 6)]  # in the same pane
    assert viewer.panes[0].section == Fence(((3.0, 4.0), (5.0, 6.0), (7.0, 6.0)))
    with pytest.raises(errors.StateError, match="outside"):
        viewer.fence = [(0, 0), (100, 0)]
    viewer.fence = None
    assert viewer.fence == ()
    assert msgspec.json.encode(link.patches)


def test_a_plane_is_turned_about_an_axis_through_the_crosshair(viewer, link) -> None:
    viewer.turn(30)
    viewer.turn(60)
    # Two turns of a right angle in all: the crossline there.
    assert viewer.section == Oblique((50.0, 40.0, 25.0), (-1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    viewer.turn(20, about="crossline")
    viewer.section = None
    assert viewer.section is None
    with pytest.raises(errors.StateError, match="no axis 'time'"):
        viewer.turn(20, about="time")
    with pytest.raises(errors.StateError, match="no pane 3"):
        viewer.turn(20, pane=3)
    viewer.fence = [(0, 0), (9, 9)]
    with pytest.raises(errors.StateError, match="fence cannot be turned"):
        viewer.turn(20)


def test_a_section_of_the_browser_fires_observers(viewer, link) -> None:
    seen: list[Any] = []
    viewer.observe(lambda change: seen.append(change["new"]), "section")
    fence = Fence(((1.0, 2.0), (3.0, 4.0)))
    link.mirror(section=fence)
    assert seen == [fence]
    assert link.patches == []


def test_a_view_is_copied_and_opened_in_another_viewer(viewer, volume) -> None:
    viewer.zoom, viewer.view_layout = 3.0, "compare"
    text = viewer.view_link()
    link = FakeLink()
    other = Viewer(volume, view=text, _link=link)
    assert (other.zoom, other.view_layout) == (3.0, "compare")
    assert other.view_link() == text
    with pytest.raises(errors.ViewLinkError, match="no copied view"):
        other.open_view("https://example.org")
    other.close()
