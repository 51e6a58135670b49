"""Voices of a recording: heard when they were spoken, also out of a file that was cut off."""

from dataclasses import replace

import av
import numpy as np
import pytest
from tests.unit.recording.sound_kit import ANN, BEN, NEAR_S, beeps_in, messages, spoken_packets

from blustream_widget.core.voice_messages import PACKET_SAMPLES, RATE_HZ
from blustream_widget.encode.sound import VoiceDecoder
from blustream_widget.errors import RecordingError
from blustream_widget.recording.file import RecordingFile
from blustream_widget.recording.mix import VoiceMix
from blustream_widget.recording.voices import (
    PACKET_90K,
    Spoken,
    VoiceAt,
    placed,
    read_head,
    runs_between,
    split_packets,
)
from blustream_widget.recordings import Recording


def test_each_is_heard_when_they_spoke(talk):
    assert [(v.id, v.name, v.recorded_s) for v in talk.voices] == [
        (ANN, "Ann", 2.0),
        (BEN, BEN, 2.0),
    ]
    assert len(talk.sound()) == 4 * RATE_HZ
    assert beeps_in(talk.sound()) == pytest.approx([1.5, 2.5, 3.2], abs=NEAR_S)
    assert beeps_in(talk.sound("Ann")) == pytest.approx([1.5, 2.5], abs=NEAR_S)
    assert beeps_in(talk.sound(BEN)) == pytest.approx([3.2], abs=NEAR_S)
    assert beeps_in(talk.sound(start_s=2.45, end_s=3.0)) == pytest.approx([0.05], abs=NEAR_S)


def test_two_of_one_name_are_told_apart_by_id(file, camera):
    people = [{"id": BEN, "name": "Ann", "color": "#222222"}]
    file.add_event(camera.now, {"kind": "people", "people": people})
    for who in (ANN, BEN):
        file.add_voice(Spoken(who, 1, 0, camera.now, (b"\x78",)))
    file.finish(camera.now + 90_000)
    recording = Recording(file.path)
    with pytest.raises(RecordingError, match="2 people of the name Ann") as caught:
        recording.sound("Ann")
    assert ANN in caught.value.hint
    assert BEN in caught.value.hint
    assert len(recording.sound(BEN)) == RATE_HZ


def test_any_number_of_clocks_has_one_decoder_a_person(file, camera):
    for clock in range(30):
        file.add_voice(Spoken(ANN, clock, 0, camera.now + clock * PACKET_90K, (b"\x78",)))
    file.finish(camera.now + 90_000)
    with VoiceMix(file.path, Recording(file.path).index) as mix:
        mix.until(1)
        assert list(mix._decoders) == [ANN]


def test_a_long_sound_is_not_copied_as_it_grows(talk, monkeypatch):
    copied, pad = [], np.pad
    monkeypatch.setattr(np, "pad", lambda a, *more: (copied.append(len(a)), pad(a, *more))[1])
    assert len(talk.sound()) == 4 * RATE_HZ
    assert copied == [0]


def test_who_is_not_in_it_cannot_be_heard(talk):
    with pytest.raises(RecordingError, match="voice of Eve"):
        talk.sound("Eve")
    with pytest.raises(RecordingError, match="nothing from"):
        talk.sound(start_s=3, end_s=2)


@pytest.mark.parametrize("ending", [".mp4", ".webm", ".gif"])
def test_a_film_has_the_voices_in_its_sound_track(talk, tmp_path, ending):
    film = talk.export(tmp_path / f"film{ending}", fps=10, on_progress=lambda _: None)
    with av.open(str(film)) as container:
        assert len(container.streams.video) == 1
        if ending == ".gif":
            assert len(container.streams.audio) == 0
            return
        resampler = av.AudioResampler("fltp", "mono", RATE_HZ)
        parts = []
        for frame in container.decode(audio=0):
            begin = round(frame.pts * frame.time_base * RATE_HZ)
            parts += [(begin, part.to_ndarray()[0]) for part in resampler.resample(frame)]
    sound = np.zeros(5 * RATE_HZ, np.float32)
    for begin, part in parts:
        cut = part[max(0, -begin) :]
        sound[max(0, begin) : max(0, begin) + len(cut)] = cut
    assert beeps_in(sound) == pytest.approx([1.5, 2.5, 3.2], abs=NEAR_S)


def test_a_recording_that_was_cut_off_has_what_was_said_until_the_last_second(camera, file):
    begin, packets = camera.now, spoken_packets(0.5, 1.5)
    said = list(messages(ANN, 0, begin, packets, each=25))
    for one in said[:2]:
        file.add_voice(one)
    file.flush(begin + 90_000)
    whole = file.path.stat().st_size
    for one in said[2:]:
        file.add_voice(one)
    file.flush(begin + 2 * 90_000)
    file.close()
    assert beeps_in(Recording(file.path).sound()) == pytest.approx([0.5, 1.5], abs=NEAR_S)
    with file.path.open("r+b") as broken:
        broken.truncate(file.path.stat().st_size - 7)
    assert [v.n_packets for v in Recording(file.path).index.voices] == [50]
    with file.path.open("r+b") as broken:
        broken.truncate(whole)
    assert [v.n_packets for v in Recording(file.path).index.voices] == [50]


def test_what_is_said_before_the_first_picture_is_left_out(tmp_path, camera):
    file = RecordingFile(tmp_path / "talk.mp4")
    file.add_voice(Spoken(ANN, 1, 0, camera.now, (b"\x78",)))
    file.add_picture(camera.shoot())
    file.finish(camera.now)
    assert Recording(file.path).voices == ()


def test_messages_of_a_second_become_one_and_a_pause_does_not(file, camera):
    packets = (b"\x78",) * 30
    for one in messages(ANN, 0, camera.now, packets):
        file.add_voice(one)
    pause = Spoken(ANN, 1, 100 * PACKET_90K, camera.now, packets)
    file.add_voice(pause)
    file.add_voice(replace(pause, clock=2, page_90k=pause.end_90k))
    file.finish(camera.now + 90_000)
    assert [v.n_packets for v in Recording(file.path).index.voices] == [30, 30, 30]


def at(page_s, offset_s, *, clock=1, who=ANN, n=10):
    return VoiceAt(who, clock, round(page_s * 90_000), round(offset_s * 90_000), n, 0, 0)


def starts_s(*voices):
    return [one.start_90k / 90_000 for one in placed(voices)]


def test_a_message_that_was_late_is_where_it_was_spoken():
    # The first two seconds were 0.3 s on their way, until a quick one came.
    found = starts_s(at(0.0, 10.3), at(0.2, 10.3), at(0.4, 10.0), at(0.6, 10.0))
    assert found == pytest.approx([10.0, 10.2, 10.4, 10.6])


def test_sound_that_goes_on_has_no_seam_where_the_guess_changes_a_little():
    found = starts_s(at(0.0, 10.0), at(0.2, 10.01), at(0.4, 9.99))
    assert found == pytest.approx([9.99, 10.19, 10.39])
    assert starts_s(at(0.0, 10.0), at(20.0, 10.03)) == pytest.approx([10.0, 30.03])


def test_another_clock_is_placed_alone_and_nobody_speaks_over_themselves():
    found = starts_s(at(50.0, -40.0), at(0.0, 10.1, clock=2))
    assert found == pytest.approx([10.0, 10.2])
    # Others do: everybody has a clock.
    found = starts_s(at(50.0, -40.0), at(0.0, 10.1, who=BEN))
    assert found == pytest.approx([10.0, 10.1])


def test_what_is_no_voice_is_left_alone():
    packed = Spoken(ANN, 1, 2, 3, (b"\x78a", b"\x78")).pack()
    head = read_head(packed, 100, len(packed))
    assert head == VoiceAt(ANN, 1, 2, 3, 2, 100 + len(packed) - 7, 7)
    assert list(split_packets(packed[-7:])) == [b"\x78a", b"\x78"]
    assert list(split_packets(packed[-7:-1])) == [b"\x78a"]
    for n in range(len(packed) - 7):
        assert read_head(packed[:n], 0, n) is None


def test_a_player_gets_runs_without_a_gap(talk):
    placed_voices = talk.index.placed_voices

    def read(at):
        with talk.path.open("rb") as file:
            file.seek(at.offset)
            return file.read(at.n_bytes)

    def runs(begin_s, end_s):
        some = runs_between(placed_voices, round(begin_s * 90_000), round(end_s * 90_000), read)
        return [(run.who, run.start_90k / 90_000, len(run.packets)) for run in some]

    assert runs(0, 0.5) == []
    assert runs(0.9, 1.2) == [(ANN, 1.0, 10)]
    assert runs(1.99, 2.5) == [(ANN, pytest.approx(1.98), 26), (BEN, 2.0, 25)]
    assert runs(0, 9) == [(ANN, 1.0, 100), (BEN, 2.0, 100)]


def test_a_damaged_packet_is_silence_of_its_length():
    decoder = VoiceDecoder()
    for packet in (b"\x78", b"\xff" * 100, bytes(range(200))):
        assert decoder.decode(packet).shape == (PACKET_SAMPLES,)


def test_the_sum_of_loud_voices_stays_within_bounds(file, camera):
    packets = spoken_packets(0.2)
    for who in (ANN, BEN, "c" * 16, "d" * 16):
        for one in messages(who, 0, camera.now, packets):
            file.add_voice(one)
    file.finish(camera.now + 2 * 90_000)
    with VoiceMix(file.path, Recording(file.path).index) as mix:
        loud = mix.until(1)
    assert np.abs(loud).max() == 1
