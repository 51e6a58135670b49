"""Voices on their way into a recording: whose, from when to when, and how much."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import pytest

from blustream_widget.core import call_messages as cm
from blustream_widget.core import protocol as p
from blustream_widget.core.voice_messages import MAX_PACKET_BYTES, MAX_PACKETS, RecordVoice, Voice
from blustream_widget.errors import CallError, ProtocolError, VoiceError
from blustream_widget.session.call import CallRate, CallRoom
from blustream_widget.session.voices import VoiceClock, VoiceDesk, VoiceRate

PACKET = b"\x78" + bytes(40)
NUMBER = 3


class Page:
    """One connection of a person."""

    round_trip_s = 0.0

    def __init__(self, person):
        self.person, self.name, self.role = person, person.title(), "viewer"
        self.guest = SimpleNamespace(color="#123456")
        self.call_rate, self.voice_rate = CallRate(), VoiceRate()
        self.told = []

    def send(self, message):
        self.told.append(message)

    @property
    def recorded(self):
        """Names of those whose voices this page knows to be recorded."""
        (*_, newest) = (m for m in self.told if isinstance(m, cm.Call))
        return [member.person for member in newest.members if member.recorded]


class Recorder:
    """A session's recording, as far as voices go."""

    def __init__(self):
        self.number, self.takes_pictures = NUMBER, True
        self.spoken, self.consents = [], []

    def saw_voice(self, spoken):
        self.spoken.append(spoken)

    def saw_consent(self, person, *, on):
        self.consents.append((person, on))


class Scene:
    def __init__(self):
        self.now_90k = 900_000
        self.noted = []
        self.room = CallRoom(is_on=True, on_change=lambda: None, note=lambda *_: None)
        self.recorder = Recorder()
        self.desk = VoiceDesk(
            self.room,
            self.recorder,
            lambda who, what: self.noted.append((who.person, what)),
            clock=lambda: self.now_90k,
        )

    def enter(self, *people):
        pages = [Page(person) for person in people]
        for page in pages:
            self.room.receive(page, cm.JoinCall())
        return pages

    def agree(self, page, *, on=True, number=NUMBER):
        self.desk.receive(page, RecordVoice(recording=number, on=on))

    def say(self, page, *packets, number=NUMBER, clock=0, at_ms=0.0):
        packets = packets or (PACKET,)
        self.desk.receive(page, Voice(number, clock, at_ms, packets))

    @property
    def heard(self):
        return [spoken.who for spoken in self.recorder.spoken]


@pytest.fixture
async def scene():
    made = Scene()
    yield made
    made.room.close()


async def test_only_who_agrees_is_recorded_and_the_others_see_it(scene):
    ann, ben = scene.enter("ann", "ben")
    scene.agree(ann)
    scene.agree(ann)
    scene.say(ann)
    scene.say(ben)
    assert scene.heard == ["ann"]
    assert ann.recorded == ben.recorded == ["ann"]
    assert scene.room.hears("ann") == (True, False, True)
    named = {"id": "ann", "name": "Ann", "color": "#123456"}
    assert scene.recorder.consents == [(named, True)]
    assert scene.noted == [("ann", "agreed to the recording of their voice")]


async def test_who_takes_it_back_is_recorded_no_more(scene):
    ann, ben = scene.enter("ann", "ben")
    scene.agree(ann)
    scene.agree(ann, on=False)
    scene.agree(ann, on=False)
    scene.say(ann)
    assert scene.heard == ben.recorded == []
    assert [on for _, on in scene.recorder.consents] == [True, False]


@pytest.mark.parametrize("way", ["leaves", "shown out", "demoted", "lapses", "other page"])
async def test_a_seat_that_ends_ends_what_was_agreed(scene, way):
    ann, _ = scene.enter("ann", "ben")
    scene.agree(ann)
    if way == "leaves":
        scene.room.receive(ann, cm.LeaveCall())
    elif way == "shown out":
        scene.room.remove("ann")
    elif way == "demoted":
        scene.room.allow("nobody")
    elif way == "lapses":
        scene.room.left(ann)
        (member,) = scene.room._of_person("ann")
        assert scene.recorder.consents[1:] == []  # the page may come again
        member.away.cancel()
        scene.room._gone(member)
    else:
        scene.room.receive(Page("ann"), cm.JoinCall())
    named = {"id": "ann", "name": "Ann", "color": "#123456"}
    assert scene.recorder.consents == [(named, True), (named, False)]
    assert scene.noted[1:] == [("ann", "ended the recording of their voice")]
    assert scene.desk._agreed == {}


async def test_nobody_outside_the_call_is_recorded(scene):
    eve = Page("eve")
    with pytest.raises(VoiceError, match="Only voices of the call"):
        scene.agree(eve)
    scene.say(eve)
    (ann,) = scene.enter("ann")
    scene.agree(ann)
    scene.room.receive(ann, cm.LeaveCall())
    scene.say(ann)
    scene.room.receive(ann, cm.JoinCall())
    scene.say(ann)
    assert scene.heard == []
    assert ann.recorded == []


async def test_who_agrees_agrees_to_one_recording_alone(scene):
    (ann,) = scene.enter("ann")
    scene.agree(ann, number=NUMBER - 1)  # it has ended while the question was open
    scene.say(ann, number=NUMBER - 1)
    assert scene.heard == ann.recorded == []
    scene.agree(ann)
    scene.recorder.takes_pictures = False
    scene.desk.review()
    assert ann.recorded == []
    scene.recorder.number, scene.recorder.takes_pictures = NUMBER + 1, True
    scene.desk.review()
    scene.say(ann)
    scene.say(ann, number=NUMBER + 1)
    assert scene.heard == []


async def test_a_connection_that_broke_goes_on_with_what_was_agreed(scene):
    ann, ben = scene.enter("ann", "ben")
    scene.agree(ann)
    seat = scene.room.seat_of(ann)
    scene.room.left(ann)
    scene.say(ann)
    back = Page("ann")
    scene.room.receive(back, cm.JoinCall(seat=seat))
    scene.say(back)
    assert scene.heard == ["ann"]
    assert ben.recorded == ["ann"]


async def test_nobody_is_remembered_who_has_left(scene):
    ann, ben = scene.enter("ann", "ben")
    scene.agree(ann)
    scene.room.receive(ann, cm.LeaveCall())
    scene.agree(ben)
    assert list(scene.desk._agreed) == [scene.room.seat_of(ben)]


async def test_each_clock_of_each_page_has_a_number_of_its_own(scene):
    ann, ben = scene.enter("ann", "ben")
    scene.agree(ann)
    scene.agree(ben)
    scene.say(ann, clock=5)
    scene.say(ben, clock=5)
    scene.say(ann, clock=5, at_ms=20)
    scene.say(ann, clock=6)
    assert [spoken.clock for spoken in scene.recorder.spoken] == [1, 2, 1, 3]


async def test_sound_is_placed_by_the_message_that_came_quickest(scene):
    (ann,) = scene.enter("ann")
    ann.round_trip_s = 0.1
    scene.agree(ann)
    for at_ms, late_ms in ((0.0, 90), (20.0, 0), (40.0, 70)):
        scene.now_90k = 900_000 + round((at_ms + 20 + 50 + late_ms) * 90)
        scene.say(ann, at_ms=at_ms)
    late, *others = (spoken.offset_90k for spoken in scene.recorder.spoken)
    assert late == 900_000 + 90 * 90
    assert others == pytest.approx([900_000, 900_000], abs=2)


def test_a_way_that_was_measured_too_long_once_moves_nothing_afterwards():
    clock = VoiceClock(0)
    ways = (0, 9000, 90_000, 900, 9000)
    found = [clock.offset_90k(n, n + 900, way_90k=way) for n, way in enumerate(ways)]
    assert found == [900, -8100, -8100, 0, 0]


async def test_clocks_beyond_what_a_page_has_are_refused(scene):
    (ann,) = scene.enter("ann")
    scene.agree(ann)
    clocks = iter(range(99))
    assert times_until_refused(lambda: scene.say(ann, clock=next(clocks))) < 15


def test_a_clock_that_goes_too_slowly_is_followed():
    clock = VoiceClock(0)
    for minute in range(11):
        now = minute * 60 * 90_000
        found = clock.offset_90k(round(now * (1 - 1e-4)), now, way_90k=0)
    assert found == pytest.approx(now * 1e-4, abs=900)


@pytest.mark.parametrize("packet", [b"\x7b\x02", b"\x79\x00", b"\x18", b"\x70"])
async def test_what_is_no_sound_of_20_ms_is_refused(scene, packet):
    (ann,) = scene.enter("ann")
    scene.agree(ann)
    with pytest.raises(VoiceError, match="no sound of 20 ms"):
        scene.say(ann, PACKET, packet)
    assert scene.heard == []


def times_until_refused(act, most=60):
    for n in range(most):
        try:
            act()
        except VoiceError:
            return n
    return most


async def test_more_than_a_voice_takes_is_refused(scene):
    ann, ben, cat = scene.enter("ann", "ben", "cat")
    scene.agree(ann)
    scene.agree(ben)
    assert 15 < times_until_refused(lambda: scene.say(ann, *[PACKET] * MAX_PACKETS)) < 25
    large = b"\x78" * MAX_PACKET_BYTES
    assert times_until_refused(lambda: scene.say(ben, *[large] * MAX_PACKETS)) < 10
    assert times_until_refused(lambda: scene.agree(cat)) < 20
    scene.agree(cat, on=False)  # it can always be taken back


@pytest.mark.parametrize(
    "wrong",
    [
        {"packets": []},
        {"packets": [""]},
        {"packets": ["eA=="] * (MAX_PACKETS + 1)},
        {"packets": ["A" * 4 * (MAX_PACKET_BYTES // 3 + 1)]},
        {"packets": ["not base64!"]},
        {"packets": "eA=="},
        {"recording": 0},
        {"recording": 2**40},
        {"clock": -1},
        {"at_ms": -1},
        {"at_ms": 1e300},
        {"at_ms": "0"},
        {"who": "ann"},
    ],
)
def test_what_is_malformed_is_refused(wrong):
    good = {"type": 0xB9, "recording": 1, "clock": 0, "at_ms": 0, "packets": ["eA=="]}
    assert isinstance(p.decode_viewer(msgspec.json.encode(good)), Voice)
    with pytest.raises(ProtocolError):
        p.decode_viewer(msgspec.json.encode(good | wrong))


def test_the_largest_message_may_be_sent():
    packets = (bytes(MAX_PACKET_BYTES),) * MAX_PACKETS
    message = Voice(recording=2**31, clock=2**31, at_ms=1e10, packets=packets)
    assert p.decode_viewer(p.encode(message)) == message


def test_an_error_of_a_voice_is_none_of_the_call():
    assert VoiceError.code != CallError.code
