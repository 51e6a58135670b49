"""Views as text: the same view again, nothing secret, and one clear error for everything else."""

from __future__ import annotations

import base64
import contextlib

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blustream_widget.core.palettes import Palettes
from blustream_widget.core.segmentation import SegmentationLook
from blustream_widget.core.share_messages import MAX_LINK_CHARS
from blustream_widget.core.state import ViewState
from blustream_widget.core.view_link import PREFIX, patch_of_link, view_link
from blustream_widget.errors import StateError, ViewLinkError
from blustream_widget.testing.fakes import volume_info

INFO = volume_info((16, 24, 32))
START = ViewState()


def changed(**patch):
    return START.with_patch(patch, INFO)


def opened(text, state=START, info=INFO):
    return state.with_patch(patch_of_link(text, state, info, Palettes()), info)


def text_of(link):
    packed = base64.urlsafe_b64encode(msgspec.json.encode(link)).decode().rstrip("=")
    return f"{PREFIX}1.{packed}"


VIEWS = [
    changed(axis=2, slice_idx=7, zoom=3.0, pan=(0.2, 0.7), window=4.0, level=-1.0),
    changed(layout="quad").with_patch({"active": 2, "zoom": 5.0, "linked": False}, INFO),
    changed(layout="2x3").with_patch({"maximised": True, "columns": (0.2, 0.4, 0.4)}, INFO),
    changed(section={"kind": "fence", "points": [(1, 1), (9, 20)]}),
]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("before", [START, *VIEWS[1:3]])
def test_a_copied_view_shows_the_same_again_whatever_was_shown(view, before):
    again = opened(view_link(view, INFO), before)
    of_page = {"revision": 0, "width_px": 2, "height_px": 2, "pane_sizes": ()}
    assert msgspec.structs.replace(again, **of_page) == msgspec.structs.replace(view, **of_page)


def test_it_names_the_volume_and_holds_nothing_of_its_address():
    text = view_link(START, msgspec.structs.replace(INFO, name="north-sea.vds"))
    link = msgspec.json.decode(base64.urlsafe_b64decode(text.split(".", 1)[1] + "=="))
    assert link == {"of": "north-sea.vds", "shape": [16, 24, 32], "view": {}}


def test_colours_and_labels_that_are_not_here_are_left_as_they_are():
    theirs = msgspec.structs.replace(
        START,
        colormap="mine",
        segmentations=(SegmentationLook(name="salt", opacity=0.9), SegmentationLook(name="gas")),
    )
    here = msgspec.structs.replace(
        START,
        colormap="hot",
        segmentations=(SegmentationLook(name="faults"), SegmentationLook(name="salt")),
    )
    shown = opened(view_link(theirs, INFO), here)
    assert shown.colormap == "hot"
    assert [(look.name, look.opacity) for look in shown.segmentations] == [
        ("faults", SegmentationLook(name="x").opacity),
        ("salt", 0.9),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://example.org/#code",
        PREFIX,
        PREFIX + "1.",
        PREFIX + "2.e30",
        PREFIX + "1.e30",
        PREFIX + "1." + "A" * MAX_LINK_CHARS,
        text_of({"of": "x", "shape": [16, 24, 32], "view": {"zoom": "much"}}),
        text_of({"of": "x", "shape": [16, 24, 32], "view": {"unknown": 1}}),
        text_of({"of": "x", "shape": [16, 24, 33], "view": {}}),
        text_of({"of": "x" * 300, "shape": [16, 24, 32], "view": {}}),
        PREFIX + "1." + base64.urlsafe_b64encode(b"[" * 20_000).decode().rstrip("="),
    ],
)
def test_what_is_no_view_of_this_volume_is_one_error(text):
    with pytest.raises(ViewLinkError) as caught:
        opened(text)
    assert caught.value.code == "view-link"
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "view", [{"zoom": 1e9}, {"layout": "9x9"}, {"panes": [{}] * 200}, {"channel": 7}]
)
def test_a_value_that_cannot_be_changes_nothing(view):
    with pytest.raises(StateError):
        opened(text_of({"of": "x", "shape": [16, 24, 32], "view": view}))


@given(st.binary(max_size=300), st.integers(0, 60))
@settings(max_examples=200, deadline=None)
def test_damaged_texts_are_refused_or_are_views(noise, at):
    good = view_link(VIEWS[1], INFO)
    bad = good[: at + 17] + base64.urlsafe_b64encode(noise).decode().rstrip("=") + good[at + 17 :]
    with contextlib.suppress(StateError):
        opened(bad)


def test_a_view_that_says_too_much_is_not_copied():
    look = SegmentationLook(name="salt", hidden=tuple(range(100_000, 104_096)))
    with pytest.raises(ViewLinkError, match="too long"):
        view_link(msgspec.structs.replace(START, segmentations=(look, look)), INFO)
