"""A replay: what it posts, when, and what it leaves out."""

import msgspec
import pytest

from blustream_widget.core.annotation import annotation
from blustream_widget.core.annotation_messages import PutItem, RemoveItem
from blustream_widget.core.state import ViewState
from blustream_widget.errors import RecordingError, StateError
from blustream_widget.replay import Replay

LINE = annotation("line", [(0, 0, 0), (0, 9, 9)], id="line")


class Loop:
    def call(self, body):
        body()


class FakeViewer:
    _closed = False

    def __init__(self):
        self.patches, self.edits = [], []
        self._kernel = Loop()

    def _current(self):
        return ViewState()

    def _post(self, patch):
        if len(patch) > 1 and "zoom" in patch and "channel" in patch:
            raise StateError("There is no channel 7.")
        if "channel" in patch:
            raise StateError("There is no channel 7.")
        self.patches.append(patch)

    def _replay_edits(self, edits):
        self.edits += edits


class FakeRecording:
    duration_s = 0.2

    def __init__(self, *events):
        first = msgspec.to_builtins(ViewState()) | {"segmentations": [], "overlays": []}
        begin = {"t": 0.0, "kind": "state", "set": first}
        self.timeline = (begin, *events)


def state(t, **fields):
    return {"t": t, "kind": "state", "set": fields}


def edits(t, *edits):
    return {"t": t, "kind": "annotations", "edits": msgspec.to_builtins(edits)}


def played(*events, **options):
    viewer = FakeViewer()
    replay = Replay(FakeRecording(*events), viewer, speed=4, **options)
    assert replay.wait(10)
    replay.stop()
    return viewer, replay


def test_states_come_in_their_order_and_the_size_of_the_page_is_left_alone():
    viewer, replay = played(state(0.1, zoom=2.0), state(0.2, pan=[0.1, 0.2], width_px=50))
    assert not {"width_px", "height_px", "revision"} & viewer.patches[0].keys()
    merged = {name: value for patch in viewer.patches for name, value in patch.items()}
    assert (merged["zoom"], merged["pan"]) == (2.0, (0.1, 0.2))
    assert replay.t == 0.2
    assert not replay.is_running


def test_what_the_volume_cannot_show_is_left_out_and_named():
    viewer, replay = played(state(0.1, channel=7, zoom=3.0))
    assert replay.refused == {"channel"}
    assert {"zoom": 3.0} in viewer.patches


def test_annotations_come_and_go():
    events = edits(0.05, PutItem(LINE)), edits(0.15, RemoveItem("line"))
    viewer, _ = played(*events)
    assert [type(edit).__name__ for edit in viewer.edits] == ["PutItem", "RemoveItem"]
    viewer, _ = played(*events, annotations=False)
    assert viewer.edits == []


def test_it_stops_where_it_is():
    viewer = FakeViewer()
    recording = FakeRecording(state(90.0, zoom=9.0))
    recording.duration_s = 100.0
    replay = Replay(recording, viewer)
    assert replay.is_running
    replay.stop()
    assert not replay.is_running
    assert all(patch.get("zoom") != 9.0 for patch in viewer.patches)


@pytest.mark.parametrize("speed", [0, -1, 1000])
def test_a_speed_that_cannot_be_is_refused(speed):
    with pytest.raises(RecordingError, match="speed="):
        Replay(FakeRecording(), FakeViewer(), speed=speed)
