"""What is set in a block of `hold_trait_notifications` stays, whatever the server says meanwhile.

Also: what a user sets to what it was here is told, for the server may have moved on.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import traitlets

from blustream_widget._trait_lock import TRAIT_LOCK
from blustream_widget.core import link_protocol as lp
from blustream_widget.core.segmentation import (
    SegmentationInfo,
    SegmentationLook,
    SegmentationSource,
)
from blustream_widget.core.types import Capabilities


def is_free() -> bool:
    """Whether another thread may change traits now."""

    def look() -> bool:
        if not TRAIT_LOCK.take(0.0):
            return False
        TRAIT_LOCK.give()
        return True

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(look).result()


def mirrors(viewer, link, **patch) -> None:
    """Have the server say what pages did, before it has heard of what is set now."""
    link.mirror(seq=viewer._seq, **patch)


def test_what_the_server_says_in_a_block_does_not_undo_what_is_set_in_it(viewer, link):
    seen = []
    viewer.observe(lambda change: seen.append(change.new), "slice_idx")
    with viewer.hold_trait_notifications():
        viewer.slice_idx = 5
        mirrors(viewer, link, zoom=2.0)
        viewer.window = 3.0
    assert (viewer.slice_idx, viewer.window) == (5, 3.0)
    assert (seen, link.patches) == ([5], [{"slice_idx": 5}, {"window": 3.0}])
    link.state = viewer._state
    mirrors(viewer, link, zoom=2.0)
    assert (viewer.slice_idx, viewer.zoom) == (5, 2.0)


def test_the_link_says_so_on_its_own_thread_as_well(viewer, link):
    async def heard() -> None:  # the link's thread runs a loop
        mirrors(viewer, link, zoom=2.0, slice_idx=(7, 8, 9))

    with ThreadPoolExecutor(1) as thread, viewer.hold_trait_notifications():
        viewer.slice_idx = 5
        thread.submit(asyncio.run, heard()).result(10)
        assert viewer.slice_idx == 5
    assert (viewer.slice_idx, link.patches) == (5, [{"slice_idx": 5}])


@pytest.mark.parametrize("is_nested", [False, True])
def test_what_the_server_says_in_a_block_is_taken_over_behind_it(viewer, link, is_nested):
    with viewer.hold_trait_notifications():
        mirrors(viewer, link, slice_idx=(6, 7, 8))
        mirrors(viewer, link, slice_idx=(7, 8, 9))
        if is_nested:
            with viewer.hold_trait_notifications():
                pass
        assert viewer.slice_idx == 50
    assert viewer.slice_idx == 7


def test_the_volume_that_opens_again_does_not_undo_it(viewer, link):
    with viewer.hold_trait_notifications():
        viewer.slice_idx = 5
        opened = lp.VolumeOpened(link.session, viewer.info, link.state, Capabilities())
        link.listener.on_message(opened)
    assert viewer.slice_idx == 5


def test_a_block_of_a_pane_holds_its_viewer(viewer, link):
    viewer.view_layout = "compare"
    link.state = viewer._state
    pane = viewer.panes[1]
    with pane.hold_trait_notifications():
        pane.zoom = 3.0
        mirrors(viewer, link, slice_idx=(7, 8, 9))
    assert (pane.zoom, viewer._state.panes[1].zoom) == (3.0, 3.0)


def test_a_value_that_cannot_be_ends_the_block_as_it_began(viewer, link):
    def sets() -> None:
        with viewer.hold_trait_notifications():
            viewer.zoom = 1.0
            viewer.slice_idx = 100
            mirrors(viewer, link, slice_idx=(7, 8, 9))

    with pytest.raises(traitlets.TraitError, match="0 to 99"):
        sets()
    assert (viewer.slice_idx, link.patches) == (7, [])
    with viewer.hold_trait_notifications():
        viewer.window = 3.0
    assert link.patches == [{"window": 3.0}]


@pytest.mark.parametrize("way", ["set", "set_trait", "block"])
def test_observers_run_while_the_link_may_not_follow(viewer, way):
    held = []
    viewer.observe(lambda _change: held.append(not is_free()), "slice_idx")
    if way == "set":
        viewer.slice_idx = 5
    elif way == "set_trait":
        viewer.set_trait("slice_idx", 5)
    else:
        with viewer.hold_trait_notifications():
            viewer.slice_idx = 5
            assert is_free()  # it may take minutes
    assert held == [True]
    assert is_free()


def test_a_block_begins_when_what_follows_has_ended(viewer):
    begun, may_end = threading.Event(), threading.Event()

    set_trait = viewer.set_trait

    def follows(name, value) -> None:
        if name == "pane_size":  # the last one, in its own block
            begun.set()
            assert may_end.wait(10)
        set_trait(name, value)

    viewer.set_trait = follows
    with ThreadPoolExecutor(2) as threads:
        following = threads.submit(viewer._follow, viewer._patched({"slice_idx": 7}))
        assert begun.wait(10)
        taken = TRAIT_LOCK.take
        asked = threading.Event()

        def take(timeout_s: float = 10.0) -> bool:
            asked.set()
            return taken(10.0)

        TRAIT_LOCK.take = take
        try:

            def sets() -> bool:
                with viewer.hold_trait_notifications():
                    viewer.slice_idx = 5
                    return viewer.is_held

            setting = threads.submit(sets)
            assert asked.wait(10)
            assert not setting.done()
            may_end.set()
            assert setting.result(10)
            following.result(10)
        finally:
            del TRAIT_LOCK.take
    assert viewer.slice_idx == 5


# -------------------------------------------------- what is set to what it was


def test_what_is_said_in_a_block_is_told_though_it_is_no_news_here(viewer, link):
    with viewer.hold_trait_notifications():
        viewer.slice_idx = 50
        viewer.zoom = 2.0
        viewer.window = 5.0
        viewer.window = viewer._state.window
    assert link.patches[0] == {"zoom": 2.0}
    assert {"slice_idx": 50} in link.patches
    assert {"window": viewer.window} in link.patches
    assert len(link.patches) == 3


def test_an_index_that_is_set_again_in_a_block_is_of_the_axis_set_in_it(viewer, link):
    with viewer.hold_trait_notifications():
        viewer.axis = "crossline"
        viewer.slice_idx = 50
    assert (viewer.axis, viewer.slice_idx) == ("crossline", 50)
    assert link.patches == [{"axis": 1}, {"slice_idx": 50}]


def test_an_index_that_is_not_on_the_axis_set_with_it_is_refused(viewer):
    def sets() -> None:
        with viewer.hold_trait_notifications():
            viewer.axis = "sample"
            viewer.slice_idx = 50

    with pytest.raises(traitlets.TraitError, match="0 to 49"):
        sets()


@pytest.mark.parametrize("in_block", [False, True])
@pytest.mark.parametrize("index", [0, 1])
def test_a_pane_that_is_set_to_what_it_was_is_told(viewer, link, index, in_block):
    viewer.view_layout = "compare"
    pane = viewer.panes[index]
    if in_block:
        with pane.hold_trait_notifications():
            pane.slice_idx = 50
    else:
        pane.slice_idx = 50
    said = {"slice_idx": 50}
    assert link.patches[1:] == [said if index == 0 else {"panes": {"1": said}}]


def test_a_pane_that_follows_says_nothing(viewer, link):
    viewer.view_layout = "orthogonal"
    link.state = viewer._state
    for _ in range(2):
        mirrors(viewer, link, slice_idx=(7, 8, 9))
    assert viewer.panes[1].slice_idx == 8
    assert len(link.patches) == 1


def test_what_a_page_did_to_another_pane_stays_when_python_sets_one(viewer, link):
    """The kernel, behind a server that is held up, believes the first pane to be as it was."""
    viewer.view_layout = "2x2"
    server = viewer._state
    panes = [*server.panes]
    server = server.with_patch({"panes": {"2": {"zoom": 4.0}}}, viewer.info)
    viewer.panes[1].zoom = 3.0
    server = server.with_patch(link.patches[-1], viewer.info)
    assert [pane.zoom for pane in server.panes] == [1.0, 3.0, 4.0, 1.0]
    assert [pane.slice_idx for pane in server.panes] == [pane.slice_idx for pane in panes]


def test_looks_of_labels_are_not_undone_in_a_block_of_theirs(viewer, link):
    look = SegmentationLook(name="salt")
    item = _labels(viewer, look)
    link.state = viewer._state = viewer._patched({"segmentations": (look,)})
    with item.hold_trait_notifications():
        item.opacity = 0.25
        mirrors(viewer, link, slice_idx=(7, 8, 9))
    assert item.opacity == 0.25
    assert link.patches[-1]["segmentations"][0].opacity == 0.25


def _labels(viewer, look):
    info = SegmentationInfo(name=look.name, channel=viewer.info.channels[1])
    return viewer._made(look, info, SegmentationSource(name=look.name, channel=1))
