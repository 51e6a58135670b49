"""A replay: what it posts, when, and what it leaves out; what pages hear of its voices."""

import threading
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from blustream_widget.core.annotation import annotation
from blustream_widget.core.annotation_messages import PutItem, RemoveItem
from blustream_widget.core.replay_messages import (
    DriveReplay,
    ReplayAbout,
    ReplayState,
    WantSaid,
)
from blustream_widget.core.state import ViewState
from blustream_widget.errors import RecordingError, StateError
from blustream_widget.recordings import Chapter
from blustream_widget.replay import Replay
from blustream_widget.testing.waiting import wait_until

LINE = annotation("line", [(0, 0, 0), (0, 9, 9)], id="line")


class Loop:
    is_here = False

    def call(self, body):
        body()


class BusyLoop(Loop):
    """A kernel that runs a cell until it is let go."""

    def __init__(self):
        self.is_free = threading.Event()
        self.waiting = []

    def call(self, body):
        if self.is_free.is_set():
            body()
        else:
            self.waiting.append(body)

    def let_go(self):
        self.is_free.set()
        for body in self.waiting:
            body()


class FakeViewer:
    _closed = False

    def __init__(self, kernel=None):
        self.patches, self.edits, self.sent = [], [], []
        self._kernel = kernel or Loop()
        self.replays = []

    @property
    def shown(self):
        return {name: value for patch in self.patches for name, value in patch.items()}

    def _begin_replay(self, replay):
        self.replays.append(replay)

    def _tell_of_replay(self, told):
        self.sent.append(told)

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
    path = Path("talk.mp4")
    chapters = (Chapter(0.0, "Beginning"), Chapter(0.1, "Fault"))

    def __init__(self, *events, speakers=()):
        people = {who: {"id": who, "name": who.title(), "color": "#111111"} for who in speakers}
        self.index = SimpleNamespace(speakers=people, placed_voices=[])
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
    assert (viewer.shown["zoom"], viewer.shown["pan"]) == (2.0, (0.1, 0.2))
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


# -------------------------------------------------- to another time, slower, faster, not at all


class Clock:
    """Seconds that the test counts; a replay takes its steps at once."""

    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


class Stepped:
    """A long replay whose steps the test takes: its thread waits for a kernel that is busy."""

    def __init__(self, *events, speakers=(), **options):
        self.viewer, self.clock = FakeViewer(BusyLoop()), Clock()
        recording = FakeRecording(*events, speakers=speakers)
        recording.duration_s = 100.0
        self.replay = Replay(recording, self.viewer, clock=self.clock, **options)

    def go(self, seconds=0.0):
        self.clock.now_s += seconds
        self.replay._step()
        return self.replay.t

    @property
    def told(self):
        return [one for one in self.viewer.sent if isinstance(one, ReplayState)]

    def wait_told(self, **wanted):
        """Wait until the newest word says so: the replay's thread tells."""

        def is_told():
            told = self.told[-1:]
            return told and all(getattr(told[0], k) == v for k, v in wanted.items())

        wait_until(is_told, timeout_s=10, what=f"{wanted} is told")
        return self.told[-1]


@pytest.fixture
def stepped():
    made = []

    def make(*events, **options):
        made.append(Stepped(*events, **options))
        return made[-1]

    yield make
    for one in made:
        one.replay.stop()


def test_it_goes_to_another_time_with_everything_as_it_was_then(stepped):
    other = annotation("line", [(0, 0, 0), (0, 5, 5)], id="other")
    scene = stepped(
        edits(10, PutItem(LINE)),
        state(20, zoom=2.0),
        edits(30, RemoveItem("line"), PutItem(other)),
        state(40, zoom=4.0),
    )
    scene.replay.seek(35)
    assert scene.replay.t == 35
    scene.go()
    assert scene.viewer.shown["zoom"] == 2.0
    assert [edit.item.id for edit in scene.viewer.edits] == ["other"]
    scene.viewer.edits.clear()
    scene.replay.seek(15)
    scene.go()
    assert scene.viewer.shown["zoom"] == 1.0
    assert [type(edit).__name__ for edit in scene.viewer.edits] == ["RemoveItem", "PutItem"]
    assert [scene.viewer.edits[0].id, scene.viewer.edits[1].item.id] == ["other", "line"]
    # And it goes on from there.
    scene.replay.seek(39.9)
    scene.go()
    scene.go(0.2)
    assert scene.viewer.shown["zoom"] == 4.0


def test_a_time_that_is_sought_while_another_one_is_gone_to_counts():
    seeking = []

    class Slow(Replay):
        """Another thread seeks just behind what reads the time."""

        _time = None

        @property
        def _sought(self):
            if self._time == 10.0 and not seeking:
                other = threading.Thread(target=self.seek, args=(20.0,))  # noqa: TID251  # a user's
                seeking.append(other)
                time = self._time
                other.start()
                other.join(0.2)
                return time
            return self._time

        @_sought.setter
        def _sought(self, time):
            self._time = time

    recording = FakeRecording()
    recording.duration_s = 100.0
    replay = Slow(recording, FakeViewer(BusyLoop()), clock=lambda: 0.0)
    replay.seek(10.0)
    replay._step()
    seeking[0].join(10)
    replay._step()
    assert (replay.t, replay._n_jumps) == (20.0, 2)
    replay.stop()


def test_pages_hear_of_the_end_of_a_replay_that_died():
    class Loop(BusyLoop):
        def call(self, body):
            raise OSError("no loop")

    viewer = FakeViewer(Loop())
    replay = Replay(FakeRecording(), viewer)
    replay._thread.join(10)
    assert not replay.is_running
    assert [told.over for told in viewer.sent] == [True]


def test_it_stands_still_and_goes_slower_or_faster_when_asked(stepped):
    scene = stepped()
    assert scene.go(0.1) == pytest.approx(0.1)
    scene.replay.pause()
    assert scene.replay.is_paused
    assert scene.go(0.2) == pytest.approx(0.1)
    scene.replay.resume()
    scene.replay.speed = 10
    assert scene.go(0.2) == pytest.approx(2.1)
    with pytest.raises(RecordingError, match="speed=1000"):
        scene.replay.speed = 1000
    assert scene.replay.speed == 10


def test_a_kernel_that_ran_a_cell_misses_nothing(stepped):
    scene = stepped(state(30, zoom=3.0))
    assert scene.go(60) < 1
    assert scene.viewer.shown["zoom"] == 1.0


@pytest.mark.parametrize("t", [-1, 101, float("nan")])
def test_a_time_that_cannot_be_is_refused(stepped, t):
    scene = stepped()
    with pytest.raises(RecordingError, match="cannot be") as caught:
        scene.replay.seek(t)
    assert "lasts 100.0 s" in caught.value.hint
    scene.replay.stop()
    with pytest.raises(RecordingError, match="has ended"):
        scene.replay.seek(1)


def test_the_thread_takes_steps_when_the_kernel_is_free_and_the_viewer_knows_of_it():
    viewer = FakeViewer(BusyLoop())
    replay = Replay(FakeRecording(state(0.1, zoom=2.0)), viewer, speed=10)
    assert viewer.replays == [replay]
    assert not replay.wait(0.05)
    assert viewer.patches == []
    viewer._kernel.let_go()
    assert replay.wait(10)
    assert viewer.shown["zoom"] == 2.0


def test_a_cell_that_waits_takes_the_steps_itself():
    viewer = FakeViewer(BusyLoop())
    viewer._kernel.is_here = True
    replay = Replay(FakeRecording(state(0.1, zoom=2.0)), viewer, speed=10)
    assert replay.wait(10)
    assert viewer.shown["zoom"] == 2.0
    replay.stop()


def test_pages_hear_where_it_is_and_what_it_is_of(stepped):
    scene = stepped(speakers=["mei"])
    first = scene.wait_told(t=0.0)
    assert first.about == ReplayAbout(
        name="talk.mp4",
        duration_s=100.0,
        chapters=((0.0, "Beginning"), (0.1, "Fault")),
        speakers=(("mei", "Mei", "#111111"),),
    )
    assert (first.playing, first.speed, first.over, first.waits) == (True, 1.0, False, False)
    scene.go(0.2)  # nothing but the time is other, and that not for long
    scene.go(0.2)
    scene.go(0.2)
    told = scene.wait_told(t=pytest.approx(0.6))
    assert (len(scene.told), told.about) == (2, None)
    for act, wanted in (
        (lambda: scene.replay.seek(50), {"jumps": 1, "t": 50.0}),
        (scene.replay.pause, {"playing": False}),
        (scene.replay.resume, {"playing": True}),
        (lambda: setattr(scene.replay, "speed", 2), {"speed": 2}),
    ):
        act()  # a kernel that runs a cell takes no step, and who looks hears of it all the same
        scene.wait_told(**wanted)
    scene.replay.stop()
    assert scene.told[-1].over


def test_pages_hear_that_it_waits_for_a_kernel_that_runs_a_cell(stepped):
    scene = stepped()
    scene.wait_told(t=0.0, waits=False)
    scene.clock.now_s += 5
    n = scene.wait_told(t=0.0, waits=True, playing=True).n
    # A page would take a time that is told again for one that is late.
    scene.clock.now_s += 5
    scene.replay._hear(WantSaid(n=n, piece=0))  # is answered behind what would be told
    wait_until(lambda: len(scene.viewer.sent) > 2, timeout_s=10, what="it is answered")
    assert len(scene.told) == 2
    scene.go()
    scene.wait_told(t=0.25, waits=False)
    scene.replay.pause()
    scene.clock.now_s += 5
    scene.wait_told(playing=False, waits=False)


def test_another_server_hears_all_anew(stepped):
    scene = stepped()
    scene.wait_told(t=0.0)
    scene.replay._server_changed()
    wait_until(lambda: len(scene.told) == 2, timeout_s=10, what="it is told again")
    assert scene.told[1].about == scene.told[0].about


def test_who_looks_drives_it_by_its_number(stepped):
    scene = stepped()
    n = scene.wait_told(t=0.0).n
    for wish, wanted in (
        (DriveReplay(n=n, playing=False), {"playing": False}),
        (DriveReplay(n=n, t=30.0), {"t": 30.0, "jumps": 1}),
        (DriveReplay(n=n, t=1e6, speed=0.5, playing=True), {"t": 100.0, "speed": 0.5}),
    ):
        scene.replay._hear(wish)
        scene.wait_told(**wanted)
    scene.replay._hear(DriveReplay(n=n - 1, end=True))
    scene.replay._hear(DriveReplay(n=n + 1, end=True))
    assert scene.replay.is_running
    scene.replay._hear(DriveReplay(n=n, end=True))
    scene.wait_told(over=True)
    assert not scene.replay.is_running
    scene.replay._hear(DriveReplay(n=n, t=1.0))  # came too late


def test_nobody_is_named_where_nobody_is_heard(stepped):
    for scene in (stepped(), stepped(speakers=["mei"], voices=False)):
        assert scene.wait_told(t=0.0).about.speakers == ()
        scene.replay._hear(WantSaid(n=scene.told[0].n, piece=0))
        wait_until(lambda s=scene: len(s.viewer.sent) > 1, timeout_s=10, what="it is answered")
        assert "No voices" in scene.viewer.sent[1].refused
