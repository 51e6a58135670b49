"""The newest wish wins."""

from __future__ import annotations

import threading

from blustream_widget.core.state import ViewState
from blustream_widget.core.worker_protocol import Output, ProbeVoxel, Refresh, Show, WantKeyframe
from blustream_widget.worker.slot import LatestSlot


def test_the_newest_state_replaces_older_ones() -> None:
    slot = LatestSlot()
    for revision in range(100):
        slot.put(Show(ViewState(revision=revision)))
    wish = slot.take(0)
    assert wish.state is not None
    assert wish.state.revision == 99
    assert slot.take(0).state is None


def test_wishes_of_different_kinds_come_together() -> None:
    slot = LatestSlot()
    slot.put(WantKeyframe())
    slot.put(Output(jpeg=True))
    slot.put(Refresh())
    slot.put_data()
    wish = slot.take(0)
    assert wish.keyframes == {0}
    assert wish.wants_refresh
    assert wish.has_data
    assert wish.output == Output(jpeg=True)


def test_the_newest_probe_of_each_viewer_is_kept() -> None:
    slot = LatestSlot()
    for n, peer in enumerate((1, 2, 1)):
        slot.put(ProbeVoxel(peer=peer, n=n, channel=0, voxel=(0, 0, n)))
    assert {peer: probe.n for peer, probe in slot.take(0).probes.items()} == {1: 2, 2: 1}


def test_a_wish_wakes_the_render_thread() -> None:
    slot = LatestSlot()
    timer = threading.Timer(0.01, slot.put_still)
    timer.start()
    assert slot.take(5).has_still
    timer.join()


def test_a_closed_slot_never_waits_again() -> None:
    slot = LatestSlot()
    slot.close()
    slot.close()
    assert slot.take(None).is_closed
    assert slot.take(None).is_closed
