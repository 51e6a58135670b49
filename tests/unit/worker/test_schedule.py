"""When pictures are due."""

from __future__ import annotations

import pytest

from blustream_widget.worker.schedule import REST_S, Schedule


def drawn(schedule: Schedule, now: float, *, is_keyframe: bool = False) -> None:
    schedule.look(now)
    schedule.draw(now, is_keyframe=is_keyframe)


def test_nothing_is_due_before_anything_happened() -> None:
    assert Schedule().due_in_s(10.0) is None


def test_a_new_state_is_due_at_once() -> None:
    schedule = Schedule()
    schedule.change(10.0)
    assert schedule.is_due(10.0)


def test_after_the_picture_only_the_rest_is_due_and_then_nothing() -> None:
    schedule = Schedule()
    schedule.change(10.0)
    drawn(schedule, 10.0)
    assert schedule.due_in_s(10.0) == pytest.approx(REST_S)
    assert not schedule.is_at_rest(10.1)
    assert schedule.is_at_rest(10.0 + REST_S)
    schedule.look(10.0 + REST_S)
    assert schedule.due_in_s(11.0) is None


def test_frames_a_second_are_limited() -> None:
    schedule = Schedule()
    schedule.limit(10)
    now, times = 10.0, []
    for tick in range(1000):
        now = 10.0 + tick / 1000
        schedule.change(now)
        if schedule.is_due(now):
            drawn(schedule, now)
            times.append(now)
    assert len(times) in (10, 11, 12)


def test_a_state_that_comes_a_little_early_is_not_held_back() -> None:
    schedule = Schedule()
    schedule.limit(60)
    waits = []
    for frame in range(60):
        now = 10.0 + frame / 60 + (0.003 if frame % 2 else -0.003)
        schedule.change(now)
        waits.append(schedule.due_in_s(now))
        drawn(schedule, now + waits[-1])
    assert max(waits[2:]) < 0.001


def test_data_is_drawn_in_steps() -> None:
    schedule = Schedule()
    schedule.change(10.0)
    drawn(schedule, 10.0)
    schedule.receive_data(10.01)
    assert not schedule.is_due(10.01)
    assert schedule.is_due(10.06)


def test_keyframes_are_joined_to_one_per_quarter_second() -> None:
    schedule = Schedule()
    schedule.want_keyframe(10.0)
    assert schedule.is_keyframe_due(10.0)
    drawn(schedule, 10.0, is_keyframe=True)
    for tick in range(20):
        schedule.want_keyframe(10.0 + tick / 100)
        assert not schedule.is_keyframe_due(10.0 + tick / 100)
    assert schedule.is_keyframe_due(10.26)
    drawn(schedule, 10.26, is_keyframe=True)
    assert not schedule.is_keyframe_due(20.0)


def test_a_viewer_that_joins_gets_the_sharp_picture_too() -> None:
    schedule = Schedule()
    schedule.want_keyframe(10.0)
    drawn(schedule, 10.0, is_keyframe=True)
    assert schedule.due_in_s(10.0) == pytest.approx(REST_S)


def test_nobody_looking_clears_everything() -> None:
    schedule = Schedule()
    schedule.change(10.0)
    schedule.want_keyframe(10.0)
    schedule.clear()
    assert schedule.due_in_s(10.0) is None


def test_a_touch_is_drawn_at_once_and_the_picture_stays_at_rest_but_no_still_comes_yet() -> None:
    schedule = Schedule()
    schedule.change(10.0)
    drawn(schedule, 10.0)
    drawn(schedule, 10.0 + REST_S)
    assert schedule.is_still(10.0 + REST_S)
    schedule.touch(11.0)
    assert schedule.is_due(11.0)
    drawn(schedule, 11.0)
    assert schedule.is_at_rest(11.0)
    assert not schedule.is_still(11.0)
    assert schedule.due_in_s(11.0) == pytest.approx(REST_S)
    schedule.look(11.0 + REST_S)
    assert schedule.is_still(11.0 + REST_S)
    assert schedule.due_in_s(12.0) is None


def test_touches_do_not_keep_a_picture_from_coming_to_rest() -> None:
    schedule = Schedule()
    schedule.change(10.0)
    for tick in range(1, 30):
        now = 10.0 + tick * REST_S / 4
        schedule.touch(now)
        drawn(schedule, now)
        assert schedule.is_at_rest(now) == (tick >= 4)
        assert not schedule.is_still(now)
